"""What another seed would have given: mean, spread and test over runs of the same recipe.

An interval over samples says how a model would do on other samples; only runs with other seeds say
how the next run of its recipe would do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

PAIRED, WELCH = "paired t", "Welch's t"


@dataclass(frozen=True)
class Spread:
    """``deviation``: the standard deviation over ``count`` seeds (n - 1), NaN of one."""

    mean: float
    deviation: float
    count: int


@dataclass(frozen=True)
class SeedTest:
    """``name``: which; ``count``: seeds of each, paired or not; ``p``: two-sided, NaN where there
    is no test: of one seed, or of figures that do not vary."""

    name: str
    count: tuple[int, int]
    p: float


def spread(values: Sequence[float]) -> Spread:
    given = np.asarray(values, np.float64)
    deviation = float(given.std(ddof=1)) if len(given) > 1 else float("nan")
    return Spread(float(given.mean()), deviation, len(given))


def compare_seeds(first: Mapping[int, float], second: Mapping[int, float]) -> SeedTest:
    """Of one figure by seed. Student's paired test where both have the same seeds, for then each
    two began with the same order of samples and the same draws; else Welch's."""
    from scipy import stats

    count = len(first), len(second)
    same = first.keys() == second.keys()
    name = PAIRED if same else WELCH
    one = np.array([first[seed] for seed in sorted(first)])
    other = np.array([second[seed] for seed in sorted(second)])
    if min(count) < 2:
        return SeedTest(name, count, float("nan"))
    varies = (other - one).std() > 0 if same else one.std() + other.std() > 0
    if not varies:
        equal = one.mean() == other.mean()
        return SeedTest(name, count, 1.0 if equal else float("nan"))
    found = stats.ttest_rel(other, one) if same else stats.ttest_ind(other, one, equal_var=False)
    return SeedTest(name, count, float(found.pvalue))
