"""The variance of an AUROC against all pairs, compared one by one."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from zoo.predictions.delong import Area


def brute(truth, scores):
    """(AUROC, DeLong's variance) by the matrix of all pairs."""
    ones, zeros = scores[truth == 1], scores[truth == 0]
    wins = (ones[:, None] > zeros) + 0.5 * (ones[:, None] == zeros)
    of_ones, of_zeros = wins.mean(1), wins.mean(0)
    return wins.mean(), of_ones.var(ddof=1) / len(ones) + of_zeros.var(ddof=1) / len(zeros)


@pytest.mark.parametrize("seed", range(30))
def test_it_equals_all_pairs_with_ties_too(seed):
    rng = np.random.default_rng(seed)
    truth = np.concatenate([[0, 0, 1, 1], rng.integers(0, 2, 60)])
    scores = rng.normal(size=64) + truth
    scores = np.round(scores, 1) if seed % 2 else scores
    area, (value, variance) = Area.of(truth, scores), brute(truth, scores)
    assert area.value == pytest.approx(value, abs=1e-12)
    assert area.value == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert area.variance == pytest.approx(variance, abs=1e-12)


def test_a_hundred_thousand_scores_are_no_matter():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 100_000)
    area = Area.of(truth, rng.normal(size=100_000) + truth)
    low, high = area.interval(0.95)
    assert low < area.value < high < low + 0.01


def test_the_interval_lies_inside_zero_and_one_and_is_wider_towards_the_middle():
    rng = np.random.default_rng(1)
    truth = np.repeat([1, 0], [8, 40])
    area = Area.of(truth, rng.normal(size=48) + 3 * truth)
    low, high = area.interval(0.95)
    assert 0 < low < area.value < high < 1
    assert area.value - low > high - area.value
    wider = area.interval(0.99)
    assert wider[0] < low
    assert wider[1] > high


def test_where_the_variance_is_unknown_a_model_gives_the_ends():
    truth = np.repeat([1, 0], [30, 170])
    apart = Area.of(truth, truth)
    assert (apart.value, apart.variance) == (1.0, 0.0)
    assert np.isnan(apart.interval(0.95)).all()
    low, high = apart.modelled_interval(0.95)
    assert high == 1.0
    assert 0.94 < low < 0.98
    turned = Area.of(1 - truth, truth)
    assert turned.modelled_interval(0.95) == pytest.approx((0.0, 1 - low), abs=1e-9)
    alone = Area.of(np.array([1, 0, 0, 0, 0]), np.array([3, 1, 2, 4, 5]))
    assert np.isnan(alone.variance)
    low, high = alone.modelled_interval(0.95)
    assert 0 < low < 0.5 < high < 1


def test_the_models_ends_are_where_the_score_is_the_normal_quantile():
    """Hanley and McNeil's variance, with both numbers taken for their mean in the products."""
    area, z = Area(0.9, float("nan"), float("nan"), 20, 50), stats.norm.ppf(0.975)
    for end in area.modelled_interval(0.95):
        one, two = end / (2 - end), 2 * end**2 / (1 + end)
        spread = end * (1 - end) + (35 - 1) * (one - end**2 + two - end**2)
        assert abs(0.9 - end) / np.sqrt(spread / 1000) == pytest.approx(z, abs=1e-6)


@pytest.mark.parametrize("truth", [np.zeros(5), np.ones(5)])
def test_one_side_alone_has_no_area(truth):
    area = Area.of(truth, np.arange(5))
    assert np.isnan([area.value, area.variance]).all()
