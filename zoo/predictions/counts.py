"""Metrics of a confusion matrix: the one place that says what accuracy, precision and F1 are.

Multiclass, binary and segmentation counts are int64 (K, K), rows the truth, columns the decision;
multilabel counts are (K, 2, 2), one such table a class. Segmentation counts pixels; those of the
class id 255 count for nothing.

Precision, recall and F1 are those of the positive class, where the task has one, and otherwise the
mean over the classes that occur in the truth (macro average). IoU (Jaccard index), intersection /
union, and Dice, 2 * intersection / (truth + decision), likewise, but the mean takes in the classes
that were decided and do not occur, with 0; with a positive class Dice is F1 by another name.

What cannot be computed is None, never 0: recall of a class that never occurs, IoU and Dice of one
that is in neither truth nor decision. A class that occurs but is never decided has precision 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.data.decoding import IGNORE
from zoo.tasks import MULTILABEL, SEGMENTATION, Task

Number = float | None


def headline(task: Task) -> str:
    """The figure that stands for all where there is room for one."""
    return "dice" if task.kind == SEGMENTATION else "accuracy"


def count(task: Task, labels: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Counts of labels and decisions, both integers (N,), (N, K) for multilabel, or of any shape
    for segmentation."""
    classes = len(task.classes)
    labels, decisions = labels.astype(np.int64), decisions.astype(np.int64)
    if task.kind == MULTILABEL:
        cells = np.arange(classes) * 4 + labels * 2 + decisions
        return np.bincount(cells.reshape(-1), minlength=4 * classes).reshape(classes, 2, 2)
    cells = (labels * classes + decisions).reshape(-1)
    if task.kind == SEGMENTATION:
        cells = cells[labels.reshape(-1) != IGNORE]
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def metrics(task: Task, counts: np.ndarray) -> dict[str, Number]:
    """The task's ``figures``. Accuracy is the share of decisions that are right (multilabel: over
    all samples and classes); balanced accuracy the mean recall of the classes that occur
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
    if task.positive is not None:
        chosen = regions = [by_class[task.positive_index]]
    else:
        chosen, regions = [row for row in by_class if row["support"]], by_class
    figures = {"accuracy": _ratio(right, total), "balanced_accuracy": balanced}
    for name in task.figures:
        if name not in figures:
            rows = regions if name in ("iou", "dice") else chosen
            figures[name] = _mean(row[name] for row in rows)
    return figures


def per_class(task: Task, counts: np.ndarray) -> list[dict[str, Any]]:
    """For each class: name, support (how often it occurs), precision, recall, f1; iou and dice for
    segmentation."""
    if task.kind == MULTILABEL:
        hits, supports, decisions = counts[:, 1, 1], counts[:, 1].sum(1), counts[:, :, 1].sum(1)
    else:
        hits, supports, decisions = counts.diagonal(), counts.sum(1), counts.sum(0)
    rows = []
    for name, hit, support, decided in zip(
        task.classes, hits.tolist(), supports.tolist(), decisions.tolist(), strict=True
    ):
        precision, f1 = _ratio(hit, decided), _ratio(2 * hit, support + decided)
        row = {
            "class": name,
            "support": support,
            "precision": 0.0 if precision is None and support else precision,
            "recall": _ratio(hit, support),
            "f1": f1,
        }
        if task.kind == SEGMENTATION:
            row |= {"iou": _ratio(hit, support + decided - hit), "dice": f1}
        rows.append(row)
    return rows


def of_images(task: Task, counts: np.ndarray) -> dict[str, np.ndarray]:
    """What :func:`metrics` gives of each image's own counts, int64 (N, K, K), for segmentation:
    float64 (N,) by name, NaN where it is undefined, as Dice of an image without the positive class
    in which none was found."""
    hits, supports = counts.diagonal(axis1=1, axis2=2), counts.sum(2)
    decisions, occurs = counts.sum(1), supports > 0
    precision = _ratios(hits, decisions)
    precision[occurs & (decisions == 0)] = 0.0
    recall, f1 = _ratios(hits, supports), _ratios(2 * hits, supports + decisions)
    by_class = {
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "iou": _ratios(hits, supports + decisions - hits),
        "dice": f1,
    }
    figures = {
        "accuracy": _ratios(hits.sum(1), supports.sum(1)),
        "balanced_accuracy": _row_means(recall),
    }
    for name, values in by_class.items():
        if task.positive is not None:
            figures[name] = values[:, task.positive_index]
        elif name in ("iou", "dice"):
            figures[name] = _row_means(values)
        else:
            figures[name] = _row_means(np.where(occurs, values, np.nan))
    return {name: figures[name] for name in task.figures}


def mean_over_images(figures: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The mean of each of the figures that :func:`of_images` gives, over the images where it is
    defined; ``images``, how many these are, by name; ``undefined``, the number of images without
    Dice and IoU."""
    known = {name: values[~np.isnan(values)] for name, values in figures.items()}
    means = {name: float(values.mean()) if len(values) else None for name, values in known.items()}
    images = {name: len(values) for name, values in known.items()}
    undefined = len(figures["dice"]) - images["dice"]
    return {**means, "images": images, "undefined": undefined}


def _ratios(parts: np.ndarray, wholes: np.ndarray) -> np.ndarray:
    found = np.full(parts.shape, np.nan)
    np.divide(parts, wholes, out=found, where=wholes > 0)
    return found


def _row_means(values: np.ndarray) -> np.ndarray:
    """(N, K) -> (N,), of what is not NaN."""
    known = ~np.isnan(values)
    return _ratios(np.where(known, values, 0.0).sum(1), known.sum(1))


def _ratio(part: int, whole: int) -> Number:
    return part / whole if whole else None


def _mean(values: Any) -> Number:
    known: Sequence[float] = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
