"""Every figure that is computed from a predictions file, without the model, as JSON holds it.

docs/metrics.md defines them. A figure that cannot be computed is None ("undefined"), never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.errors import PredictionsError
from zoo.predictions.averages import MICRO
from zoo.predictions.classification import Classification
from zoo.predictions.counts import number, rows
from zoo.predictions.curves import Points
from zoo.predictions.file import Predictions
from zoo.predictions.intervals import Plan, intervals
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.segmentation import MaskFigures, Means, Segmentation
from zoo.tasks import BINARY, MULTILABEL, Task

ORDER = (
    "dice", "iou", "accuracy", "exact_match", "balanced_accuracy", "precision", "recall",
    "specificity", "f1", "auroc", "average_precision", "mcc", "kappa", "log_loss", "brier", "ece",
    "hd95",
)  # fmt: skip
_CURVES = 20  # classes up to which each has its curves


def evaluate(
    predictions: Predictions | MaskPredictions, plan: Plan | None = None
) -> dict[str, Any]:
    """``samples``; the overall figures; ``averages`` over the classes; the ``confusion`` matrix; a
    row a class (``per_class``). Of classes, ``curves``; of masks, where the figures are of the
    network's grid and all pixels pooled, ``per_image``, the means over images, and
    ``per_image_by_class``, and ``own_size``: all that again on each image's own grid, absent where
    the file does not have that, and ``unseen``, the share of labelled pixels that preprocessing cut
    off, which count for nothing. With a ``plan``, ``intervals`` (``zoo.predictions.intervals``)."""
    where = f"split {predictions.split!r} of {predictions.dataset!r}"
    if len(predictions) == 0:
        raise PredictionsError(f"{where} is empty")
    if not predictions.labelled:
        raise PredictionsError(f"{where} has no labels to measure against")
    if isinstance(predictions, MaskPredictions):
        return {"samples": len(predictions), **_of_masks(predictions, plan)}
    if not np.isfinite(predictions.probabilities).all():
        raise PredictionsError(
            f"{where}: some outputs of the network are not finite; its training diverged: train "
            f"again with a lower optimizer.lr"
        )
    return {"samples": len(predictions), **_of_classes(predictions, plan)}


def _of_classes(predictions: Predictions, plan: Plan | None) -> dict[str, Any]:
    task, measured = predictions.task, Classification.of(predictions)
    figures = measured.figures()
    found = {
        **_numbers(figures.overall),
        "averages": {kind: _numbers(table) for kind, table in figures.averages.items()},
        "confusion": figures.counts.astype(np.int64).tolist(),
        "per_class": rows(task, _in_order(figures.by_class)),
        "curves": _curves(predictions),
    }
    if plan is not None:
        found["intervals"] = intervals(predictions, measured, plan)
    return found


def _curves(predictions: Predictions) -> dict[str, Any]:
    """``per_class``, of few classes, and ``micro``, of more than one probability a sample."""
    assert predictions.targets is not None
    task, targets, scores = predictions.task, predictions.targets, predictions.probabilities
    classes = np.arange(len(task.classes))
    truth = targets if task.kind == MULTILABEL else targets[:, None] == classes
    curves: dict[str, Any] = {"per_class": []}
    if len(classes) <= _CURVES:
        curves["per_class"] = [
            {"class": task.classes[k], **_curve(truth[:, k], scores[:, k])} for k in classes
        ]
    if task.kind != BINARY:
        curves[MICRO] = _curve(truth.reshape(-1), scores.reshape(-1))
    return curves


def _curve(truth: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    points = Points.of(truth, scores)
    return {"roc": points.roc(), "precision_recall": points.precision_recall()}


def _of_masks(predictions: MaskPredictions, plan: Plan | None) -> dict[str, Any]:
    task = predictions.task
    network, own = Segmentation.of(predictions)
    found = _of_grid(task, network.figures())
    if own is not None:
        figures = own.figures()
        found["own_size"] = {**_of_grid(task, figures), "unseen": number(figures.unseen)}
    if plan is not None:
        found["intervals"] = intervals(predictions, network, plan)
        if own is not None:
            found["own_size"]["intervals"] = intervals(predictions, own, plan)
    return found


def _of_grid(task: Task, figures: MaskFigures) -> dict[str, Any]:
    by_class = figures.per_image_by_class
    images = {name: values.tolist() for name, values in by_class.images.items()}
    means = [_numbers({name: one[k] for name, one in by_class.values.items()})
             for k in range(len(task.classes))]  # fmt: skip
    return {
        **_numbers(figures.overall),
        "per_image": _of_images(figures.per_image),
        "averages": {kind: _numbers(table) for kind, table in figures.averages.items()},
        "confusion": figures.counts.astype(np.int64).tolist(),
        "per_class": rows(task, _in_order(figures.by_class)),
        "per_image_by_class": [
            {"class": name, **means[k], "images": {one: int(images[one][k]) for one in means[k]}}
            for k, name in enumerate(task.classes)
        ],
    }


def _of_images(means: Means) -> dict[str, Any]:
    """``images``: over how many a figure's mean is; ``undefined``: how many have no Dice."""
    values = _numbers(means.values)
    images = {name: int(means.images[name]) for name in values}
    return {**values, "images": images, "undefined": int(means.every) - images["dice"]}


def _numbers(figures: Mapping[str, np.ndarray]) -> dict[str, float | None]:
    return {name: number(value) for name, value in _in_order(figures).items()}


def _in_order(figures: Mapping[str, Any]) -> dict[str, Any]:
    known = ("support", *ORDER)
    return {name: figures[name] for name in sorted(figures, key=known.index)}
