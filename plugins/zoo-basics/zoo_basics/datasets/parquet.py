"""Images and labels in parquet tables, in the form of Hugging Face's data sets.

Shapes: N samples, K classes.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np

from zoo import DataError, Dataset, DatasetContext, Task
from zoo_basics.datasets.labelling import (
    NO_NAMES,
    TaskChoice,
    check_learnable,
    class_task,
    in_order,
    numbered,
    numbered_task,
)
from zoo_basics.datasets.parquet_split import ParquetSplit, Shard, open_shard
from zoo_basics.datasets.places import OWN_FILES, folder_inside, root_folder, split_named

_LAYOUT = "parquet"
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})")


def build(
    ctx: DatasetContext,
    *,
    folder: str = "",
    image: str = "image",
    label: str = "label",
    group: str = "",
    classes: list[str] = NO_NAMES,
    positive: str = "",
    task: TaskChoice = "auto",
) -> Dataset:
    """Files ``{train,validation,test}-*.parquet`` in ``folder`` (default: the root, or its
    ``data``); files of other names are together the split ``all``.

    ``image``: a column of encoded images, as bytes or as Hugging Face's struct with ``bytes``.
    ``label``: a column of class numbers, whose names are in the files' metadata or given as
    ``classes``, or of names. Labels that are missing, or -1, in all of ``test`` leave it without.
    ``group``: a column of names or numbers. Images are read when they are asked for, a row group at
    a time. Needs pyarrow. Raises :class:`zoo.DataError` naming the file that is wrong.
    """
    root = root_folder(_LAYOUT, ctx.root, "its parquet files")
    files = _files(_folder(root, folder))
    shards = {
        part: [open_shard(path, image, label, group) for path in paths]
        for part, paths in files.items()
    }
    every = [shard for found in shards.values() for shard in found]
    _refuse_differing(every)
    cells = {part: [cell for one in found for cell in one.labels] for part, found in shards.items()}
    if every[0].label_kind == "names":
        made, labels = _named(cells, classes, positive, task)
    else:
        made, labels = _numbered(cells, classes or list(every[0].classes), positive, task)
    splits = {}
    for part, found in shards.items():
        count = sum(one.rows for one in found)
        ids = [f"{part}-{i:05d}" for i in range(count)]
        groups = [name for one in found for name in one.groups] if group else None
        splits[part] = ParquetSplit(found, image, labels[part], ids, groups)
    return Dataset(made, splits, OWN_FILES)


def _folder(root: Path, folder: str) -> Path:
    if folder:
        return folder_inside(_LAYOUT, root, "folder", folder)
    if not any(root.glob("*.parquet")) and any(root.glob("data/*.parquet")):
        return root / "data"
    return root


def _files(folder: Path) -> dict[str, list[Path]]:
    """The files of each split, in the order of their names."""
    paths = sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))
    if not paths:
        raise DataError(
            f"dataset {_LAYOUT!r}: no .parquet files in {str(folder)!r}; put them there, or set "
            f"dataset.folder"
        )
    found: dict[str, list[Path]] = {}
    for path in paths:
        part = split_named(re.split(r"[-_.]", path.name)[0])
        found.setdefault(part or "all", []).append(path)
    if "all" in found and len(found) > 1:
        raise DataError(
            f"dataset {_LAYOUT!r}: {found['all'][0].name!r} lies beside files of splits; expected "
            f"names like 'train-00000-of-00001.parquet'; rename it, or move it away"
        )
    if not {"train", "all"} & set(found):
        raise DataError(
            f"dataset {_LAYOUT!r}: {str(folder)!r} has files of {', '.join(found)} and none of "
            f"'train'; add 'train-*.parquet'"
        )
    for part, members in found.items():
        _refuse_incomplete(part, members)
    return {part: found[part] for part in ("all", "train", "val", "test") if part in found}


def _refuse_incomplete(part: str, paths: list[Path]) -> None:
    """Files that number themselves (``-00000-of-00002``) must all be there."""
    numbered_files = [match for path in paths if (match := _SHARD.search(path.name))]
    wanted = {int(match[2]) for match in numbered_files}
    there = [int(match[1]) for match in numbered_files]
    for count in wanted:
        if sorted(there) != list(range(count)):
            raise DataError(
                f"dataset {_LAYOUT!r}: the files of {part!r} are numbered "
                f"{', '.join(str(number) for number in sorted(there))} of {count}; expected each "
                f"of 0 to {count - 1} once; get the missing ones"
            )


def _refuse_differing(shards: list[Shard]) -> None:
    first = shards[0]
    for shard in shards[1:]:
        if (shard.label_kind, shard.classes) != (first.label_kind, first.classes):
            raise DataError(
                f"parquet files {first.path.name!r} and {shard.path.name!r} have labels of "
                f"different kinds or classes; get both from one place"
            )


def _named(
    cells: dict[str, list[object]], classes: list[str], positive: str, choice: str
) -> tuple[Task, dict[str, np.ndarray | None]]:
    found: dict[str, list[str]] = {}
    for part, values in cells.items():
        missing = values.count(None)
        if part == "test" and missing == len(values):
            continue
        _refuse_missing(part, missing)
        found[part] = [str(value) for value in values]
    check_learnable(_LAYOUT, {part: Counter(names) for part, names in found.items()})
    seen = in_order(name for names in found.values() for name in names)
    unknown = [name for name in seen if classes and name not in classes]
    if unknown:
        raise DataError(
            f"dataset {_LAYOUT!r}: label {unknown[0]!r} is not in dataset.classes; add it there"
        )
    order = list(classes) or seen
    labels = {part: numbered(found[part], order) if part in found else None for part in cells}
    return class_task(_LAYOUT, order, positive, choice), labels


def _numbered(
    cells: dict[str, list[object]], classes: list[str], positive: str, choice: str
) -> tuple[Task, dict[str, np.ndarray | None]]:
    labels: dict[str, np.ndarray | None] = {}
    for part, values in cells.items():
        missing = values.count(None) + values.count(-1)
        if part == "test" and missing == len(values):
            labels[part] = None
            continue
        _refuse_missing(part, missing)
        try:
            labels[part] = np.asarray(values, dtype=np.int64)
        except OverflowError as error:
            raise DataError(
                f"dataset {_LAYOUT!r}: labels of {part!r} are no class numbers ({error})"
            ) from error
    return numbered_task(_LAYOUT, labels, classes, positive, choice), labels


def _refuse_missing(part: str, missing: int) -> None:
    if missing:
        raise DataError(
            f"dataset {_LAYOUT!r}: {missing} samples of {part!r} have no label; only 'test' may be "
            f"without labels, and then all of it"
        )
