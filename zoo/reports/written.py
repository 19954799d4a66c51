"""Figures from a file, where the predictions that they were computed from are not at hand.

A version's figures are a stranger's, and of an earlier zoo some are missing: what has not the form
of :func:`zoo.predictions.metrics.evaluate` is left out, so that all others may rely on it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from zoo.reports.wording import is_number
from zoo.tasks import MULTILABEL, Task

_COUNT = 1 << 53
_NO_NUMBERS = {
    "samples", "support", "confusion", "averages", "per_class", "per_image", "per_image_by_class",
    "curves", "own_size", "intervals",
}  # fmt: skip
_TABLES = ("macro", "micro", "weighted")
_ROC, _RECALL = ("fpr", "tpr"), ("recall", "precision")


def checked(given: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """What of ``given`` can be relied on; empty where that is nothing."""
    found: dict[str, Any] = _numbers(given)
    if isinstance(given.get("own_size"), Mapping):
        found["own_size"] = checked({**given["own_size"], "own_size": 0}, task)
    samples = given.get("samples")
    if _is_count(samples):
        found["samples"] = samples
    if _is_table(given.get("confusion"), task):
        found["confusion"] = given["confusion"]
    averages = given.get("averages")
    if isinstance(averages, Mapping):
        found["averages"] = {
            kind: _numbers(averages[kind])
            for kind in _TABLES
            if isinstance(averages.get(kind), Mapping)
        }
    for name in ("per_class", "per_image_by_class"):
        rows = _rows(given.get(name), task)
        if rows is not None:
            found[name] = rows
    if isinstance(given.get("per_image"), Mapping):
        found["per_image"] = _numbers(given["per_image"])
    curves = given.get("curves")
    if isinstance(curves, Mapping):
        found["curves"] = _curves(curves, task)
    return found


def _numbers(given: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        name: value
        for name, value in given.items()
        if name not in _NO_NUMBERS and (value is None or is_number(value))
    }


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < _COUNT


def _is_table(table: object, task: Task) -> bool:
    classes = len(task.classes)
    if not isinstance(table, list) or len(table) != classes:
        return False
    inner = (2, 2) if task.kind == MULTILABEL else (classes,)
    return all(_is_counts(row, inner) for row in table)


def _is_counts(row: object, shape: tuple[int, ...]) -> bool:
    if not isinstance(row, list) or len(row) != shape[0]:
        return False
    if len(shape) > 1:
        return all(_is_counts(one, shape[1:]) for one in row)
    return all(map(_is_count, row))


def _rows(rows: object, task: Task) -> list[dict[str, Any]] | None:
    if not isinstance(rows, list) or len(rows) != len(task.classes):
        return None
    if not all(isinstance(row, Mapping) for row in rows):
        return None
    return [
        {
            "class": name,
            **_numbers(row),
            "support": row["support"] if _is_count(row.get("support")) else None,
        }
        for name, row in zip(task.classes, rows, strict=True)
    ]


def _curves(curves: Mapping[str, Any], task: Task) -> dict[str, Any]:
    found: dict[str, Any] = {"per_class": []}
    rows = curves.get("per_class")
    if isinstance(rows, list) and len(rows) == len(task.classes):
        found["per_class"] = [
            {"class": name, **_both(row)} for name, row in zip(task.classes, rows, strict=True)
        ]
    if isinstance(curves.get("micro"), Mapping):
        found["micro"] = _both(curves["micro"])
    return found


def _both(row: object) -> dict[str, Any]:
    given = row if isinstance(row, Mapping) else {}
    return {
        "roc": _curve(given.get("roc"), _ROC),
        "precision_recall": _curve(given.get("precision_recall"), _RECALL),
    }


def _curve(curve: object, names: tuple[str, str]) -> dict[str, list[float]] | None:
    if not isinstance(curve, Mapping):
        return None
    columns = [curve.get(name) for name in names]
    if not all(isinstance(one, list) and one and all(map(_is_share, one)) for one in columns):
        return None
    across, up = columns
    assert isinstance(across, list) and isinstance(up, list)
    rising = all(a <= b for a, b in itertools.pairwise(across))
    return (
        dict(zip(names, (across, up), strict=True)) if len(across) == len(up) and rising else None
    )


def _is_share(value: object) -> bool:
    return is_number(value) and 0 <= value <= 1  # type: ignore[operator]
