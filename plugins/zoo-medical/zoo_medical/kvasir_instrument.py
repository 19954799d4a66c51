"""Kvasir-Instrument: endoscopic frames with masks and boxes of the instruments.

``images/NAME.jpg``, ``masks/NAME.png``, the names of each split in ``train.txt`` and ``test.txt``,
one a line, and ``bboxes.json``: by name ``{"height", "width", "bbox": [{"label", "xmin", "ymin",
"xmax", "ymax"}, ...]}``, in pixels.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo import DataError, Dataset, DatasetContext, FileSplit, Provenance, Task
from zoo_medical.folders import required_root

NAME = "kvasir_instrument"
LARGEST = 16 << 20  # bytes of bboxes.json and of the lists; the published ones have 0.2 million
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_PROVENANCE = Provenance(
    licence="other",
    citation="D. Jha, S. Ali, K. Emanuelsen, S. A. Hicks, V. Thambawita, E. Garcia-Ceja, M. A. "
    "Riegler, T. de Lange, P. T. Schmidt, H. D. Johansen, D. Johansen, P. Halvorsen. "
    "Kvasir-Instrument: Diagnostic and Therapeutic Tool Segmentation Dataset in Gastrointestinal "
    "Endoscopy. MultiMedia Modeling, 2021. doi:10.1007/978-3-030-67835-7_19",
    homepage="https://datasets.simula.no/kvasir-instrument/",
    how_to_get="unpack https://datasets.simula.no/downloads/kvasir-instrument.zip, and the "
    "archives of images and masks in it",
)
_TERMS = "research and education only; commercial use needs the authors' written permission"

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class BoxedSplit(FileSplit):
    """``boxes``: of each image (xmin, ymin, xmax, ymax) in pixels; None without ``bboxes.json``."""

    boxes: Sequence[Sequence[Box]] | None = None


def build(ctx: DatasetContext) -> Dataset:
    """``train`` (472 as published) and ``test`` (118); zoo takes ``val`` out of ``train``. Boxes
    are kept with the splits; zoo does not use them. Raises :class:`zoo.DataError`."""
    root = required_root(NAME, ctx.root, "images, masks, train.txt and test.txt")
    names = {split: _names(root / f"{split}.txt") for split in ("train", "test")}
    both = sorted(set(names["train"]) & set(names["test"]))
    if both:
        raise DataError(
            f"dataset {NAME!r}: {len(both)} names stand in train.txt and in test.txt, the first is "
            f"{both[0]!r}; expected each in one of them"
        )
    boxes = _boxes(root / "bboxes.json")
    splits = {split: _split(root, given, boxes) for split, given in names.items()}
    notes = {"licence": _TERMS}
    if boxes is not None:
        count = sum(len(one) for one in boxes.values())
        notes["boxes"] = f"bboxes.json has {count} boxes of {len(boxes)} images; training uses none"
    task = Task.segmentation(["background", "instrument"], positive="instrument")
    return Dataset(task, splits, _PROVENANCE, notes)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{str(path)!r} has more than {LARGEST} bytes: it is another file")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"dataset {NAME!r}: {str(path)!r} cannot be read ({type(error).__name__}); "
            f"get the dataset again"
        ) from error


def _names(path: Path) -> list[str]:
    names = [line.strip() for line in _text(path).splitlines() if line.strip()]
    for name in names:
        if name != Path(name).name or name in (".", ".."):
            raise DataError(f"{str(path)!r}: name {name!r}: expected a file's name without suffix")
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice or not names:
        what = f"{twice[0]!r} stands twice" if twice else "it names no image"
        raise DataError(f"{str(path)!r}: {what}; expected each image's name once")
    return names


def _split(root: Path, names: list[str], boxes: dict[str, list[Box]] | None) -> BoxedSplit:
    images = [root / "images" / f"{name}.jpg" for name in names]
    masks = [root / "masks" / f"{name}.png" for name in names]
    missing = [path for path in (*images, *masks) if not path.is_file()]
    if missing:
        raise DataError(
            f"dataset {NAME!r}: {len(missing)} files are missing, the first is "
            f"{str(missing[0])!r}; get the dataset again"
        )
    of_each = None if boxes is None else [boxes.get(name, []) for name in names]
    return BoxedSplit(images, None, names, None, masks, of_each)


def _boxes(path: Path) -> dict[str, list[Box]] | None:
    if not path.exists():
        return None
    try:
        data = json.loads(_text(path))
        return {name: [_box(one) for one in entry["bbox"]] for name, entry in data.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{str(path)!r} does not hold boxes ({type(error).__name__}: {error}); expected, by "
            f"name, a list 'bbox' of xmin, ymin, xmax, ymax; get it again, or remove it"
        ) from error


def _box(given: Any) -> Box:
    xmin, ymin, xmax, ymax = (float(given[side]) for side in _SIDES)
    return xmin, ymin, xmax, ymax
