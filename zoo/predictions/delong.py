"""The interval of an area under the ROC curve, of independent samples.

DeLong, DeLong and Clarke-Pearson 1988, doi:10.2307/2531595, by the ranks of Sun and Xu 2014, doi:
10.1109/LSP.2014.2337313, which cost a sort. On the scale of the logit, on which an area near 1 has
no end beyond it (Pepe 2003, chapter 5), with Student's ends: the variance comes from the positives
and the negatives as from two samples, and its degrees of freedom are Welch's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_STEP = 1e-12  # of an area: what an end may be off


@dataclass(frozen=True)
class Area:
    """``value``: NaN without a positive or a negative. ``variance`` and ``freedom`` (of Student's
    distribution): NaN, too, with only one of either."""

    value: float
    variance: float
    freedom: float
    positives: int
    negatives: int

    @classmethod
    def of(cls, truth: np.ndarray, scores: np.ndarray) -> Area:
        """Of 0/1 ``truth`` (N,) and ``scores`` (N,), ties counting half."""
        from scipy.stats import rankdata

        positive, nan = truth.astype(bool), float("nan")
        ones, zeros = scores[positive], scores[~positive]
        many, few = len(ones), len(zeros)
        if not many or not few:
            return cls(nan, nan, nan, many, few)
        together = rankdata(np.concatenate([ones, zeros]))
        above = (together[:many] - rankdata(ones)) / few  # share of negatives below each positive
        below = 1 - (together[many:] - rankdata(zeros)) / many  # of positives above each negative
        value = float(above.mean())
        if min(many, few) == 1:
            return cls(value, nan, nan, many, few)
        parts = float(above.var(ddof=1)) / many, float(below.var(ddof=1)) / few
        total = sum(parts)
        if total == 0:
            return cls(value, total, nan, many, few)
        freedom = total**2 / (parts[0] ** 2 / (many - 1) + parts[1] ** 2 / (few - 1))
        return cls(value, total, freedom, many, few)

    def interval(self, level: float) -> tuple[float, float]:
        """Low and high; NaN where there is no variance, or it is 0."""
        from scipy.special import expit, logit, stdtrit

        if not self.variance > 0:
            return float("nan"), float("nan")
        sides = np.array([(1 - level) / 2, (1 + level) / 2])
        half = stdtrit(self.freedom, sides) * self.variance**0.5 / (self.value * (1 - self.value))
        low, high = expit(logit(self.value) + half)
        return float(low), float(high)

    def modelled_interval(self, level: float) -> tuple[float, float]:
        """Low and high where the samples do not tell the variance, as when every positive is above
        every negative, or there is one positive: those areas that the one found is less than so
        many standard deviations off, as they are of exponential scores. Method 5 of Newcombe 2006,
        doi:10.1002/sim.2324; Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747."""
        from scipy.optimize import brentq
        from scipy.special import ndtri

        z = float(ndtri((1 + level) / 2))
        pairs, more = self.positives * self.negatives, (self.positives + self.negatives) / 2 - 1

        def beyond(area: float) -> float:
            spread = 1 + more * ((1 - area) / (2 - area) + area / (1 + area))
            return float((area - self.value) ** 2 - z**2 * area * (1 - area) * spread / pairs)

        # At the area found itself a spread of 0 would be taken for the end.
        below, above = self.value - _STEP, self.value + _STEP
        low = 0.0 if below <= 0 else float(brentq(beyond, 0.0, below, xtol=_STEP))
        return low, 1.0 if above >= 1 else float(brentq(beyond, above, 1.0, xtol=_STEP))
