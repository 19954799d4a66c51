"""Shares of right and wrong decisions, from counts: the one place that has the formulas.

Arrays of any shape, elementwise, of counts that are whole numbers. ``hits``: decided and true (true
positives); ``decided``: hits and false positives; ``support``: hits and false negatives; ``total``:
everything. What cannot be computed is NaN, which people are shown as "undefined", never 0.
"""

from __future__ import annotations

import numpy as np


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """NaN where ``whole`` is 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    found: np.ndarray = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)
    return found


def mean(values: np.ndarray, axis: int = 0, weights: np.ndarray | None = None) -> np.ndarray:
    """Of what is not NaN; NaN where nothing is left."""
    known = ~np.isnan(values)
    heavy = known if weights is None else np.where(known, weights, 0)
    return ratio((np.where(known, values, 0.0) * heavy).sum(axis), heavy.sum(axis))


def precision(hits: np.ndarray, decided: np.ndarray, support: np.ndarray) -> np.ndarray:
    """0 for what occurs but was never decided: all of it was missed, and a mean over classes that
    left it out would gain by that."""
    found = ratio(hits, decided)
    found[(np.asarray(decided) == 0) & (np.asarray(support) > 0)] = 0.0
    return found


def recall(hits: np.ndarray, support: np.ndarray) -> np.ndarray:
    """Also called sensitivity."""
    return ratio(hits, support)


def specificity(
    hits: np.ndarray, decided: np.ndarray, support: np.ndarray, total: np.ndarray
) -> np.ndarray:
    """The share of what is not the class that was not decided as it."""
    negatives = np.asarray(total) - support
    return ratio(negatives - (np.asarray(decided) - hits), negatives)


def f1(hits: np.ndarray, decided: np.ndarray, support: np.ndarray) -> np.ndarray:
    """The harmonic mean of precision and recall; of regions it is called Dice."""
    return ratio(2 * np.asarray(hits), np.asarray(support) + decided)


def iou(hits: np.ndarray, decided: np.ndarray, support: np.ndarray) -> np.ndarray:
    """Intersection over union, or Jaccard index."""
    return ratio(hits, np.asarray(support) + decided - hits)


def mcc(table: np.ndarray) -> np.ndarray:
    """Matthews' correlation coefficient of confusion matrices (K, K, ...), any number of classes
    (Gorodkin 2004, doi:10.1016/j.compbiolchem.2004.09.006). NaN where all is one class, in truth or
    decision."""
    right, total, chance = _agreed(table)
    spread = [total**2 - (sums**2).sum(0) for sums in (table.sum(1), table.sum(0))]
    return ratio(right * total - chance, np.sqrt(spread[0]) * np.sqrt(spread[1]))


def kappa(table: np.ndarray) -> np.ndarray:
    """Cohen's kappa (1960, doi:10.1177/001316446002000104), unweighted, of confusion matrices
    (K, K, ...). NaN where truth and decision are all the same class."""
    right, total, chance = _agreed(table)
    return ratio(right * total - chance, total**2 - chance)


AGREEMENT = {"mcc": mcc, "kappa": kappa}


def _agreed(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(right, total, and what would be right by chance times total)."""
    right = np.einsum("kk...->...", table)
    return right, table.sum((0, 1)), (table.sum(1) * table.sum(0)).sum(0)
