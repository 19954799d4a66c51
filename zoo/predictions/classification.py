"""All figures of a classification at once, for one set of samples or for many draws of them.

Shapes: N samples, K classes, D draws. What does not depend on weights is computed once; with
weights of (N, D) every array gets a last axis of D, without weights it has none. NaN: undefined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo.predictions import rates
from zoo.predictions.counts import of_sides
from zoo.predictions.file import Predictions
from zoo.predictions.probabilities import ProbabilitySums
from zoo.predictions.ranking import Ranking
from zoo.predictions.weights import checked, summing
from zoo.tasks import BINARY, MULTILABEL, Task

AVERAGED = ("precision", "recall", "specificity", "f1", "auroc", "average_precision")
_WITHOUT_POSITIVES = ("support", "specificity", "brier", "ece")  # are defined all the same
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
        sample = np.repeat(np.arange(self.samples), classes)
        if several:
            cells = np.arange(classes) * 4 + targets * 2 + decisions
            self._cells = summing(cells.reshape(-1), 4 * classes, self.samples, sample=sample)
        else:
            cells = targets * classes + decisions
            self._cells = summing(cells, classes * classes, self.samples)
        exact = (targets == decisions).reshape(self.samples, -1).all(1)
        self._exact = summing(np.where(exact, 0, 1), 2, self.samples)
        self._rankings = [Ranking(truth[:, k], probabilities[:, k]) for k in range(classes)]
        self._all = Ranking(
            truth.reshape(-1), probabilities.reshape(-1), sample=sample, samples=self.samples
        )
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
        by_class, micro = self._decided(counts, total)
        areas = [ranking.areas(weights) for ranking in self._rankings]
        by_class["auroc"], by_class["average_precision"] = (
            np.stack(both) for both in zip(*areas, strict=True)
        )
        micro["auroc"], micro["average_precision"] = self._all.areas(weights)
        overall, more = self._probabilities.figures(weights)
        by_class |= more
        occurs = by_class["support"] > 0
        for name, values in by_class.items():
            if name not in _WITHOUT_POSITIVES:
                by_class[name] = np.where(occurs, values, np.nan)
        averages = {
            "macro": {name: _over_classes(by_class, name) for name in AVERAGED},
            "micro": micro,
            "weighted": {name: _over_classes(by_class, name, True) for name in AVERAGED},
        }
        exact = rates.ratio((self._exact @ weights)[0], total)
        decided = self._overall(counts, total, by_class, averages["macro"], exact)
        return Figures({**decided, **overall}, averages, by_class, counts)

    def _decided(
        self, counts: np.ndarray, total: np.ndarray
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """What follows from the counts: by class, each against the rest, and of all classes'
        counts together (micro)."""
        if self.task.kind == MULTILABEL:
            hits, support, decided = counts[:, 1, 1], counts[:, 1].sum(1), counts[:, :, 1].sum(1)
        else:
            hits, support, decided = np.einsum("kk...->k...", counts), counts.sum(1), counts.sum(0)
        by_class = {"support": support, **of_sides(self.task, hits, decided, support, total)}
        right = total - support - decided + 2 * hits
        chance = support * decided + (total - support) * (total - decided)
        spread = [one**2 + (total - one) ** 2 for one in (support, decided)]
        by_class["mcc"] = rates.mcc(right, total, chance, *spread)
        by_class["kappa"] = rates.kappa(right, total, chance)
        sides = (hits.sum(0), decided.sum(0), support.sum(0), total * len(hits))
        return by_class, of_sides(self.task, *sides)

    def _overall(
        self,
        counts: np.ndarray,
        total: np.ndarray,
        by_class: Mapping[str, np.ndarray],
        macro: Mapping[str, np.ndarray],
        exact: np.ndarray,
    ) -> dict[str, np.ndarray]:
        task = self.task
        if task.kind == MULTILABEL:
            right = (counts[:, 0, 0] + counts[:, 1, 1]).sum(0)
            sides = [by_class["recall"], by_class["specificity"]]
            figures = {
                "accuracy": rates.ratio(right, total * len(counts)),
                "exact_match": exact,
                "balanced_accuracy": rates.mean(np.concatenate(sides)),
            }
        else:
            figures = {"accuracy": exact, "balanced_accuracy": rates.mean(by_class["recall"])}
        if task.kind == BINARY:
            figures |= {name: by_class[name][task.positive_index] for name in AVERAGED}
        else:
            figures |= macro
        if task.kind == MULTILABEL:
            figures |= {name: rates.mean(by_class[name]) for name in ("mcc", "kappa")}
        else:
            truth, decided = counts.sum(1), counts.sum(0)
            right, chance = np.einsum("kk...->...", counts), (truth * decided).sum(0)
            figures["mcc"] = rates.mcc(right, total, chance, (truth**2).sum(0), (decided**2).sum(0))
            figures["kappa"] = rates.kappa(right, total, chance)
        return figures


def _over_classes(
    by_class: Mapping[str, np.ndarray], name: str, weighted: bool = False
) -> np.ndarray:
    """The mean over the classes that occur, and for which it is defined."""
    support = by_class["support"]
    values = np.where(support > 0, by_class[name], np.nan)
    return rates.mean(values, weights=support if weighted else None)


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
