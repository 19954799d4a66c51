"""Images listed in a table, with their labels, and splits and groups where it has them.

Shapes: N samples, K classes.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from zoo import DataError, Dataset, DatasetContext, FileSplit, Task
from zoo_basics.datasets import table_labels
from zoo_basics.datasets.labelling import NO_NAMES, TaskChoice
from zoo_basics.datasets.places import (
    OWN_FILES,
    contained,
    file_inside,
    folder_inside,
    root_folder,
    split_named,
)
from zoo_basics.datasets.tables import Table, read_table

_LAYOUT = "csv"


def build(
    ctx: DatasetContext,
    *,
    table: str = "labels.csv",
    path: str = "path",
    label: str = "label",
    labels: list[str] = NO_NAMES,
    separator: str = "",
    split: str = "",
    group: str = "",
    positive: str = "",
    images: str = "",
    suffix: str = "",
    task: TaskChoice = "auto",
) -> Dataset:
    """``table`` (.csv or .tsv with a header, UTF-8) lies in the root, its ``path``s too.

    ``path``, ``label``, ``split``, ``group``: names of columns. Multilabel: ``labels``, columns of
    0 and 1, or ``separator``, which parts the names in ``label``. ``images``: the folder that paths
    start from; ``suffix``: added to each path, for tables of names without one. Labels may be
    missing in ``test``, in all of it. Raises :class:`zoo.DataError` with the line that is wrong;
    no path may lead out of the root.
    """
    root = root_folder(_LAYOUT, ctx.root, "its table and images")
    if labels and separator:
        raise DataError(
            f"dataset {_LAYOUT!r}: labels {labels!r} and separator {separator!r}: labels stand "
            f"either in several columns or in one; leave one of the two out"
        )
    wanted = [("path", path)]
    wanted += [("labels", name) for name in labels] if labels else [("label", label)]
    wanted += [(option, name) for option, name in (("split", split), ("group", group)) if name]
    read = read_table(file_inside(_LAYOUT, root, "table", table), table, wanted)
    prefix = _prefix(root, images)
    ids = _ids(read, read.column(path), prefix, suffix)
    _refuse_missing(read, root, ids)
    rows = _rows_of_splits(read, read.column(split) if split else None)
    made: Task
    if labels:
        made, labels_by_split = table_labels.by_columns(read, rows, labels, positive, task)
    elif separator:
        made, labels_by_split = table_labels.by_separator(
            read, rows, label, separator, positive, task
        )
    else:
        made, labels_by_split = table_labels.by_name(read, rows, label, positive, task)
    groups = _groups(read, group) if group else None
    splits = {
        name: FileSplit(
            [root / ids[row] for row in members],
            labels_by_split[name],
            [ids[row] for row in members],
            None if groups is None else [groups[row] for row in members],
        )
        for name, members in rows.items()
    }
    return Dataset(made, splits, OWN_FILES)


def _prefix(root: Path, images: str) -> str:
    """The folder of the images relative to the root, "" for the root itself."""
    if not images:
        return ""
    relative = folder_inside(_LAYOUT, root, "images", images).relative_to(root).as_posix()
    return "" if relative == "." else f"{relative}/"


def _ids(table: Table, paths: list[str], prefix: str, suffix: str) -> list[str]:
    """Each row's path relative to the root, which is its id."""
    ids = []
    lines: dict[str, int] = {}
    for line, path in zip(table.lines, paths, strict=True):
        relative = contained(path + suffix) if path else None
        if relative is None:
            what = "it is empty" if not path else "it leads out of the folder"
            raise table.wrong(f"line {line}: path {path!r}: {what}; expected one below the root")
        identity = f"{prefix}{relative}"
        if identity in lines:
            raise table.wrong(
                f"path {path!r} stands in line {lines[identity]} and in line {line}; each image "
                f"may stand once"
            )
        lines[identity] = line
        ids.append(identity)
    return ids


def _refuse_missing(table: Table, root: Path, ids: list[str]) -> None:
    missing = [row for row, one in enumerate(ids) if not (root / one).is_file()]
    if missing:
        first = missing[0]
        raise table.wrong(
            f"{len(missing)} of {len(ids)} images are not in {str(root)!r}; the first is "
            f"{ids[first]!r} of line {table.lines[first]}; set dataset.images to the folder that "
            f"paths start from, dataset.suffix to what names lack"
        )


def _rows_of_splits(table: Table, written: list[str] | None) -> dict[str, np.ndarray]:
    """int64 row numbers of each split; all of them are ``all`` where no column says more."""
    if written is None:
        return {"all": np.arange(len(table))}
    names = []
    for line, one in zip(table.lines, written, strict=True):
        name = split_named(one)
        if name is None:
            raise table.wrong(f"line {line}: split {one!r}: expected 'train', 'val' or 'test'")
        names.append(name)
    if "train" not in names:
        raise table.wrong(
            f"its splits are {', '.join(sorted(Counter(names)))}; expected rows of 'train'"
        )
    order = np.asarray(names)
    return {
        name: np.flatnonzero(order == name) for name in ("train", "val", "test") if name in names
    }


def _groups(table: Table, column: str) -> list[str]:
    groups = table.column(column)
    for line, group in zip(table.lines, groups, strict=True):
        if not group:
            raise table.wrong(f"line {line}: group column {column!r} is empty; name each one")
    return groups
