"""The bootstrap's interval against scipy's, and its p-value against the intervals themselves."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from zoo.predictions.bca import Shape


def skewed(seed, size=40, draws=1999):
    """(scipy's interval, the sample's mean, the draws it was computed from, the jackknife)."""
    rng = np.random.default_rng(seed)
    sample = rng.exponential(size=size) ** 2
    found = stats.bootstrap((sample,), np.mean, n_resamples=draws, method="BCa", rng=rng)
    left = np.array([np.delete(sample, one).mean() for one in range(size)])
    return found.confidence_interval, sample.mean(), found.bootstrap_distribution, left


@pytest.mark.parametrize("seed", range(20))
def test_without_expansion_it_is_scipys(seed):
    theirs, value, draws, left = skewed(seed)
    assert Shape.of(value, draws, left).interval(0.95) == pytest.approx(theirs, abs=1e-12)


def test_it_is_neither_the_percentile_interval_nor_symmetric():
    _, value, draws, left = skewed(0)
    low, high = Shape.of(value, draws, left).interval(0.95)
    plain = np.quantile(draws, [0.025, 0.975])
    assert low > plain[0] + 0.05
    assert high > plain[1] + 0.05


def test_few_units_widen_it_as_student_does():
    _, value, draws, left = skewed(1)
    narrow = Shape.of(value, draws, left)
    for units in (5, 60, 100_000):
        wide = Shape.of(value, draws, left, units)
        level = 1 - 2 * stats.norm.cdf(np.sqrt(units / (units - 1)) * stats.t.ppf(0.025, units - 1))
        assert wide.interval(0.95) == pytest.approx(narrow.interval(level), abs=1e-9)
    assert Shape.of(value, draws, left, 100_000).interval(0.95) == pytest.approx(
        narrow.interval(0.95), abs=1e-3
    )


@pytest.mark.parametrize("units", [None, 12])
@pytest.mark.parametrize("seed", range(5))
def test_at_the_p_value_the_interval_ends_at_zero(seed, units):
    _, value, draws, left = skewed(seed)
    off = np.quantile(draws, 0.03)
    shape = Shape.of(value - off, draws - off, left - off, units)
    level = brentq(lambda one: shape.interval(one)[0], 0.5, 0.9999)
    assert shape.p_value() == pytest.approx(1 - level, abs=3e-3)


def test_a_p_value_is_no_smaller_than_the_draws_can_tell():
    _, value, draws, left = skewed(2)
    assert draws.min() > 0
    shape = Shape.of(value, draws, left)
    assert 0 < shape.p_value() < 2 / len(draws)
    assert Shape.of(0.0, np.zeros(100), np.zeros(5)).p_value() == 1.0


def test_draws_without_the_figure_are_left_out_and_counted():
    _, value, draws, left = skewed(3)
    holes = np.concatenate([draws, np.full(99, np.nan)])
    shape = Shape.of(value, holes, np.append(left, np.nan))
    assert (shape.undefined, shape.why_not) == (99, None)
    assert shape.interval(0.95) == Shape.of(value, draws, left).interval(0.95)
    more = Shape.of(value, np.concatenate([holes, [np.nan] * 9]), left)
    assert more.why_not == "undefined in more than 5% of the draws"
    assert Shape.of(value, np.full(10, np.nan), left).why_not == more.why_not


def test_what_never_varies_has_no_interval():
    draws = np.ones(100)
    assert Shape.of(1.0, draws, np.ones(7)).why_not == "the same in every draw"
    draws[3] -= 1e-15  # what rounding makes of a figure of 1
    assert Shape.of(1.0, draws, np.ones(7)).why_not == "the same in every draw"
    draws[3] -= 1e-9
    assert Shape.of(1.0, draws, np.ones(7)).why_not is None


def test_an_acceleration_beyond_the_pole_gives_the_outermost_draw():
    """One unit is all there is to the figure: the formula's denominator would turn negative."""
    draws = np.sort(np.random.default_rng(0).exponential(size=1000))
    shape = Shape(draws, 0, 0.0, 0.9, 3)
    low, high = shape.interval(0.95)
    assert high == draws[-1]
    assert draws[0] <= low < np.median(draws)
