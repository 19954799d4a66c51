"""All figures of a classification at once, for one set of samples or for many draws of them.

Shapes: N samples, K classes, D draws. What does not depend on weights is computed once; with
weights of (N, D) every array gets a last axis of D, without weights it has none. NaN: undefined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo.predictions import rates
from zoo.predictions.averages import MACRO, MICRO, averaged, pooled, sides
from zoo.predictions.counts import of_classes, of_sides, overall
from zoo.predictions.file import Predictions
from zoo.predictions.probabilities import ProbabilitySums
from zoo.predictions.ranking import Ranking
from zoo.predictions.weights import checked, summing
from zoo.tasks import BINARY, MULTILABEL, Task

AVERAGED = ("precision", "recall", "specificity", "f1", "auroc", "average_precision")
_TOGETHER = 64  # draws whose weights stay in a processor's cache


@dataclass(frozen=True)
class Figures:
    """``overall``: by name, (D,); ``averages``: by ``macro``, ``micro`` and ``weighted``, then by
    name, (D,); ``by_class``: by name, (K, D), ``support`` first; ``counts``: (K, K, D), rows the
    truth, or (K, 2, 2, D) for multilabel."""

    overall: Mapping[str, np.ndarray]
    averages: Mapping[str, Mapping[str, np.ndarray]]
    by_class: Mapping[str, np.ndarray]
    counts: np.ndarray


class Classification:
    """``targets`` and ``decisions``: labels (N,), or 0/1 (N, K) for multilabel; ``probabilities``:
    (N, K), of any float type."""

    def __init__(
        self, task: Task, targets: np.ndarray, decisions: np.ndarray, probabilities: np.ndarray
    ) -> None:
        self.task, self.samples = task, len(targets)
        classes = len(task.classes)
        targets, decisions = targets.astype(np.int64), decisions.astype(np.int64)
        several = task.kind == MULTILABEL
        truth = targets if several else np.arange(classes) == targets[:, None]
        if several:
            cells = np.arange(classes) * 4 + targets * 2 + decisions
            self._cells = summing(cells, 4 * classes)
        else:
            self._cells = summing(targets * classes + decisions, classes * classes)
        exact = (targets == decisions).reshape(self.samples, -1).all(1)
        self._exact = summing(np.where(exact, 0, 1), 2)
        self._rankings = [Ranking(truth[:, k], probabilities[:, k]) for k in range(classes)]
        self._all = Ranking(truth, probabilities)
        self._probabilities = ProbabilitySums(task, truth, probabilities)

    @classmethod
    def of(cls, predictions: Predictions) -> Classification:
        assert predictions.targets is not None
        return cls(
            predictions.task,
            predictions.targets,
            predictions.decisions,
            predictions.probabilities,
        )

    def figures(self, weights: np.ndarray | None = None) -> Figures:
        """``weights``: None, or integers from 0, (N,) or (N, D)."""
        if weights is None or weights.ndim != 2 or weights.size == 0:
            return self._figures(checked(weights, self.samples))
        starts = range(0, weights.shape[1], _TOGETHER)
        blocks = [weights[:, start : start + _TOGETHER] for start in starts]
        return _joined([self._figures(checked(block, self.samples)) for block in blocks])

    def _figures(self, weights: np.ndarray) -> Figures:
        total, classes = weights.sum(0), len(self.task.classes)
        several = self.task.kind == MULTILABEL
        shape = (classes, 2, 2) if several else (classes, classes)
        counts = (self._cells @ weights).reshape(*shape, *weights.shape[1:])
        by_class = of_classes(self.task, counts)
        areas = [ranking.areas(weights) for ranking in self._rankings]
        by_class["auroc"], by_class["average_precision"] = (
            np.stack(both) for both in zip(*areas, strict=True)
        )
        by_class |= _agreement(self.task, counts)
        sure, more = self._probabilities.figures(weights)
        averages = averaged(by_class, AVERAGED)
        averages[MICRO] = of_sides(self.task, *pooled(self.task, counts))
        averages[MICRO]["auroc"], averages[MICRO]["average_precision"] = self._all.areas(weights)
        figures = self._overall(counts, by_class, averages[MACRO])
        if several:
            figures["exact_match"] = rates.ratio((self._exact @ weights)[0], total)
        return Figures({**figures, **sure}, averages, {**by_class, **more}, counts)

    def _overall(
        self,
        counts: np.ndarray,
        by_class: Mapping[str, np.ndarray],
        macro: Mapping[str, np.ndarray],
    ) -> dict[str, np.ndarray]:
        task, figures = self.task, overall(self.task, counts)
        for name in ("auroc", "average_precision"):
            one = by_class[name][task.positive_index] if task.kind == BINARY else macro[name]
            figures[name] = one
        for name in ("mcc", "kappa"):
            if task.kind == MULTILABEL:
                figures[name] = rates.mean(by_class[name])
            else:
                figures[name] = rates.AGREEMENT[name](counts)
        return figures


def _agreement(task: Task, counts: np.ndarray) -> dict[str, np.ndarray]:
    """MCC and kappa of each class against the rest, (K, D)."""
    hits, decided, support, total = sides(task, counts)
    tables = np.array(
        [
            [total - support - decided + hits, decided - hits],
            [support - hits, hits],
        ]
    )
    found = {name: one(tables) for name, one in rates.AGREEMENT.items()}
    return {name: np.where(support > 0, values, np.nan) for name, values in found.items()}


def _joined(parts: list[Figures]) -> Figures:
    """Along the last axis."""

    def join(tables: list[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        return {
            name: np.concatenate([table[name] for table in tables], axis=-1) for name in tables[0]
        }

    return Figures(
        join([part.overall for part in parts]),
        {name: join([part.averages[name] for part in parts]) for name in parts[0].averages},
        join([part.by_class for part in parts]),
        np.concatenate([part.counts for part in parts], axis=-1),
    )
