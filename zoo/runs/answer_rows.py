"""What is said of an image as a line of text: CSV, JSON, or the table that a competition wants.

Shapes: K classes.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from zoo.errors import DataError, clipped, nearest
from zoo.tasks import MULTILABEL, SEGMENTATION, Task

CSV, JSON, KAGGLE, MASKS = "csv", "json", "kaggle", "masks"
FORMATS = (CSV, JSON, KAGGLE, MASKS)
CLASS, INDEX, PROBABILITY = "class", "index", "probability"
VALUES = (CLASS, INDEX, PROBABILITY)
_SUFFIXES = {".csv": CSV, ".json": JSON, ".jsonl": JSON, ".ndjson": JSON}
_BETWEEN = "|"  # the names in a cell of several classes
_SPACE = " "  # as competitions have them


class Rows(Protocol):
    """``head``: the first line, "" where there is none. Lines end with a newline."""

    head: str

    def line(self, id_: str, decided: Any, probabilities: np.ndarray) -> str: ...


@dataclass(frozen=True)
class Submission:
    """The columns a competition wants, and what stands in them. None: as :func:`rows_for` says."""

    id_column: str | None = None
    label_column: str | None = None
    values: str | None = None


def format_for(task: Task, named: str | None, suffix: str) -> str:
    """The format that is named, else the one that fits the output's suffix. Raises
    :class:`DataError` for one that does not fit the task, and for a suffix of no format."""
    if named is not None and named not in FORMATS:
        raise DataError(
            f"format {named!r}{nearest(named, FORMATS)}; expected one of {', '.join(FORMATS)}"
        )
    masks = task.kind == SEGMENTATION
    if named is not None and (named == MASKS) != masks:
        raise DataError(
            f"format {named!r}: the model's task is {task.kind}; expected "
            f"{MASKS if masks else ', '.join(FORMATS[:-1])}"
        )
    if named is not None:
        return named
    found = _SUFFIXES.get(suffix.lower())
    if masks and found is not None:
        raise DataError(
            f"output that ends in {suffix!r}: masks are written to a folder; give its name"
        )
    if suffix and found is None and not masks:
        raise DataError(
            f"output that ends in {clipped(suffix)!r}: expected one of {', '.join(_SUFFIXES)}, or "
            f"its --format"
        )
    return MASKS if masks else found or CSV


def rows_for(task: Task, format_: str, submission: Submission) -> Rows:
    """``submission``: only for :data:`KAGGLE`; the id stands in ``id``, the label in ``label``, and
    is the class's name, unless it says otherwise. Raises :class:`DataError` where a table cannot be
    written so that it is read again."""
    if format_ == KAGGLE:
        return _submission(task, submission)
    for name, given in vars(submission).items():
        if given is not None:
            raise DataError(f"{name.replace('_', ' ')} {given!r}: only for the format {KAGGLE!r}")
    return JsonRows(task) if format_ == JSON else CsvRows(task)


class CsvRows:
    """The id, what was decided, and a column ``p_<class>`` for each class's probability."""

    def __init__(self, task: Task) -> None:
        self._several = task.kind == MULTILABEL
        if self._several:
            _check_joined(task, _BETWEEN, f"choose the format {JSON!r}")
        decided = "classes" if self._several else "class"
        self.head = _line(["id", decided, *(f"p_{name}" for name in task.classes)])

    def line(self, id_: str, decided: Any, probabilities: np.ndarray) -> str:
        cell = _BETWEEN.join(decided) if self._several else decided
        return _line([id_, cell, *map(repr, _numbers(probabilities))])


class JsonRows:
    """An object a line: ``id``, ``class`` (or the list ``classes``), ``probabilities`` by class."""

    head = ""

    def __init__(self, task: Task) -> None:
        self._names = task.classes
        self._decided = "classes" if task.kind == MULTILABEL else "class"

    def line(self, id_: str, decided: Any, probabilities: np.ndarray) -> str:
        by_class = dict(zip(self._names, _numbers(probabilities), strict=True))
        row = {"id": id_, self._decided: decided, "probabilities": by_class}
        return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


class LabelRows:
    """Two columns; several classes stand in one cell, with spaces between."""

    def __init__(self, task: Task, columns: Sequence[str], values: str) -> None:
        names = task.classes
        if values == CLASS and task.kind == MULTILABEL:
            _check_joined(task, _SPACE, f"choose --values {INDEX}")
        self._written = {
            name: name if values == CLASS else str(number) for number, name in enumerate(names)
        }
        self.head = _line(columns)

    def line(self, id_: str, decided: Any, probabilities: np.ndarray) -> str:
        several = [decided] if isinstance(decided, str) else decided
        return _line([id_, _SPACE.join(self._written[name] for name in several)])


class ProbabilityRows:
    """The id, and the probabilities of the classes that have those places."""

    def __init__(self, columns: Sequence[str], places: Sequence[int]) -> None:
        self._places = list(places)
        self.head = _line(columns)

    def line(self, id_: str, decided: Any, probabilities: np.ndarray) -> str:
        return _line([id_, *map(repr, _numbers(probabilities[self._places]))])


def _submission(task: Task, given: Submission) -> Rows:
    values = CLASS if given.values is None else given.values
    if values not in VALUES:
        raise DataError(
            f"values {values!r}{nearest(values, VALUES)}; expected one of {', '.join(VALUES)}"
        )
    id_column = "id" if given.id_column is None else given.id_column
    label_column = "label" if given.label_column is None else given.label_column
    columns, places = [id_column, label_column], []
    if values == PROBABILITY and task.positive is not None:
        places = [task.positive_index]
    elif values == PROBABILITY:
        if given.label_column is not None:
            raise DataError(
                f"label column {given.label_column!r}: a {task.kind} model's probabilities have "
                f"a column for each class, by its name; leave it out"
            )
        columns, places = [id_column, *task.classes], list(range(len(task.classes)))
    for name, times in Counter(columns).items():
        if times > 1 or not name:
            raise DataError(
                f"column {name!r}: expected names that differ and are not empty; choose another "
                f"id column"
            )
    if values == PROBABILITY:
        return ProbabilityRows(columns, places)
    return LabelRows(task, columns, values)


def _check_joined(task: Task, between: str, instead: str) -> None:
    for name in task.classes:
        if between in name:
            raise DataError(
                f"class {name!r} holds the {between!r} that would stand between classes in a cell; "
                f"{instead}"
            )


def _numbers(probabilities: np.ndarray) -> list[float]:
    """With the nine digits that tell any two float32 apart."""
    return [float(f"{one:.9g}") for one in probabilities.tolist()]


def _line(cells: Iterable[str]) -> str:
    stream = io.StringIO()
    # Only what ends a line is quoted, so a cell with a lone "\r" needs it to be among that.
    csv.writer(stream, lineterminator="\r\n").writerow(cells)
    return stream.getvalue().removesuffix("\r\n") + "\n"
