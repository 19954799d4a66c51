"""Metrics of a confusion matrix: the one place that says what accuracy, precision and F1 are.

Multiclass, binary and segmentation counts are int64 (K, K), rows the truth, columns the decision;
multilabel counts are (K, 2, 2), one such table a class. Precision, recall and F1 are those of the
positive class for a binary task, and otherwise the mean over the classes that occur in the truth
(macro average). What cannot be computed is None, never 0: recall of a class that never occurs. A
class that occurs but is never decided has precision 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.tasks import BINARY, MULTILABEL, Task

Number = float | None
NAMES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")


def count(task: Task, labels: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Counts of labels and decisions, both int (N,), or (N, K) for multilabel."""
    classes = len(task.classes)
    if task.kind == MULTILABEL:
        cells = np.arange(classes) * 4 + labels * 2 + decisions
        return np.bincount(cells.reshape(-1), minlength=4 * classes).reshape(classes, 2, 2)
    cells = labels.reshape(-1) * classes + decisions.reshape(-1)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def metrics(task: Task, counts: np.ndarray) -> dict[str, Number]:
    """The figures of :data:`NAMES`. Accuracy is the share of decisions that are right (multilabel:
    over all samples and classes); balanced accuracy the mean recall of the classes that occur
    (multilabel: of every class's two sides)."""
    by_class = per_class(task, counts)
    total = int(counts.sum())
    if task.kind == MULTILABEL:
        right = int(counts[:, 0, 0].sum() + counts[:, 1, 1].sum())
        sides = counts.reshape(-1, 2)
        balanced = _mean(_ratio(int(side[i % 2]), int(side.sum())) for i, side in enumerate(sides))
    else:
        right = int(np.trace(counts))
        balanced = _mean(row["recall"] for row in by_class)
    if task.kind == BINARY:
        chosen = [by_class[task.positive_index]]
    else:
        chosen = [row for row in by_class if row["support"]]
    return {
        "accuracy": _ratio(right, total),
        "balanced_accuracy": balanced,
        **{name: _mean(row[name] for row in chosen) for name in NAMES[2:]},
    }


def per_class(task: Task, counts: np.ndarray) -> list[dict[str, Any]]:
    """For each class: name, support (how often it occurs), precision, recall, f1."""
    if task.kind == MULTILABEL:
        hits, supports, decisions = counts[:, 1, 1], counts[:, 1].sum(1), counts[:, :, 1].sum(1)
    else:
        hits, supports, decisions = counts.diagonal(), counts.sum(1), counts.sum(0)
    rows = []
    for name, hit, support, decided in zip(
        task.classes, hits.tolist(), supports.tolist(), decisions.tolist(), strict=True
    ):
        precision = _ratio(hit, decided)
        rows.append(
            {
                "class": name,
                "support": support,
                "precision": 0.0 if precision is None and support else precision,
                "recall": _ratio(hit, support),
                "f1": _ratio(2 * hit, support + decided),
            }
        )
    return rows


def _ratio(part: int, whole: int) -> Number:
    return part / whole if whole else None


def _mean(values: Any) -> Number:
    known: Sequence[float] = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
