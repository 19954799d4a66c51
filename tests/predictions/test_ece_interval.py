"""The calibration error's interval: turned around the figure, and down to zero by chance."""

import numpy as np
import pytest
from planted import BINARY, said

from zoo.predictions.classification import Classification
from zoo.predictions.ece_interval import chance, from_zero, reflected, reflected_p_value
from zoo.predictions.intervals import Plan, intervals
from zoo.predictions.resampling import Units
from zoo.tasks import Task


def drawn_from(slope, size, seed=0, **more):
    """Labels drawn from probabilities, which are then told ``slope`` times as sure."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=size) * 2
    targets = (rng.random(size) < 1 / (1 + np.exp(-logits))).astype(int)
    return said(BINARY, targets, logits * slope, **more)


def ece(given):
    return float(Classification.of(given).figures().overall["ece"])


def interval(given):
    found = intervals(given, Classification.of(given), Plan(draws=500))["overall"]["ece"]
    assert found["method"] == "reflected"
    return found["low"], found["high"]


def test_what_chance_alone_gives_is_what_right_probabilities_show():
    one = drawn_from(1, 400)
    said_most, _ = chance(BINARY, one.targets, one.probabilities, Units.of(400), 0.95)
    seen = [ece(drawn_from(1, 400, seed)) for seed in range(1, 200)]
    assert said_most == pytest.approx(np.quantile(seen, 0.95), rel=0.12)


def test_chance_is_of_the_class_with_the_highest_probability_or_of_every_class():
    rng = np.random.default_rng(0)
    odds = np.exp(rng.normal(size=(300, 3)))
    sure = odds / odds.sum(1, keepdims=True)
    targets = (rng.random((300, 1)) > sure.cumsum(1)).sum(1)
    one, each = chance(Task.multiclass(["a", "b", "c"]), targets, sure, Units.of(300), 0.95)
    assert each.shape == (3,)
    assert one not in each.tolist()
    yes = (targets[:, None] == np.arange(3)).astype(int)
    mean, same = chance(Task.multilabel(["a", "b", "c"]), yes, sure, Units.of(300), 0.95)
    assert same == pytest.approx(each)
    assert each.min() * 0.7 < mean < each.max()


def test_groups_vary_more_than_their_samples():
    given = drawn_from(1, 100)
    copies = np.repeat(np.arange(100), 8)
    groups = Units.of(800, copies)
    single, _ = chance(BINARY, given.targets, given.probabilities, Units.of(100), 0.95)
    grouped, _ = chance(BINARY, given.targets[copies], given.probabilities[copies], groups, 0.95)
    naive, _ = chance(
        BINARY, given.targets[copies], given.probabilities[copies], Units.of(800), 0.95
    )
    assert grouped == pytest.approx(single)
    assert naive < 0.5 * single


def test_right_probabilities_are_in_the_interval_and_wrong_ones_are_not():
    assert interval(drawn_from(1, 300))[0] == 0.0
    low, high = interval(drawn_from(4, 2000))
    assert 0.1 < low < high < 0.2


def test_the_figure_itself_is_in_the_interval():
    for seed in range(20):
        given = drawn_from(1, 80, seed)
        low, high = interval(given)
        assert low <= ece(given) <= high


def test_turned_around_the_figure():
    draws = np.linspace(0.3, 0.7, 401)
    assert reflected(0.4, draws, 0.95) == pytest.approx((0.11, 0.49))
    assert from_zero(0.4, draws, 0.2, 0.95) == pytest.approx((0.11, 0.49))
    assert from_zero(0.4, draws, 0.45, 0.95) == pytest.approx((0.0, 0.49))
    assert from_zero(0.2, draws, 0.1, 0.95) == pytest.approx((0.0, 0.2))


def test_at_the_p_value_the_interval_ends_at_zero():
    draws = np.random.default_rng(0).normal(0.1, 0.05, 999)
    p = reflected_p_value(0.1, draws)
    assert 0.02 < p < 0.1
    assert reflected(0.1, draws, 1 - p)[0] == pytest.approx(0, abs=2e-3)
    assert reflected_p_value(0.5, draws) == 1 / 999
    assert reflected_p_value(0.0, np.zeros(9)) == 1.0
