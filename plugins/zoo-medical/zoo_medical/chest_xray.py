"""Chest X-rays of children, normal or pneumonia, as folders or as parquet files.

Patients: of names such as ``person100_bacteria_475.jpeg`` the part before the last number is taken
as the patient. ``bacteria`` and ``virus`` belong to it: both number their patients from 1, so that
the published train and test each have a patient 100. Of ``IM-0429-0001.jpeg``,
``NORMAL2-IM-0246-0001-0002.jpeg`` and ``VIRUS-1008087-0001.jpeg`` it is the part before the image's
number. Any other name is a group of its own. Roboflow's copies, ``IM-0003-0001_jpeg.rf.3fffcf.jpg``
with 32 digits, are those of the name before ``_jpeg``.
"""

from __future__ import annotations

import re
from pathlib import Path

from zoo import Dataset, DatasetContext, Provenance, Split, Task
from zoo_medical import folders, parquet

NAME = "chest_xray"
CLASSES = ("NORMAL", "PNEUMONIA")
FEW = 50  # images; a validation split of less says little
_FOLDERS = "train, val and test, each with NORMAL and PNEUMONIA, or of the parquet files"
_PATIENT = re.compile(
    r"(person\d+_(?:bacteria|virus))_\d+"
    r"|((?:NORMAL2-)?IM-\d+)(?:-\d+)+"
    r"|((?:NORMAL|BACTERIA|VIRUS)-\d+)-\d+"
)
_ROBOFLOW = re.compile(r"_(?:jpe?g|png)\.rf\.[0-9a-f]{32}")
_PROVENANCE = Provenance(
    licence="cc-by-4.0",
    citation="D. Kermany, K. Zhang, M. Goldbaum. Labeled Optical Coherence Tomography (OCT) and "
    "Chest X-Ray Images for Classification. Mendeley Data, V2, 2018. doi:10.17632/rscbjbr9sj.2",
    homepage="https://data.mendeley.com/datasets/rscbjbr9sj/2",
    how_to_get="the folder chest_xray of the Mendeley or Kaggle archive, or the parquet files of "
    "the Hugging Face dataset hf-vision/chest-xray-pneumonia",
)


def build(ctx: DatasetContext, *, positive: str = "PNEUMONIA") -> Dataset:
    """The splits as published: train 5,216, val 16, test 624 images. Groups are patients, where the
    file's name tells them. Raises :class:`zoo.DataError` when neither layout is there."""
    root = folders.required_root(NAME, ctx.root, _FOLDERS)
    task = Task.binary(CLASSES, positive=folders.chosen_positive(NAME, CLASSES, positive))
    splits = _splits(root)
    notes = {}
    if "val" in splits and len(splits["val"]) < FEW:
        notes["val"] = f"val has {len(splits['val'])} images; what is chosen by them is luck"
    return Dataset(task, splits, _PROVENANCE, notes)


def patient(name: str) -> str:
    """The patient of a file's name; the name itself where it does not tell."""
    match = _PATIENT.fullmatch(_ROBOFLOW.sub("", Path(name).stem))
    return next(part for part in match.groups() if part) if match else name


def _splits(root: Path) -> dict[str, Split]:
    here = [split for split in folders.SPLITS if (root / split).is_dir()]
    if "train" in here:
        return {
            split: folders.split_of(
                NAME, root, root / split, CLASSES, lambda path: patient(path.name)
            )
            for split in here
        }
    return parquet.read_splits(NAME, root, CLASSES, patient, _FOLDERS)
