"""What another seed would have given: mean, spread and tests over runs of the same recipe.

An interval over samples says how these networks would do on other samples; only runs with other
seeds say how the next run of a recipe would do. One recipe is better than another where both agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.predictions.comparison import NEITHER, Pair, Together, corrected, differences, holm
from zoo.predictions.drawn import Key, mean_of
from zoo.predictions.intervals import Interval, interval_of

ROUNDING = 1e-12  # of a figure: a spread below it is that of the arithmetic
PAIRED, WELCH = "paired t", "Welch's t"


@dataclass(frozen=True)
class Recipe:
    """``sides``: the places among all that are compared of its runs, by seed."""

    name: str
    sides: Mapping[int, int]


@dataclass(frozen=True)
class Spread:
    """``deviation``: the standard deviation over ``count`` seeds (n - 1), NaN of one;
    ``interval``: of the mean, over samples."""

    mean: float
    deviation: float
    count: int
    interval: Interval


@dataclass(frozen=True)
class SeedTest:
    """``name``: which; ``count``: seeds of each; ``p``: two-sided, NaN where there is no test: of
    one seed, or of figures that do not vary; ``p_holm``: as it is among all pairs."""

    name: str
    count: tuple[int, int]
    p: float
    p_holm: float


@dataclass(frozen=True)
class RecipePair(Pair):
    """``differences``: of the means over seeds, over samples; ``tests``: over seeds."""

    tests: Mapping[Key, SeedTest]

    def better(self, key: Key, level: float) -> str:
        """Which is better; ``neither`` where samples or seeds show no difference."""
        if not self.tests[key].p_holm <= 1 - level:
            return NEITHER
        return self.differences[key].better(level)


class AcrossSeeds:
    def __init__(self, together: Together, recipes: Sequence[Recipe]) -> None:
        self._together, self.recipes = together, recipes
        self._means = [
            mean_of([together.drawn[side] for side in one.sides.values()]) for one in recipes
        ]

    def values(self, recipe: int, place: int) -> dict[int, float]:
        """By seed, of the figure at ``place``."""
        drawn = self._together.drawn
        return {seed: float(drawn[side].values[place])
                for seed, side in self.recipes[recipe].sides.items()}  # fmt: skip

    def spreads(self, recipe: int) -> dict[Key, Spread]:
        mean, plan, found = self._means[recipe], self._together.plan, {}
        for place, key in enumerate(mean.keys):
            each = np.array(list(self.values(recipe, place).values()))
            deviation = float(each.std(ddof=1)) if len(each) > 1 else float("nan")
            interval = interval_of(mean, place, plan)
            found[key] = Spread(float(each.mean()), deviation, len(each), interval)
        return found

    def pairs(self) -> list[RecipePair]:
        """Of all two recipes, in the order given."""
        two = list(itertools.combinations(range(len(self.recipes)), 2))
        plain = [
            Pair(
                self.recipes[one].name,
                self.recipes[other].name,
                differences(self._means[other] - self._means[one], self._together.plan),
                apart=None,
            )
            for one, other in two
        ]
        tests: list[dict[Key, SeedTest]] = [{} for _ in two]
        for place, key in enumerate(self._together.keys):
            found = [
                compare_seeds(self.values(one, place), self.values(other, place))
                for one, other in two
            ]
            held = holm([one.p for one in found])
            for table, one, p in zip(tests, found, held, strict=True):
                table[key] = replace(one, p_holm=p)
        return [
            RecipePair(one.first, one.second, one.differences, None, table)
            for one, table in zip(corrected(plain), tests, strict=True)
        ]


def compare_seeds(first: Mapping[int, float], second: Mapping[int, float]) -> SeedTest:
    """Of one figure by seed. Student's paired test where both have the same seeds, for then each
    two began with the same order of samples and the same draws; else Welch's."""
    from scipy import stats

    count, nan = (len(first), len(second)), float("nan")
    same = first.keys() == second.keys()
    name = PAIRED if same else WELCH
    one = np.array([first[seed] for seed in sorted(first)])
    other = np.array([second[seed] for seed in sorted(second)])
    if min(count) < 2 or np.isnan([*one, *other]).any():
        return SeedTest(name, count, nan, nan)
    spread = (other - one).std() if same else one.std() + other.std()
    rounding = ROUNDING * max(abs(one).max(), abs(other).max())
    if spread <= rounding:
        equal = 1.0 if abs(one.mean() - other.mean()) <= rounding else nan
        return SeedTest(name, count, equal, equal)
    found = stats.ttest_rel(other, one) if same else stats.ttest_ind(other, one, equal_var=False)
    return SeedTest(name, count, float(found.pvalue), float(found.pvalue))
