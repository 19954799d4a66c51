"""Every figure that is computed from a predictions file, without the model.

Counts-based figures are those of :mod:`zoo.predictions.counts`; AUROC is scikit-learn's. A figure
that cannot be computed is None ("undefined"), never 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.errors import PredictionsError
from zoo.predictions import counts
from zoo.predictions.file import Predictions
from zoo.predictions.masks import MaskPredictions
from zoo.tasks import BINARY, MULTILABEL

_SMALLEST = float(np.finfo(np.float32).tiny)  # log of a probability that float32 rounds to zero


def evaluate(predictions: Predictions | MaskPredictions) -> dict[str, Any]:
    """``samples``, the task's ``figures``, the confusion matrix and a row a class; ``auroc`` and
    ``log_loss``, or, for segmentation, ``per_image`` (``counts.mean_over_images``).

    Multiclass AUROC is the mean over the classes, each against the rest (macro one-vs-rest; Hand
    and Till 2001 discuss the alternatives); log loss is the mean negative log-likelihood in nats.
    The pixels of all masks are pooled, at the network's size: a large object weighs more than a
    small one. ``per_image`` weighs each image the same.
    """
    where = f"split {predictions.split!r} of {predictions.dataset!r}"
    if not predictions.labelled:
        raise PredictionsError(f"{where} has no labels to measure against")
    if len(predictions) == 0:
        raise PredictionsError(f"{where} is empty")
    if isinstance(predictions, MaskPredictions):
        return _of_masks(predictions)
    if not np.isfinite(predictions.probabilities).all():
        raise PredictionsError(
            f"{where}: some outputs of the network are not finite; its training diverged: train "
            f"again with a lower optimizer.lr"
        )
    return _of_classes(predictions)


def _of_masks(predictions: MaskPredictions) -> dict[str, Any]:
    task, classes = predictions.task, len(predictions.task.classes)
    table, figures = np.zeros((classes, classes), np.int64), []
    for chunk in predictions.chunks():
        assert chunk.targets is not None
        pairs = zip(chunk.targets, chunk.decisions, strict=True)
        tables = np.stack([counts.count(task, *pair) for pair in pairs])
        table += tables.sum(0)
        figures.append(counts.of_images(task, tables))
    each = {name: np.concatenate([one[name] for one in figures]) for name in task.figures}
    return {
        "samples": len(predictions),
        **counts.metrics(task, table),
        "per_image": counts.mean_over_images(each),
        "confusion": table.tolist(),
        "per_class": counts.per_class(task, table),
    }


def _of_classes(predictions: Predictions) -> dict[str, Any]:
    assert predictions.targets is not None
    task, targets = predictions.task, predictions.targets.astype(np.int64)
    table = counts.count(task, targets, predictions.decisions)
    by_class = counts.per_class(task, table)
    independent = task.kind == MULTILABEL
    for index, row in enumerate(by_class):
        truth = targets[:, index] if independent else (targets == index).astype(np.int64)
        row["auroc"] = auroc(truth, predictions.probabilities[:, index])
    if task.kind == BINARY:
        overall = by_class[task.positive_index]["auroc"]
    else:
        areas = [row["auroc"] for row in by_class]
        overall = None if None in areas else float(np.mean(areas))
    return {
        "samples": len(predictions),
        **counts.metrics(task, table),
        "auroc": overall,
        "log_loss": _log_loss(targets, predictions.probabilities, independent=independent),
        "confusion": table.tolist(),
        "per_class": by_class,
    }


def auroc(truth: np.ndarray, scores: np.ndarray) -> float | None:
    """Area under the ROC curve of 0/1 ``truth`` (N,) and ``scores`` (N,); None when one side is
    missing."""
    from sklearn.metrics import roc_auc_score

    if truth.min() == truth.max():
        return None
    return float(roc_auc_score(truth, scores))


def _log_loss(targets: np.ndarray, probabilities: np.ndarray, *, independent: bool) -> float:
    certain = probabilities.astype(np.float64)
    if not independent:
        likely = np.take_along_axis(certain, targets[:, None], axis=1)
        return float(-np.log(np.maximum(likely, _SMALLEST)).mean())
    likely = np.where(targets == 1, certain, 1.0 - certain)
    return float(-np.log(np.maximum(likely, _SMALLEST)).mean())
