"""How well scores put positives before negatives: AUROC and average precision, of many draws.

Shapes: N samples, K classes, D draws, G different scores of positives.
"""

from __future__ import annotations

import numpy as np

from zoo.predictions.rates import ratio
from zoo.predictions.weights import summing


class Ranking:
    """0/1 ``truth`` and ``scores``, sorted once: (N,), or (N, K) for all of a sample's scores among
    all others, with the weight of the sample.

    Between two neighbouring scores of positives the order of negatives is of no matter: their
    weights are summed there by one sparse product, and of G sums everything is computed."""

    def __init__(self, truth: np.ndarray, scores: np.ndarray) -> None:
        positive = truth.astype(bool)
        steps = np.unique(scores[positive])
        place = np.searchsorted(steps, scores)
        tied = np.append(steps, 0)[place] == scores
        tied &= place < len(steps)
        # Rows: negatives below each step and above the last, negatives at each, positives at each.
        row = place + np.where(tied, len(steps) + 1, 0) + np.where(positive, len(steps), 0)
        self._steps = len(steps)
        self._sums = summing(row, 3 * len(steps) + 1)

    def areas(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(AUROC, average precision) by float64 weights (N,) or (N, D).

        AUROC: the share of pairs of a positive and a negative in which the positive has the higher
        score, ties counting half; NaN without both. Average precision: the mean over the positives
        of the precision at their score, no interpolation; NaN without positives."""
        sums, steps = self._sums @ weights, self._steps
        between, tied, positives = sums[: steps + 1], sums[steps + 1 : -steps], sums[-steps:]
        if not steps:
            none = np.full(weights.shape[1:], np.nan)
            return none, none
        below = np.cumsum(between[:-1], axis=0)
        below[1:] += np.cumsum(tied[:-1], axis=0)
        hits = np.cumsum(positives[::-1], axis=0)[::-1]
        support, negatives = hits[0], between.sum(0) + tied.sum(0)
        pairs = (positives * (below + 0.5 * tied)).sum(0)
        # No weight at or above a step: no positive there to count either.
        above = np.maximum(hits + negatives - below, 1.0)
        precise = (positives * (hits / above)).sum(0)
        return ratio(pairs, support * negatives), ratio(precise, support)
