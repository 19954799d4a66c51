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


def mcc(
    right: np.ndarray, total: np.ndarray, chance: np.ndarray, *spread: np.ndarray
) -> np.ndarray:
    """Matthews' correlation coefficient, for any number of classes (Gorodkin 2004, doi:
    10.1016/j.compbiolchem.2004.09.006). ``right``: the trace of the confusion matrix; ``chance``:
    the product of its row and column sums, summed; ``spread``: those of the squares of each. NaN
    where all is one class, in truth or decision."""
    squared = np.asarray(total, np.float64) ** 2
    left, other = (squared - one for one in spread)
    return ratio(np.asarray(right) * total - chance, np.sqrt(left) * np.sqrt(other))


def kappa(right: np.ndarray, total: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Cohen's (1960, doi:10.1177/001316446002000104), unweighted. Arguments as of :func:`mcc`."""
    return ratio(np.asarray(right) * total - chance, np.asarray(total, np.float64) ** 2 - chance)
