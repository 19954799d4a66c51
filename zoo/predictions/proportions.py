"""Shares of independent samples: their intervals, and whether two of the same samples differ.

Both kinds of interval are those of a score test: of a share near 1, or of few samples that tell
two models apart, the bootstrap's are too narrow (docs/metrics.md has the figures).
"""

from __future__ import annotations

import numpy as np

from zoo.predictions.rates import ratio

_STEP = 1e-12  # of a difference: what an end may be off


def wilson(hits: np.ndarray, of: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Low and high of the interval of the share ``hits / of``, elementwise; NaN where ``of`` is 0.
    Wilson 1927, doi:10.1080/01621459.1927.10502953. Never a point, even of a share of 0 or 1."""
    z, share = _normal(level), ratio(hits, of)
    total = np.where(np.isnan(share), np.nan, np.asarray(of, np.float64))
    middle = share + z**2 / (2 * total)
    half = z * np.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    low, high = (middle - half) / (1 + z**2 / total), (middle + half) / (1 + z**2 / total)
    # Rounding must not take an end past the share that it belongs to.
    return np.minimum(np.maximum(low, 0.0), share), np.maximum(np.minimum(high, 1.0), share)


def tango(first_alone: int, second_alone: int, total: int, level: float) -> tuple[float, float]:
    """Low and high of the interval of the first's share less the second's, both of the same
    ``total`` samples, of which only the first, and only the second, is right about so many.
    Tango 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B."""
    z = _normal(level)
    low = -_upper_end(second_alone, first_alone, total, z)
    return low, _upper_end(first_alone, second_alone, total, z)


def _upper_end(ahead: int, behind: int, total: int, z: float) -> float:
    """The largest difference that ``z`` standard deviations, as they would be if it were the true
    one, do not reach."""
    from scipy.optimize import brentq

    def beyond(difference: float) -> float:
        linear = (2 * total - ahead + behind) * difference - ahead - behind
        rest = -behind * difference * (1 - difference)
        # Both roots are of what is never negative, but for rounding.
        likely = (np.sqrt(max(linear**2 - 8 * total * rest, 0.0)) - linear) / (4 * total)
        spread = max(total * (2 * likely + difference * (1 - difference)), 0.0)
        return float(total * difference - (ahead - behind) - z * np.sqrt(spread))

    # At the observed difference itself a spread of 0 would be taken for the end.
    start = (ahead - behind) / total + _STEP
    if start >= 1.0 or beyond(1.0) <= 0:
        return 1.0
    return float(brentq(beyond, start, 1.0, xtol=_STEP))


def score_p_value(first_alone: int, second_alone: int) -> float:
    """Two-sided, of "both are right equally often": 0.05 where the 95 % interval of
    :func:`tango` ends at zero. McNemar 1947, doi:10.1007/BF02295996, without a correction."""
    from scipy.special import chdtrc

    apart = first_alone + second_alone
    return float(chdtrc(1, (first_alone - second_alone) ** 2 / apart)) if apart else 1.0


def exact_p_value(first_alone: int, second_alone: int) -> float:
    """McNemar's exact one: each sample about which only one is right is a toss of a coin."""
    from scipy.special import bdtr

    apart, fewer = first_alone + second_alone, min(first_alone, second_alone)
    return min(1.0, 2 * float(bdtr(fewer, apart, 0.5))) if apart else 1.0


def _normal(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))
