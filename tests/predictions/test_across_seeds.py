"""Recipes compared by several seeds: what is shown needs samples and seeds to agree."""

import numpy as np
import pytest
from planted import right_with
from scipy import stats

from zoo.predictions.across_seeds import PAIRED, WELCH, AcrossSeeds, Recipe, compare_seeds
from zoo.predictions.comparison import FIRST, NEITHER, SECOND, Together
from zoo.predictions.drawn import Key
from zoo.predictions.intervals import Plan
from zoo.predictions.same_samples import Named

ACCURACY = Key("overall", "accuracy")


def recipes(*chances, seeds=5, size=400, spread=0.0):
    """Of each recipe ``seeds`` runs, right with its chance, which varies by ``spread``."""
    rng = np.random.default_rng(0)
    several, found = [], []
    for number, chance in enumerate(chances):
        sides = {}
        for seed in range(seeds):
            sides[seed] = len(several)
            given = right_with(
                np.clip(chance + spread * rng.normal(), 0, 1), size, 10 * number + seed,
                np.arange(size) % 2,
            )  # fmt: skip
            several.append(Named(f"{number}-{seed}", given))
        found.append(Recipe(f"recipe {number}", sides))
    return AcrossSeeds(Together(several, Plan(draws=500)), found)


def test_mean_and_deviation_are_those_of_the_seeds():
    seeds = recipes(0.8, 0.9)
    one = seeds.spreads(1)[ACCURACY]
    place = seeds._together.keys.index(ACCURACY)
    each = [float(drawn.values[place]) for drawn in seeds._together.drawn[5:]]
    assert (one.mean, one.count) == (pytest.approx(np.mean(each)), 5)
    assert one.deviation == pytest.approx(np.std(each, ddof=1))
    assert one.interval.low < one.mean < one.interval.high


def test_a_planted_difference_is_shown():
    (pair,) = recipes(0.8, 0.9).pairs()
    assert pair.better(ACCURACY, 0.95) == SECOND
    assert pair.tests[ACCURACY].name == PAIRED
    assert pair.tests[ACCURACY].count == (5, 5)
    (turned,) = recipes(0.9, 0.8).pairs()
    assert turned.better(ACCURACY, 0.95) == FIRST


def test_samples_alone_do_not_show_it_where_seeds_vary_more():
    """Two seeds each of two equal recipes whose runs are far apart: on these samples the one
    happens to be ahead, and with other seeds it may not be."""
    rng = np.random.default_rng(1)
    chances = [0.70, 0.95, 0.84, 0.97]
    several = [
        Named(
            str(i), right_with(chance, 2000, i, rng.integers(0, 2, 2000) * 0 + np.arange(2000) % 2)
        )
        for i, chance in enumerate(chances)
    ]
    seeds = AcrossSeeds(
        Together(several, Plan(draws=500)),
        [Recipe("one", {0: 0, 1: 1}), Recipe("other", {0: 2, 1: 3})],
    )
    (pair,) = seeds.pairs()
    assert pair.differences[ACCURACY].better(0.95) == SECOND
    assert pair.tests[ACCURACY].p > 0.05
    assert pair.better(ACCURACY, 0.95) == NEITHER


def test_seeds_alone_do_not_show_it_where_samples_are_few():
    """All five seeds of the one are ahead by one of 20 samples, the same for all."""
    targets = np.arange(20) % 2
    ahead = right_with(1.0, 20, 0, targets)
    wrong = ahead.logits.copy()
    wrong[:1] *= -1
    from planted import BINARY, said

    behind = said(BINARY, targets, wrong)
    noise = np.random.default_rng(0).normal(size=(10, 20)) * 0.01
    several = [
        Named(str(i), said(BINARY, targets, (one.logits[:, 0] + noise[i])))
        for i, one in enumerate([behind] * 5 + [ahead] * 5)
    ]
    seeds = AcrossSeeds(
        Together(several, Plan(draws=500)),
        [Recipe("one", dict(enumerate(range(5)))), Recipe("other", dict(enumerate(range(5, 10))))],
    )
    (pair,) = seeds.pairs()
    assert pair.tests[Key("overall", "log_loss")].p < 0.001
    assert pair.differences[Key("overall", "log_loss")].better(0.95) == NEITHER
    assert pair.better(Key("overall", "log_loss"), 0.95) == NEITHER


def test_of_one_seed_no_recipe_is_called_better():
    (pair,) = recipes(0.7, 0.9, seeds=1).pairs()
    assert pair.differences[ACCURACY].better(0.95) == SECOND
    assert np.isnan(pair.tests[ACCURACY].p)
    assert pair.better(ACCURACY, 0.95) == NEITHER


def test_the_tests_are_scipys():
    one, other = np.random.default_rng(0).normal(0.9, 0.01, (2, 4))
    paired = compare_seeds(dict(enumerate(one)), dict(enumerate(other)))
    assert (paired.name, paired.count) == (PAIRED, (4, 4))
    assert paired.p == pytest.approx(stats.ttest_rel(one, other).pvalue)
    # By the seed, not by the order in which they were given.
    turned = compare_seeds(dict(enumerate(one)), dict(reversed(list(enumerate(other)))))
    assert turned.p == paired.p
    welch = compare_seeds(dict(enumerate(one)), dict(enumerate(other[:3], start=1)))
    assert (welch.name, welch.count) == (WELCH, (4, 3))
    assert welch.p == pytest.approx(stats.ttest_ind(one, other[:3], equal_var=False).pvalue)


def test_figures_that_do_not_vary_or_are_undefined_are_not_tested():
    same = {0: 0.5, 1: 0.5}
    assert compare_seeds(same, dict(same)).p == 1.0
    assert np.isnan(compare_seeds(same, {0: 0.6, 1: 0.6}).p)
    shifted = {seed: value + 0.1 for seed, value in enumerate((0.1, 0.2, 0.7))}
    assert np.ptp([shifted[0] - 0.1, shifted[1] - 0.2, shifted[2] - 0.7]) > 0  # by rounding alone
    assert np.isnan(compare_seeds({0: 0.1, 1: 0.2, 2: 0.7}, shifted).p)
    assert np.isnan(compare_seeds(same, {0: 0.6, 1: float("nan")}).p)
    assert np.isnan(compare_seeds({0: 0.5}, {0: 0.6}).p)


def test_several_recipes_are_corrected_on_both_sides():
    pairs = recipes(0.8, 0.85, 0.9).pairs()
    assert [(one.first[-1], one.second[-1]) for one in pairs] == [
        ("0", "1"),
        ("0", "2"),
        ("1", "2"),
    ]
    for get in (lambda one: one.differences[ACCURACY], lambda one: one.tests[ACCURACY]):
        plain, held = ([getattr(get(one), name) for one in pairs] for name in ("p", "p_holm"))
        assert min(held) == pytest.approx(min(1, 3 * min(plain)))
        assert all(a <= b for a, b in zip(plain, held, strict=True))
