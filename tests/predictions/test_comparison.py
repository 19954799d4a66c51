"""Planted differences are found, none is shown where there is none, and wrong pairs are refused."""

import dataclasses

import numpy as np
import pytest
from planted import BINARY, right_with, said
from scipy import stats

from zoo.errors import PredictionsError
from zoo.predictions.comparison import FIRST, NEITHER, SECOND, Together, holm
from zoo.predictions.drawn import Key
from zoo.predictions.intervals import Plan
from zoo.predictions.same_samples import Named
from zoo.tasks import Task

ACCURACY, AUROC = Key("overall", "accuracy"), Key("overall", "auroc")
LOG_LOSS, F1 = Key("overall", "log_loss"), Key("overall", "f1")
PLAN = Plan(draws=1000)


def together(*several, plan=PLAN):
    names = [chr(ord("a") + place) for place in range(len(several))]
    return Together([Named(name, one) for name, one in zip(names, several, strict=True)], plan)


def compared(*several, plan=PLAN):
    return together(*several, plan=plan).pairs()


def two(first, second, size=400, seed=0):
    """Of the same samples, each right with its own probability, by itself."""
    targets = np.random.default_rng(seed).integers(0, 2, size)
    return (
        right_with(first, size, 2 * seed + 1, targets),
        right_with(second, size, 2 * seed + 2, targets),
    )


def test_a_planted_difference_is_found_either_way_round():
    worse, better = two(0.8, 0.92)
    (pair,) = compared(worse, better)
    found = pair.differences[ACCURACY]
    assert found.value == pytest.approx(
        (better.decisions == better.targets).mean() - (worse.decisions == worse.targets).mean()
    )
    assert 0 < found.interval.low < found.value < found.interval.high
    assert found.better(0.95) == SECOND
    (turned,) = compared(better, worse)
    assert turned.differences[ACCURACY].better(0.95) == FIRST
    for key, one in pair.differences.items():
        other = turned.differences[key]
        assert other.value == pytest.approx(-one.value, nan_ok=True)
    assert turned.differences[ACCURACY].interval.high == pytest.approx(-found.interval.low)


def test_of_a_loss_the_lower_is_better():
    worse, better = two(0.7, 0.95)
    (pair,) = compared(worse, better)
    assert pair.differences[LOG_LOSS].value < 0
    assert pair.differences[LOG_LOSS].better(0.95) == SECOND


def test_copies_differ_by_nothing_and_the_interval_holds_zero():
    one, _ = two(0.8, 0.8)
    (pair,) = compared(one, one)
    for found in pair.differences.values():
        assert found.value == 0
        assert found.interval.low <= 0 <= found.interval.high
        assert (found.p, found.better(0.95)) == (1.0, NEITHER)
    assert (pair.apart.first_alone, pair.apart.second_alone, pair.apart.exact_p) == (0, 0, 1.0)


def test_mcnemars_counts_and_p_value():
    first, second = two(0.8, 0.85)
    (pair,) = compared(first, second)
    right = [one.decisions == one.targets for one in (first, second)]
    only = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    assert (pair.apart.first_alone, pair.apart.second_alone) == only
    assert pair.apart.exact_p == pytest.approx(stats.binomtest(only[0], sum(only)).pvalue)
    assert pair.differences[ACCURACY].p == pytest.approx(
        stats.chi2.sf((only[0] - only[1]) ** 2 / sum(only), 1)
    )


