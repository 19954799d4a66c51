"""How good the probabilities are: log loss, Brier score, expected calibration error.

Shapes: N samples, K classes, D draws. Weights: float64 (N,) or (N, D).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.predictions.rates import ratio
from zoo.predictions.weights import summing
from zoo.tasks import BINARY, MULTICLASS, MULTILABEL, Task

BINS = 15  # of equal width, as Guo et al. 2017
_SMALLEST = float(np.finfo(np.float32).tiny)  # a probability that float32 rounds to zero
_FROM_ONE = 2.0**-25  # half of float32's step below one: what a probability of 1.0 may be off


class ProbabilitySums:
    """``truth``: 0/1 (N, K), one 1 a row unless multilabel; ``probabilities``: (N, K)."""

    def __init__(self, task: Task, truth: np.ndarray, probabilities: np.ndarray) -> None:
        self._task = task
        classes = truth.shape[1]
        sure = probabilities.astype(np.float64)
        off = sure - truth
        both = [log_losses(task, truth, sure), briers(task, truth, sure)]
        self._losses = _sums(np.stack(both, axis=1))
        self._squares = _sums(off**2)
        of_class = bins(sure) + np.arange(classes, dtype=np.int32) * BINS
        self._classwise = summing(of_class, classes * BINS, off)
        top = sure.argmax(1)[:, None]
        confidence = np.take_along_axis(sure, top, 1)[:, 0]
        self._top = summing(bins(confidence), BINS, np.take_along_axis(off, top, 1))

    def figures(self, weights: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Overall (D,) and by class (K, D), by name.

        ``ece`` of a class: of its probability, one against the rest (classwise ECE, Kull et al.
        2019, arXiv:1910.12656); overall: of the positive class (binary), of the class with the
        highest probability (multiclass; Guo et al. 2017, arXiv:1706.04599), or the mean over the
        classes (multilabel)."""
        total = weights.sum(0)
        log_loss, brier = ratio(self._losses @ weights, total)
        classes = len(self._task.classes)
        off = np.abs(self._classwise @ weights).reshape(classes, BINS, *weights.shape[1:])
        by_class = {
            "brier": ratio(self._squares @ weights, total),
            "ece": ratio(off.sum(1), total),
        }
        if self._task.kind == MULTICLASS:
            ece = ratio(np.abs(self._top @ weights).sum(0), total)
        elif self._task.kind == BINARY:
            ece = by_class["ece"][self._task.positive_index]
        else:
            ece = by_class["ece"].mean(0)
        return {"log_loss": log_loss, "brier": brier, "ece": ece}, by_class


def bins(probabilities: np.ndarray) -> np.ndarray:
    """The bin of each, 0 to ``BINS`` - 1: bin b holds b / BINS < p <= (b + 1) / BINS, the first 0
    too."""
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    return np.searchsorted(inner, probabilities).astype(np.int32)


def log_losses(task: Task, truth: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """Float64 (N,), in nats: the negative logarithm of the true class's probability; multilabel:
    the mean over the classes of that of each one's side. Certain and wrong is finite: a probability
    is taken for no less than float32 can hold."""
    if task.kind != MULTILABEL:
        found: np.ndarray = -np.log(np.maximum((truth * sure).sum(1), _SMALLEST))
        return found
    yes, no = np.maximum(sure, _SMALLEST), np.maximum(1.0 - sure, _FROM_ONE)
    found = -np.log(np.where(truth == 1, yes, no)).mean(1)
    return found


def briers(task: Task, truth: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """Float64 (N,): squared differences of probability and truth, of the positive class (binary),
    summed over the classes (multiclass, 0 to 2; Brier 1950), or their mean (multilabel)."""
    squares = (sure - truth) ** 2
    if task.kind == BINARY:
        found: np.ndarray = squares[:, task.positive_index]
    else:
        found = squares.sum(1) if task.kind == MULTICLASS else squares.mean(1)
    return found


def _sums(values: np.ndarray) -> Any:
    """Of (N, R), what times weights gives the sums of each of the R columns."""
    columns = np.arange(values.shape[1], dtype=np.int32)
    return summing(np.broadcast_to(columns, values.shape), len(columns), values)
