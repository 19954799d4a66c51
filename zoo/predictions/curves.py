"""ROC and precision-recall curves, as few points as draw the same line.

Shapes: N samples, T thresholds, P points kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.predictions.weights import checked

OFF = 0.002  # of an axis: how far the line through the kept points may miss one left out
_PLACES = 6  # decimals of what is kept


@dataclass(frozen=True)
class Points:
    """What deciding by "score >= threshold" gives, at every score of a positive, and at the last
    one above it: between these only negatives are added, and both curves are straight. From the
    highest on, (T,): ``thresholds``, ``hits`` (true positives), ``false`` (false positives);
    ``support`` and ``negatives``: how many there are of each."""

    thresholds: np.ndarray
    hits: np.ndarray
    false: np.ndarray
    support: float
    negatives: float

    @classmethod
    def of(cls, truth: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> Points:
        """0/1 ``truth`` and ``scores`` (N,); ``weights``: None, or integers from 0, (N,)."""
        heavy = checked(weights, len(truth))
        drawn = heavy > 0
        positive, scores, heavy = truth[drawn].astype(bool), scores[drawn], heavy[drawn]
        steps = np.unique(scores[positive])
        # Place 2s + 1 has the score of step s, place 2s what is below it and above the one before.
        place = np.searchsorted(steps, scores) + np.searchsorted(steps, scores, "right")
        hits = np.bincount(place, heavy * positive, 2 * len(steps) + 1)
        every = np.bincount(place, heavy, 2 * len(steps) + 1)
        lowest = np.full(len(every), np.inf)
        np.minimum.at(lowest, place, scores)
        kept = np.flatnonzero(every)[::-1]
        hits, every = hits[kept].cumsum(), every[kept].cumsum()
        support = float(hits[-1]) if len(hits) else 0.0
        negatives = float(every[-1]) - support if len(hits) else 0.0
        return cls(lowest[kept], hits, every - hits, support, negatives)

    def roc(self) -> dict[str, list[float]] | None:
        """``fpr`` and ``tpr`` (P,), the false and true positives' shares, and the ``threshold`` of
        each point but the first, (0, 0), in which nothing is decided positive. None without both
        sides."""
        if not self.support or not self.negatives:
            return None
        fpr, tpr = self.false / self.negatives, self.hits / self.support
        kept = thinned(np.concatenate([[0.0], fpr]), np.concatenate([[0.0], tpr]))
        kept = kept[1:] - 1
        return {
            "fpr": [0.0, *_rounded(fpr[kept])],
            "tpr": [0.0, *_rounded(tpr[kept])],
            "threshold": _listed(self.thresholds[kept]),
        }

    def precision_recall(self) -> dict[str, list[float]] | None:
        """``recall``, ``precision`` and ``threshold`` (P,); no point is made up where recall is 0.
        None without positives."""
        if not self.support:
            return None
        # Below the score of the last positive recall stays, and precision only falls.
        last = int(np.searchsorted(self.hits, self.support)) + 1
        recall = self.hits[:last] / self.support
        precision = self.hits[:last] / (self.hits[:last] + self.false[:last])
        kept = thinned(recall, precision)
        return {
            "recall": _rounded(recall[kept]),
            "precision": _rounded(precision[kept]),
            "threshold": _listed(self.thresholds[:last][kept]),
        }


def thinned(across: np.ndarray, up: np.ndarray, off: float = OFF) -> np.ndarray:
    """The indices of points of a line that are enough to draw it: each one left out lies within
    ``off`` of the line through those kept; the first and the last are kept (Douglas and Peucker
    1973, doi:10.3138/FM57-6770-U75U-7727)."""
    kept = np.zeros(len(across), bool)
    kept[[0, -1]] = True
    waiting = [(0, len(across) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        distances = _from_chord(across[first : last + 1], up[first : last + 1])
        farthest = int(distances.argmax())
        if distances[farthest] > off:
            kept[first + farthest] = True
            waiting += [(first, first + farthest), (first + farthest, last)]
    return np.flatnonzero(kept)


def _from_chord(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The distances of points from the straight piece between the first and the last of them."""
    x, y = across - across[0], up - up[0]
    square = x[-1] ** 2 + y[-1] ** 2
    share = np.clip((x * x[-1] + y * y[-1]) / square, 0, 1) if square else np.zeros(len(x))
    distances: np.ndarray = np.hypot(x - share * x[-1], y - share * y[-1])
    return distances


def _rounded(values: np.ndarray) -> list[float]:
    return _listed(values.round(_PLACES))


def _listed(values: np.ndarray) -> list[float]:
    return [float(one) for one in values]