def test_pairing_cancels_what_all_find_hard():
    """Both rank by the same difficulty, the one with a little noise of its own less."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 300)
    hard = rng.normal(size=300) + 1.5 * targets
    one = said(BINARY, targets, hard + 0.4 * rng.normal(size=300))
    other = said(BINARY, targets, hard)
    drawn = together(one, other).drawn
    place = list(together(one, other).keys).index(AUROC)
    apart = [np.std(side.draws[place]) for side in drawn]
    paired = np.std((drawn[1] - drawn[0]).draws[place])
    assert paired < 0.6 * np.hypot(*apart)


def test_groups_are_respected_and_then_there_is_no_mcnemar():
    first, second = two(0.8, 0.9, size=100)
    copies = np.repeat(np.arange(100), 6)
    names = {"ids": np.array([f"s{i}" for i in range(600)]),
             "groups": np.array([f"p{i}" for i in copies])}  # fmt: skip

    def copied(one, **more):
        return said(BINARY, one.targets[copies], one.logits[copies], **more)

    (grouped,) = compared(copied(first, **names), copied(second, **names))
    del names["groups"]
    (naive,) = compared(copied(first, **names), copied(second, **names))
    (single,) = compared(first, second)
    assert grouped.apart is None

    def width(pair):
        one = pair.differences[ACCURACY].interval
        return one.high - one.low

    assert width(grouped) == pytest.approx(width(single), rel=0.15)
    assert width(naive) < 0.5 * width(single)


def test_shares_by_class_are_of_the_samples_of_that_class():
    first, second = two(0.8, 0.9)
    (pair,) = compared(first, second)
    for label in (0, 1):
        which = first.targets == label
        recall = [(one.decisions[which] == label).mean() for one in (first, second)]
        found = pair.differences[Key("by_class", "recall", label)]
        assert found.value == pytest.approx(recall[1] - recall[0])
        assert found.interval.method == "tango"
        other = pair.differences[Key("by_class", "specificity", 1 - label)]
        assert other.value == pytest.approx(found.value)
    assert pair.differences[F1].interval.method == "bca"
    assert pair.differences[Key("overall", "ece")].interval.method == "reflected"
    assert pair.differences[Key("overall", "recall")] == dataclasses.replace(
        pair.differences[Key("by_class", "recall", 1)], key=Key("overall", "recall")
    )


def test_several_pairs_are_corrected_as_holm_does():
    several = [right_with(chance, 300, seed, np.arange(300) % 2)
               for seed, chance in enumerate((0.8, 0.86, 0.87))]  # fmt: skip
    pairs = compared(*several)
    assert [(one.first, one.second) for one in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    plain = [one.differences[ACCURACY].p for one in pairs]
    held = [one.differences[ACCURACY].p_holm for one in pairs]
    assert held == holm(plain)
    assert min(held) == pytest.approx(3 * min(plain))
    # An interval without zero is not enough among several.
    only = dataclasses.replace(pairs[0].differences[ACCURACY], p=0.02, p_holm=0.06)
    assert only.interval.low <= 0 or only.better(0.95) == NEITHER


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    found = holm([0.02, float("nan"), 0.01])
    assert found[0] == pytest.approx(0.02)
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(0.02)
    assert holm([]) == []


def test_where_there_is_no_difference_it_is_shown_about_as_often_as_the_level_says():
    """200 pairs of equal quality: 5 % are expected, and at most 10 % accepted, which chance
    exceeds once in a thousand times. ``make sweep`` has 1,000 of each kind."""
    shown = sum(
        compared(*two(0.9, 0.9, size=120, seed=seed), plan=Plan(draws=100))[0]
        .differences[ACCURACY]
        .better(0.95)
        != NEITHER
        for seed in range(200)
    )
    assert 1 <= shown <= 20


def test_the_order_of_the_samples_does_not_matter():
    first, second = two(0.8, 0.9)
    order = np.random.default_rng(0).permutation(len(second))
    turned = said(BINARY, second.targets[order], second.logits[order], ids=second.ids[order])
    assert compared(first, turned) == compared(first, second)


MULTI = Task.multiclass(["no", "yes"])
REFUSED = {
    "another split": (
        {"split": "val"},
        "'a' and 'b' are of different samples: 'test' of 'd'; and 'val' of 'd'",
    ),
    "another dataset": (
        {"dataset": "e"},
        "'a' and 'b' are of different samples: 'test' of 'd'; and 'test' of 'e'",
    ),
    "other ids": (
        {"ids": np.array([f"t{i}" for i in range(30)])},
        "'a' and 'b' are of different samples: 30 and 30, of which 0 have the same id",
    ),
    "other labels": (
        {"targets": np.arange(30) % 2},
        "'a' and 'b' have different labels of 15 samples, such as 's15'",
    ),
    "other classes": (
        {"task": Task.binary(["no", "maybe"], positive="maybe")},
        "'a' and 'b' have different classes: binary of no, yes; and binary of no, maybe",
    ),
    "another task": (
        {"task": MULTI},
        "'a' and 'b' have different classes: binary of no, yes; and multiclass of no, yes",
    ),
    "other groups": (
        {"groups": np.array(["q"] * 30)},
        "'a' and 'b' have different groups",
    ),
    "no labels": ({"targets": None}, "'b' has no labels to measure against"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_of_the_same_samples_is_refused_in_a_line(case):
    change, message = REFUSED[case]
    targets = np.where(np.arange(30) < 15, np.arange(30) % 2, 1 - np.arange(30) % 2)
    first = right_with(0.8, 30, 0, targets, groups=np.array(["p"] * 30))
    with pytest.raises(PredictionsError) as caught:
        compared(first, dataclasses.replace(first, **change))
    assert str(caught.value) == message


def test_fewer_samples_are_told_by_their_number():
    first, second = right_with(0.8, 30, 0), right_with(0.8, 20, 0)
    with pytest.raises(PredictionsError) as caught:
        compared(first, second)
    assert str(caught.value) == (
        "'a' and 'b' are of different samples: 30 and 20, of which 20 have the same id"
    )


def test_the_same_name_twice_is_refused():
    one = right_with(0.8, 30, 0)
    with pytest.raises(PredictionsError) as caught:
        Together([Named("a", one), Named("a", one)], PLAN)
    assert str(caught.value) == "to compare, each may be given once"
