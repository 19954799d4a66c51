"""How often intervals hold the truth, and how often a difference is shown where there is none:
1,000 simulated sets each. The figures are in docs/metrics.md; ``-s`` prints them.

A share of 95 % seen 1,000 times has a standard deviation of 0.7 %: the band is two of them.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from planted import BINARY, said
from scipy import stats

from zoo.predictions.across_seeds import compare_seeds
from zoo.predictions.classification import Classification
from zoo.predictions.comparison import NEITHER, Together
from zoo.predictions.delong import Area
from zoo.predictions.drawn import Drawn, Key
from zoo.predictions.ece_interval import chance, from_zero
from zoo.predictions.intervals import Plan, interval_of
from zoo.predictions.proportions import wilson
from zoo.predictions.resampling import Units
from zoo.predictions.same_samples import Named

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SETS, LOW, HIGH = 1000, 0.935, 0.965


@dataclass
class Figures:
    overall: dict
    averages: dict
    by_class: dict


class MeanOf:
    """The mean of a value a sample, as the mean Dice over images is."""

    def __init__(self, values):
        self.values = values

    def figures(self, weights=None):
        weights = np.ones(len(self.values), int) if weights is None else weights
        return Figures({"dice": (self.values @ weights) / weights.sum(0)}, {}, {})


def bootstrapped(values, seed, groups=None, level=0.95):
    plan = Plan(seed=seed, level=level)
    units = Units.of(len(values), groups)
    one = interval_of(Drawn.of(MeanOf(values), units, plan.draws, seed), 0, plan)
    return one.low, one.high


def held(truth, intervals, what):
    """The share of intervals that hold ``truth``."""
    found = list(intervals)
    share = float(np.mean([low <= truth <= high for low, high in found]))
    print(f"{what}: {share:.1%} of {len(found)}")
    return share


@pytest.mark.parametrize("accuracy", [0.99, 0.8])
def test_accuracy_by_wilson(accuracy):
    hits = np.random.default_rng(1).binomial(582, accuracy, SETS)
    both = zip(*wilson(hits, np.full(SETS, 582), 0.95), strict=True)
    assert LOW <= held(accuracy, both, f"accuracy {accuracy}, n 582, Wilson") <= HIGH


def test_accuracy_by_percentiles_misses_the_band():
    """The negative control: what a plain bootstrap would give."""
    rng = np.random.default_rng(1)
    hits = rng.binomial(582, 0.99, SETS)
    draws = rng.binomial(582, hits[:, None] / 582, (SETS, 2000)) / 582
    both = zip(*np.quantile(draws, [0.025, 0.975], axis=1), strict=True)
    assert held(0.99, both, "accuracy 0.99, n 582, percentiles") < LOW


def scores(rng, area, positives=30, negatives=170):
    truth = np.repeat([1, 0], [positives, negatives])
    return truth, rng.normal(size=len(truth)) + truth * np.sqrt(2) * stats.norm.ppf(area)


@pytest.mark.parametrize("area", [0.75, 0.85, 0.92])
def test_auroc_by_delong(area):
    rng = np.random.default_rng(2)
    found = (Area.of(*scores(rng, area)).interval(0.95) for _ in range(SETS))
    assert LOW <= held(area, found, f"AUROC {area}, n 200, 30 positives, DeLong") <= HIGH


def test_auroc_near_one_is_held_less_often():
    """What the docs admit: nine of ten thousand pairs are told from the few that are wrong."""
    rng = np.random.default_rng(2)
    found = (Area.of(*scores(rng, 0.97)).interval(0.95) for _ in range(SETS))
    assert 0.90 < held(0.97, found, "AUROC 0.97, n 200, 30 positives, DeLong") < HIGH


def dice(rng, images):
    """Most are well found, one in twelve is nearly missed."""
    missed = rng.random(images) < 1 / 12
    return np.where(missed, rng.beta(1, 3, images), rng.beta(12, 2, images))


MEAN_DICE = 11 / 12 * 12 / 14 + 1 / 12 * 1 / 4


def test_mean_dice_by_bca():
    rng = np.random.default_rng(3)
    found = (bootstrapped(dice(rng, 60), seed) for seed in range(SETS))
    assert LOW <= held(MEAN_DICE, found, "mean Dice, n 60, BCa") <= HIGH


def test_mean_dice_by_percentiles_is_held_less_often():
    rng, found = np.random.default_rng(3), []
    for _ in range(SETS):
        draws = rng.choice(dice(rng, 60), (2000, 60)).mean(1)
        found.append(np.quantile(draws, [0.025, 0.975]))
    assert held(MEAN_DICE, found, "mean Dice, n 60, percentiles") < LOW


def patients(rng, count=50, images=6):
    """(0/1, whose it is): what is found in one image is likely found in a patient's others."""
    chance_of_each = rng.beta(4, 1, count)
    found = rng.random((count, images)) < chance_of_each[:, None]
    return found.astype(float).reshape(-1), np.repeat(np.arange(count), images)


