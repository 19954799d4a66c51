"""The figure by which members and methods are chosen, of answers to questions.

Shapes: N samples, S questions, C choices, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.errors import PredictionsError, nearest
from zoo.predictions import counts, rates
from zoo.predictions.classification import Classification
from zoo.predictions.combining import questions
from zoo.predictions.probabilities import ProbabilitySums
from zoo.tasks import MULTILABEL, SEGMENTATION, Task

LOG_LOSS = "log_loss"
LOWER = (LOG_LOSS, "brier", "ece", "hd95")  # the smaller the better
_COUNTED = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1")
_REGIONS = (*_COUNTED, "iou", "dice")
_SURE = (LOG_LOSS, "brier", "ece")
_OTHERS = ("auroc", "average_precision", "mcc", "kappa")


def known(task: Task) -> tuple[str, ...]:
    """What may be chosen by. Of masks what counts of pixels give."""
    if task.kind == SEGMENTATION:
        return _REGIONS
    return (*_COUNTED, *_OTHERS, *_SURE, *(("exact_match",) if task.kind == MULTILABEL else ()))


@dataclass(frozen=True)
class Score:
    """A figure of a task, by its name in ``zoo.predictions.metrics``."""

    task: Task
    name: str

    def __post_init__(self) -> None:
        expected = known(self.task)
        if self.name not in expected:
            raise PredictionsError(
                f"metric {self.name!r}{nearest(self.name, expected)}: a {self.task.kind} ensemble "
                f"is chosen by one of {', '.join(expected)}"
            )

    def value(self, said: np.ndarray, truth: np.ndarray) -> float:
        """Of (S, C) and int64 (S,); NaN where undefined."""
        task = self.task
        decisions = questions.decided(task, said)
        if self.name in _REGIONS:
            shape = (-1, len(task.classes)) if task.kind == MULTILABEL else (-1,)
            table = counts.count(task, truth.reshape(shape), decisions.reshape(shape))
            return float(counts.overall(task, table)[self.name])
        chances = np.exp(said)
        if self.name in _SURE:
            hot, sure = _one_hot(task, truth, chances)
            found, _ = ProbabilitySums(task, hot, sure).figures(np.ones(len(hot)))
            return float(found[self.name])
        if task.kind == MULTILABEL:
            classes = (-1, len(task.classes))
            chances = chances[:, 1].reshape(classes)
            truth, decisions = truth.reshape(classes), decisions.reshape(classes)
        elif self.name in rates.AGREEMENT:
            return float(rates.AGREEMENT[self.name](counts.count(task, truth, decisions)))
        whole = Classification(task, truth, decisions, chances).figures()
        return float(whole.overall[self.name])

    def goodness(self, said: np.ndarray, truth: np.ndarray) -> float:
        """As :meth:`value`, the greater the better; least where undefined."""
        value = self.value(said, truth)
        if np.isnan(value):
            return -np.inf
        return -value if self.name in LOWER else value

    def rank(self, said: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
        """Goodness, then by log loss what that leaves equal, as a share of few samples often
        does."""
        return self.goodness(said, truth), -log_loss(said, truth)

    def best(self, tasks: Sequence[Task], members: Sequence[np.ndarray], truth: np.ndarray) -> int:
        """Which of them is best, each deciding by the threshold of its own task; the first of
        equals."""
        ranks = [
            replace(self, task=task).rank(one, truth)
            for task, one in zip(tasks, members, strict=True)
        ]
        return ranks.index(max(ranks))


def log_loss(said: np.ndarray, truth: np.ndarray) -> float:
    """The mean of what the right choices lack, in nats; a mean over questions."""
    right = np.take_along_axis(said, truth[:, None], axis=1)
    return float(-np.maximum(right, -1e4).mean(dtype=np.float64))


def _one_hot(task: Task, truth: np.ndarray, chances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(truth as 0/1 (N, K), probabilities (N, K))."""
    if task.kind == MULTILABEL:
        shape = (-1, len(task.classes))
        return truth.reshape(shape), chances[:, 1].reshape(shape)
    return (truth[:, None] == np.arange(len(task.classes))).astype(np.int64), chances
