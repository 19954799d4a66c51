"""The bias-corrected and accelerated bootstrap: an interval, and how likely zero is.

Efron 1987, doi:10.1080/01621459.1987.10478410, with ends that are expanded for few units, as
Student's are (Hesterberg 2015, doi:10.1080/00031305.2015.1089789, section 5.3). Shapes: D draws of
the bootstrap, J of the jackknife. NaN: a draw in which the figure is undefined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SPARE = 0.05  # share of draws that may be undefined: with more the ends of an interval are guessed
_ROUNDING = 1e-12  # by which equal figures differ, relative to them


@dataclass(frozen=True)
class Shape:
    """``draws``: float64, sorted, the defined ones; ``undefined``: how many are not; ``bias``: of
    the median, in standard deviations; ``acceleration``: how the standard deviation changes with
    the figure; ``units``: how many were drawn from, None for the ends as Efron has them."""

    draws: np.ndarray
    undefined: int
    bias: float
    acceleration: float
    units: int | None

    @classmethod
    def of(
        cls, value: float, draws: np.ndarray, jackknife: np.ndarray, units: int | None = None
    ) -> Shape:
        """``value``: of all samples; ``draws``: (D,); ``jackknife``: (J,)."""
        from scipy.special import ndtri

        known = np.sort(draws[~np.isnan(draws)])
        bias = float(ndtri(_share_below(known, value)))
        return cls(known, len(draws) - len(known), bias, _acceleration(jackknife), units)

    @property
    def why_not(self) -> str | None:
        """Why there is no interval, None where there is one."""
        total = len(self.draws) + self.undefined
        if self.undefined > _SPARE * total:
            return f"undefined in more than {_SPARE:.0%} of the draws"
        if self.draws[-1] - self.draws[0] <= _ROUNDING * abs(self.draws[-1]):
            return "the same in every draw"
        return None

    def interval(self, level: float) -> tuple[float, float]:
        """Low and high, of which ``level`` (as 0.95) of such intervals hold the true value."""
        from scipy.special import ndtr, ndtri, stdtrit

        sides = np.array([(1 - level) / 2, (1 + level) / 2])
        ends = ndtri(sides) if self.units is None else stdtrit(self.units - 1, sides) * self._wider
        ends += self.bias
        slope = 1 - self.acceleration * ends
        # Beyond the pole: nothing that was drawn is far enough.
        beyond = np.copysign(np.inf, ends)
        places = np.divide(ends, slope, out=beyond, where=slope > 0) + self.bias
        low, high = np.quantile(self.draws, ndtr(places))
        return float(low), float(high)

    def p_value(self) -> float:
        """Of "it is zero", two-sided: one less the level of the interval that ends there. No
        smaller than the draws can tell."""
        from scipy.special import ndtr, ndtri, stdtr

        place = float(ndtri(_share_below(self.draws, 0.0))) - self.bias
        slope = 1 + self.acceleration * place
        end = (place / slope if slope > 0 else np.copysign(np.inf, place)) - self.bias
        side = ndtr(end) if self.units is None else stdtr(self.units - 1, end / self._wider)
        return float(min(1.0, 2 * min(side, 1 - side)))

    @property
    def _wider(self) -> float:
        assert self.units is not None
        return float(np.sqrt(self.units / (self.units - 1)))


def _share_below(draws: np.ndarray, value: float) -> float:
    """Of sorted draws; half of those that equal ``value`` count as below. Never 0 or 1, which of
    a finite number of draws nobody knows."""
    if not len(draws):
        return 0.5
    sides = np.searchsorted(draws, value, "left") + np.searchsorted(draws, value, "right")
    least = 0.5 / len(draws)
    return float(np.clip(sides / (2 * len(draws)), least, 1 - least))


def _acceleration(jackknife: np.ndarray) -> float:
    known = jackknife[~np.isnan(jackknife)]
    off = known.mean() - known if len(known) else known
    spread = float((off**2).sum())
    return float((off**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