def test_accuracy_over_groups_by_bca():
    rng = np.random.default_rng(4)
    found = (
        bootstrapped(values, seed, groups)
        for seed, (values, groups) in enumerate(patients(rng) for _ in range(SETS))
    )
    assert LOW <= held(0.8, found, "accuracy 0.8, 50 patients of 6 images, BCa") <= HIGH


def test_accuracy_over_the_samples_of_groups_is_held_far_less_often():
    """The negative control: as if a patient's images were independent."""
    rng = np.random.default_rng(4)
    found = (bootstrapped(patients(rng)[0], seed) for seed in range(SETS))
    assert held(0.8, found, "the same, images taken for independent, BCa") < 0.9


def test_the_calibration_error_by_its_own_interval():
    """Of right probabilities, and of some that are 1.3 and 2 times as sure as they should be."""
    for slope, truth, least in ((1.0, 0.0, 0.90), (1.3, 0.0385, 0.84), (2.0, 0.0934, 0.89)):
        rng, found, plain = np.random.default_rng(5), [], []
        for seed in range(200):
            logits = rng.normal(size=360) * 2
            targets = (rng.random(360) < 1 / (1 + np.exp(-logits))).astype(int)
            given = said(BINARY, targets, logits * slope)
            drawn = Drawn.of(Classification.of(given), Units.of(360), 1000, seed)
            place = drawn.keys.index(Key("overall", "ece"))
            most, _ = chance(BINARY, targets, given.probabilities, drawn.units, 0.95)
            found.append(from_zero(drawn.values[place], drawn.draws[place], most, 0.95))
            plain.append(drawn.shape(place).interval(0.95))
        what = f"ECE {truth}, n 360"
        assert least < held(truth, found, f"{what}, turned around")
        assert held(truth, plain, f"{what}, BCa") < 0.92


def shown(first, second, names, plan):
    """Whether a difference is shown between two of the same samples, by figure."""
    (pair,) = Together([Named("a", first), Named("b", second)], plan).pairs()
    return [pair.differences[Key("overall", one)].better(0.95) != NEITHER for one in names]


def rate(found, what):
    share = float(np.mean(found))
    print(f"{what}: a difference shown in {share:.1%} of {len(found)}")
    return share


@pytest.mark.parametrize(("accuracy", "size"), [(0.99, 582), (0.9, 360)])
def test_no_difference_in_accuracy_is_shown_in_one_of_twenty(accuracy, size):
    rng, found = np.random.default_rng(6), []
    for seed in range(SETS):
        targets = rng.integers(0, 2, size)
        right = rng.random((2, size)) < accuracy
        sides = [said(BINARY, targets, (2 * (one == (targets == 1)) - 1) * 1.0) for one in right]
        found += shown(*sides, ["accuracy"], Plan(draws=100, seed=seed))
    assert 0.03 <= rate(found, f"accuracy {accuracy}, n {size}") <= 0.065


def test_no_difference_by_the_bootstrap_is_shown_in_about_one_of_twenty():
    rng, found, names = np.random.default_rng(7), [], ["auroc", "log_loss"]
    for seed in range(SETS):
        targets, hard = scores(rng, 0.85)
        sides = [said(BINARY, targets, hard - 1 + 0.5 * rng.normal(size=200)) for _ in "ab"]
        found.append(shown(*sides, names, Plan(draws=1000, seed=seed)))
    for name, one in zip(names, np.transpose(found), strict=True):
        assert 0.03 <= rate(one, f"{name}, n 200, 30 positives") <= 0.07


@pytest.mark.parametrize("paired", [True, False])
def test_no_difference_over_seeds_is_shown_in_one_of_twenty(paired):
    rng, found = np.random.default_rng(8), []
    for _ in range(SETS):
        one, other = rng.normal(0.9, 0.01, (2, 5))
        seeds = range(5) if paired else range(5, 10)
        test = compare_seeds(dict(enumerate(one)), dict(zip(seeds, other, strict=True)))
        found.append(test.p < 0.05)
    assert 0.03 <= rate(found, f"five seeds, {test.name}") <= 0.07
