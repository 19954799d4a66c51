"""What the label cells of a table mean: a name, several names, or columns of 0 and 1.

Shapes: N samples of a split, K classes. A split's labels are int64 (N,), uint8 (N, K) for
multilabel, or None: a test split may come without labels, as a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from zoo import Task
from zoo_basics.datasets.labelling import (
    check_learnable,
    class_task,
    in_order,
    multilabel_task,
    numbered,
)
from zoo_basics.datasets.tables import Table

Rows = Mapping[str, np.ndarray]
Labels = dict[str, np.ndarray | None]
_BITS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}


def by_name(
    table: Table, rows: Rows, column: str, positive: str, choice: str
) -> tuple[Task, Labels]:
    """One class a row. Classes are sorted by name, or by value where all are numbers."""
    cells = table.column(column)
    found: dict[str, list[str]] = {}
    for part, members in rows.items():
        names = [cells[row] for row in members]
        if part == "test" and not any(names):
            continue
        _refuse_empty(table, members, names, f"label column {column!r}")
        found[part] = names
    check_learnable("csv", {part: Counter(names) for part, names in found.items()})
    classes = in_order(name for names in found.values() for name in names)
    task = class_task("csv", classes, positive, choice)
    return task, {part: numbered(found[part], classes) if part in found else None for part in rows}


def by_separator(
    table: Table, rows: Rows, column: str, separator: str, positive: str, choice: str
) -> tuple[Task, Labels]:
    """Any number of classes a row, none where the cell is empty."""
    cells = table.column(column)
    found: dict[str, list[set[str]]] = {}
    for part, members in rows.items():
        if part == "test" and not any(cells[row] for row in members):
            continue
        found[part] = [
            {name.strip() for name in cells[row].split(separator)} - {""} for row in members
        ]
    counts = {part: Counter(n for names in sets for n in names) for part, sets in found.items()}
    check_learnable("csv", counts)
    classes = in_order(name for count in counts.values() for name in count)
    if not classes:
        raise table.wrong(f"label column {column!r} is empty in every row")
    place = {name: i for i, name in enumerate(classes)}
    labels: Labels = dict.fromkeys(rows)
    for part, sets in found.items():
        labels_NK = np.zeros((len(sets), len(classes)), np.uint8)
        for i, names in enumerate(sets):
            labels_NK[i, [place[name] for name in names]] = 1
        labels[part] = labels_NK
    return multilabel_task("csv", classes, positive, choice), labels


def by_columns(
    table: Table, rows: Rows, columns: Sequence[str], positive: str, choice: str
) -> tuple[Task, Labels]:
    """A column a class, in the order given, of 0 and 1."""
    labels: Labels = {}
    for part, members in rows.items():
        cells = [[table.column(name)[row] for row in members] for name in columns]
        if part == "test" and not any(any(column) for column in cells):
            labels[part] = None
            continue
        labels_NK = np.empty((len(members), len(columns)), np.uint8)
        for k, (name, written) in enumerate(zip(columns, cells, strict=True)):
            _refuse_empty(table, members, written, f"label column {name!r}")
            for i, cell in enumerate(written):
                if cell not in _BITS:
                    raise table.wrong(
                        f"line {table.lines[members[i]]}: {cell!r} in label column {name!r}; "
                        f"expected 0 or 1"
                    )
                labels_NK[i, k] = _BITS[cell]
        labels[part] = labels_NK
    return multilabel_task("csv", list(columns), positive, choice), labels


def _refuse_empty(table: Table, members: np.ndarray, cells: list[str], where: str) -> None:
    empty = [i for i, cell in enumerate(cells) if not cell]
    if empty:
        raise table.wrong(
            f"{where} is empty in {len(empty)} rows, the first is line "
            f"{table.lines[members[empty[0]]]}; only 'test' may be without labels, and then all "
            f"of it"
        )
