"""Dermatoscopic images, melanoma or nevus: folders MEL and NV, or HAM10000 with its table.

The table: ``HAM10000_metadata.csv``, or another CSV file with columns ``image_id`` (``isic_id``,
``image``), ``dx`` (``diagnosis``) and, where it is known, ``lesion_id``: images of one lesion are
one group, of which no part may be trained on and another tested on.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from zoo import DataError, Dataset, DatasetContext, FileSplit, Provenance, Split, Task
from zoo_medical import folders

NAME = "skin_lesions"
TABLE = "HAM10000_metadata.csv"
LARGEST = 64 << 20  # bytes of a table; HAM10000's has 0.6 million
_COLUMNS = {
    "image": ("image_id", "isic_id", "image"),
    "diagnosis": ("dx", "diagnosis"),
    "lesion": ("lesion_id",),
}
_SHORT = {"melanoma": "mel", "nevus": "nv"}  # as the ISIC archive writes them
_WANTED = "MEL and NV (in train, val, test, or alone), or of " + TABLE + " and its images"
_PROVENANCE = Provenance(
    licence="see homepage",  # copies of it name several, all without commercial use
    citation="P. Tschandl, C. Rosendahl, H. Kittler. The HAM10000 dataset, a large collection of "
    "multi-source dermatoscopic images of common pigmented skin lesions. Scientific Data, 5, "
    "180161, 2018. doi:10.1038/sdata.2018.161",
    homepage="https://doi.org/10.7910/DVN/DBW86T",
    how_to_get="from Harvard Dataverse the table HAM10000_metadata and both archives of images, "
    "unpacked into one folder or two beside it",
)


def build(
    ctx: DatasetContext,
    *,
    classes: list[str] = ["nv", "mel"],  # noqa: B006 - an option's default, never changed
    positive: str = "",
) -> Dataset:
    """Two ``classes`` make a binary task, ``mel`` positive unless ``positive`` says otherwise; more
    a multiclass one. Folders may be in any case. Raises :class:`zoo.DataError`."""
    root = folders.required_root(NAME, ctx.root, _WANTED)
    task = _task(classes, positive)
    here = [split for split in folders.SPLITS if (root / split).is_dir()]
    notes: dict[str, str] = {}
    splits: dict[str, Split]
    if "train" in here:
        splits = {one: folders.split_of(NAME, root, root / one, classes) for one in here}
    elif folders.class_folders(root, classes):
        splits = {"all": folders.split_of(NAME, root, root, classes)}
    else:
        splits = {"all": _from_table(root, classes, notes)}
    if splits[next(iter(splits))].groups is None:
        notes["groups"] = (
            "folders do not tell which images show one lesion; two splits may share it"
        )
    return Dataset(task, splits, _PROVENANCE, notes)


def _task(classes: Sequence[str], positive: str) -> Task:
    if len(classes) == 2:
        usual = "mel" if "mel" in classes else ""
        return Task.binary(
            classes, positive=folders.chosen_positive(NAME, classes, positive or usual)
        )
    if positive:
        raise DataError(
            f"dataset {NAME!r}: positive {positive!r}: only a task of two classes has one"
        )
    return Task.multiclass(classes)


def _from_table(root: Path, classes: Sequence[str], notes: dict[str, str]) -> FileSplit:
    path, columns = _table(root)
    files, twice = _by_stem(root)
    label_of = {name.lower(): label for label, name in enumerate(classes)}
    rows = [row for row in _rows(path) if _diagnosis(row.get(columns["diagnosis"])) in label_of]
    names = [row[columns["image"]] for row in rows]
    if not names:
        raise DataError(
            f"{str(path)!r} has no image of {' or '.join(classes)} in column "
            f"{columns['diagnosis']!r}"
        )
    missing = [name for name in names if name not in files]
    if missing:
        raise DataError(
            f"dataset {NAME!r}: {len(missing)} images of {path.name} are not below {str(root)!r}, "
            f"the first is {missing[0]!r}; put its folders of images there"
        )
    if twice:
        notes["files"] = f"{twice} images are there more than once by name; the first is taken"
    labels = [label_of[_diagnosis(row[columns["diagnosis"]])] for row in rows]
    lesion = columns.get("lesion")
    groups = None
    if lesion is not None:
        groups = [row[lesion] or name for row, name in zip(rows, names, strict=True)]
    paths = [files[name] for name in names]
    return FileSplit(paths, np.array(labels, np.int64), names, groups)


def _diagnosis(given: str | None) -> str:
    text = (given or "").strip().lower()
    return _SHORT.get(text, text)


def _table(root: Path) -> tuple[Path, dict[str, str]]:
    """The table, and the names of its columns by what they hold."""
    tables = [root / TABLE] if (root / TABLE).is_file() else sorted(root.glob("*.csv"))
    serving = {path: columns for path in tables if len(columns := _columns(path)) >= 2}
    if len(serving) == 1:
        return next(iter(serving.items()))
    if serving:
        raise DataError(
            f"dataset {NAME!r}: {', '.join(path.name for path in serving)} could each be the "
            f"table; leave one in {str(root)!r}, or call it {TABLE}"
        )
    raise DataError(
        f"dataset {NAME!r}: {str(root)!r} has no folders of classes, and no CSV file with columns "
        f"image_id and dx; give the folder of {_WANTED}"
    )


def _columns(path: Path) -> dict[str, str]:
    """Empty unless the table tells both image and diagnosis."""
    rows = _rows(path, most=1)
    there = {name.strip().lower(): name for name in (rows[0] if rows else {}) if name}
    found = {
        what: there[name]
        for what, names in _COLUMNS.items()
        for name in reversed(names)
        if name in there
    }
    return found if {"image", "diagnosis"} <= set(found) else {}


def _rows(path: Path, most: int | None = None) -> list[Mapping[str, str]]:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"table {str(path)!r} has more than {LARGEST} bytes")
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            return [row for _, row in zip(range(most), rows, strict=False)] if most else list(rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"table {str(path)!r} cannot be read ({type(error).__name__}: {error})"
        ) from error


def _by_stem(root: Path) -> tuple[dict[str, Path], int]:
    """Images below the root by name without suffix, and how many names are there again."""
    files: dict[str, Path] = {}
    found = folders.images_below(root)
    for path in found:
        files.setdefault(path.stem, path)
    return files, len(found) - len(files)
