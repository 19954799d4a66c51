"""Shares and differences of shares, against scipy and against the slow, obvious way."""

import numpy as np
import pytest
from scipy import optimize, stats

from zoo.predictions.proportions import exact_p_value, score_p_value, tango, wilson


def test_wilson_is_scipys():
    for hits, of in ((0, 10), (1, 3), (570, 582), (10, 10), (12345, 20000)):
        for level in (0.9, 0.95, 0.99):
            theirs = stats.binomtest(hits, of).proportion_ci(level, "wilson")
            ours = wilson(np.array([hits]), np.array([of]), level)
            assert (ours[0][0], ours[1][0]) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_of_nothing_is_undefined_and_ends_lie_around_the_share():
    low, high = wilson(np.array([0, 0, 7]), np.array([0, 7, 7]), 0.95)
    assert np.isnan([low[0], high[0]]).all()
    assert (low[1], high[2]) == (0.0, 1.0)
    assert high[1] == pytest.approx(1 - low[2])
    assert low[2] < 0.7


def likely_errors(first, second, total, difference):
    """The second one's share of samples that it alone is right about, where ``difference`` is the
    true one: the likelihood's maximum, found by trying."""

    def unlikely(share):
        both = np.array([share + difference, share, 1 - 2 * share - difference])
        return -(np.array([first, second, total - first - second]) * np.log(both)).sum()

    ends = max(0.0, -difference), (1 - difference) / 2
    inside = ends[0] + 1e-12, ends[1] - 1e-12
    return optimize.minimize_scalar(unlikely, bounds=inside, method="bounded",
                                    options={"xatol": 1e-12}).x  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "total"), [(43, 12, 100), (5, 3, 582), (2, 9, 30), (1, 1, 5)]
)
def test_at_tangos_ends_the_score_is_the_normal_quantile(first, second, total):
    for level in (0.9, 0.95):
        z = stats.norm.ppf((1 + level) / 2)
        for end, sign in zip(tango(first, second, total, level), (1, -1), strict=True):
            share = likely_errors(first, second, total, end)
            spread = total * (2 * share + end * (1 - end))
            score = (first - second - total * end) / np.sqrt(spread)
            assert sign * score == pytest.approx(z, abs=1e-4)


def test_tango_turns_with_its_sides_and_never_is_a_point():
    low, high = tango(14, 5, 200, 0.95)
    assert tango(5, 14, 200, 0.95) == pytest.approx((-high, -low), abs=1e-9)
    z2 = stats.norm.ppf(0.975) ** 2
    assert tango(0, 0, 50, 0.95) == pytest.approx((-z2 / (50 + z2), z2 / (50 + z2)), abs=1e-9)
    low, high = tango(10, 0, 10, 0.95)
    assert high == 1.0
    assert 0.3 < low < 0.6
    assert tango(0, 10, 10, 0.95) == pytest.approx((-1.0, -low), abs=1e-9)


def test_tangos_ends_lie_around_the_difference_of_any_counts():
    """At the corners a root of rounding's making would be no number."""
    for total in (1, 2, 3, 7, 37):
        for first in range(total + 1):
            for second in range(total + 1 - first):
                low, high = tango(first, second, total, 0.95)
                difference = (first - second) / total
                assert -1 <= low <= difference <= high <= 1
                assert high - low > 0.01


@pytest.mark.parametrize(("first", "second"), [(14, 5), (6, 0), (40, 41)])
def test_the_score_test_and_tangos_interval_say_the_same(first, second):
    p = score_p_value(first, second)
    low, _ = tango(max(first, second), min(first, second), 200, 1 - p)
    assert low == pytest.approx(0, abs=1e-6)


def test_mcnemars_exact_test_is_scipys_of_a_coin():
    for first in range(12):
        for second in range(12):
            if first + second:
                theirs = stats.binomtest(first, first + second).pvalue
                assert exact_p_value(first, second) == pytest.approx(theirs, abs=1e-12)
    assert (exact_p_value(0, 0), score_p_value(0, 0)) == (1.0, 1.0)
