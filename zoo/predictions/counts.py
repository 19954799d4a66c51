"""Metrics of a confusion matrix, of one or of each image's, for training and evaluation alike.

Multiclass, binary and segmentation counts are int64 (K, K), rows the truth, columns the decision;
multilabel counts are (K, 2, 2), one such table a class. Segmentation counts pixels; those of the
class id 255 count for nothing.

Precision, recall and F1 are those of the positive class, where the task has one, and otherwise the
mean over the classes that occur in the truth (macro average). IoU (Jaccard index), intersection /
union, and Dice, 2 * intersection / (truth + decision), likewise, but the mean takes in the classes
that were decided and do not occur, with 0; with a positive class Dice is F1 by another name.

What cannot be computed is None, never 0: precision, recall and F1 of a class that never occurs, IoU
and Dice of one that is in neither truth nor decision. A class that occurs but is never decided has
precision 0; one that is decided and does not occur has, of regions, precision, IoU and Dice 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.predictions import rates
from zoo.predictions.averages import macro, sides
from zoo.tasks import IGNORE, MULTILABEL, SEGMENTATION, Task

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
    """The task's ``figures``, as :func:`overall` has them."""
    found = overall(task, counts)
    return {name: number(found[name]) for name in task.figures}


def overall(task: Task, counts: np.ndarray) -> dict[str, np.ndarray]:
    """(D,) by name, NaN where undefined, of counts with a last axis D, or without. Accuracy is the
    share of decisions that are right (multilabel: over all samples and classes); balanced accuracy
    the mean recall of the classes that occur (multilabel: of every class's two sides)."""
    by_class = of_classes(task, counts)
    if task.kind == MULTILABEL:
        right, total = counts[:, 0, 0] + counts[:, 1, 1], counts.sum((0, 1, 2))
        both = [by_class["recall"], by_class["specificity"]]
        figures = {
            "accuracy": rates.ratio(right.sum(0), total),
            "balanced_accuracy": rates.mean(np.concatenate(both)),
        }
    else:
        right = np.einsum("kk...->...", counts)
        figures = {
            "accuracy": rates.ratio(right, counts.sum((0, 1))),
            "balanced_accuracy": rates.mean(by_class["recall"]),
        }
    for name in by_class:
        if name != "support" and task.positive is not None:
            figures[name] = by_class[name][task.positive_index]
        elif name != "support":
            figures[name] = macro(by_class, name)
    return figures


def per_class(task: Task, counts: np.ndarray) -> list[dict[str, Any]]:
    """For each class: name, support (how often it occurs), precision, recall, specificity, f1; iou
    and dice for segmentation."""
    return rows(task, of_classes(task, counts))


def rows(task: Task, by_class: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """A row for each class, of (K,) by name, ``support`` among them."""
    supports = by_class["support"]
    return [
        {
            "class": name,
            "support": int(supports[k]),
            **{one: number(values[k]) for one, values in by_class.items() if one != "support"},
        }
        for k, name in enumerate(task.classes)
    ]


def of_images(task: Task, counts: np.ndarray) -> dict[str, np.ndarray]:
    """What :func:`overall` gives of each image's own counts, int64 (N, K, K), for segmentation:
    float64 (N,) by name, NaN where it is undefined, as Dice of an image without the positive class
    in which none was found."""
    return overall(task, np.moveaxis(counts, 0, -1))


def of_classes(task: Task, counts: np.ndarray) -> dict[str, np.ndarray]:
    """(K, D) by name, ``support`` first."""
    hits, decided, support, total = sides(task, counts)
    return {"support": support, **of_sides(task, hits, decided, support, total)}


def of_sides(
    task: Task, hits: np.ndarray, decided: np.ndarray, support: np.ndarray, total: np.ndarray
) -> dict[str, np.ndarray]:
    """Precision, recall, specificity and F1, and of regions IoU and Dice, by name, elementwise."""
    figures = {
        "precision": rates.precision(hits, decided, support),
        "recall": rates.recall(hits, support),
        "specificity": rates.specificity(hits, decided, support, total),
        "f1": rates.f1(hits, decided, support),
    }
    if task.kind == SEGMENTATION:
        return figures | {"iou": rates.iou(hits, decided, support), "dice": figures["f1"]}
    for name in ("precision", "f1"):
        figures[name] = np.where(support > 0, figures[name], np.nan)
    return figures


def number(value: Any) -> Number:
    """None for what is undefined."""
    return None if np.isnan(value) else float(value)
