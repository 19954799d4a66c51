"""Which interval a figure has, that it is the method's, and what is said where there is none."""

import json
import time

import numpy as np
import pytest
from planted import BINARY, right_with, said
from scipy import stats
from sklearn.metrics import f1_score

from zoo.errors import PredictionsError
from zoo.predictions.bca import Shape
from zoo.predictions.classification import Classification
from zoo.predictions.delong import Area
from zoo.predictions.intervals import Plan, intervals
from zoo.predictions.proportions import wilson
from zoo.predictions.resampling import Units
from zoo.tasks import Task

THREE = Task.multiclass(["a", "b", "c"])
TAGS = Task.multilabel(["x", "y"])
NAMES = (
    "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "auroc",
    "average_precision", "mcc", "kappa", "log_loss", "brier", "ece",
)  # fmt: skip


def of(given, plan=None):
    return intervals(given, Classification.of(given), plan or Plan(draws=300))


def noisy(task, size, seed=0, **more):
    rng = np.random.default_rng(seed)
    if task.kind == "multilabel":
        targets = rng.integers(0, 2, (size, len(task.classes)))
        logits = rng.normal(size=targets.shape) * 1.5 + (2 * targets - 1)
    else:
        targets = np.arange(size) % len(task.classes)
        side = np.eye(len(task.classes))[targets]
        logits = rng.normal(size=side.shape) + 1.5 * side
        logits = logits if task.outputs > 1 else logits[:, 1:] - logits[:, :1]
    return said(task, targets, logits, **more)


def ends(interval):
    return interval["low"], interval["high"]


@pytest.mark.parametrize("task", [BINARY, THREE, TAGS], ids=lambda task: task.kind)
def test_every_figure_has_one_that_holds_it(task):
    given = noisy(task, 120)
    found, figures = of(given), Classification.of(given).figures()
    overall = figures.overall
    assert {*NAMES} <= {*found["overall"]} == {*overall}
    assert {*found["averages"]} == {"macro", "micro", "weighted"}
    assert [len(found["per_class"])] == [len(task.classes)]
    pairs = [(found["overall"][name], overall[name]) for name in overall]
    pairs += [
        (found["averages"][kind][name], table[name])
        for kind, table in figures.averages.items()
        for name in table
    ]
    pairs += [
        (row[name], figures.by_class[name][k])
        for k, row in enumerate(found["per_class"])
        for name in row
    ]
    assert len(pairs) > 35
    for interval, value in pairs:
        assert interval["low"] <= value <= interval["high"]
        assert interval["low"] < interval["high"]
    assert found["notes"] == []
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_methods_by_figure():
    found = of(noisy(BINARY, 120))
    assert {name: one["method"] for name, one in found["overall"].items()} == {
        **dict.fromkeys(NAMES, "bca"),
        **dict.fromkeys(("accuracy", "precision", "recall", "specificity"), "wilson"),
        "auroc": "delong",
        "ece": "reflected",
    }
    found = of(noisy(THREE, 120))
    exact = {name for name, one in found["overall"].items() if one["method"] != "bca"}
    assert exact == {"accuracy", "ece"}
    of_class = {name: one["method"] for name, one in found["per_class"][0].items()}
    assert {name for name, one in of_class.items() if one == "wilson"} == {
        "precision", "recall", "specificity",
    }  # fmt: skip
    assert of_class["auroc"] == "delong"
    found = of(noisy(TAGS, 120))
    exact = {name for name, one in found["overall"].items() if one["method"] != "bca"}
    assert exact == {"exact_match", "ece"}


def test_wilsons_and_delongs_are_those_of_the_counts_and_scores():
    given = noisy(THREE, 90)
    found = of(given)
    right = (given.decisions == given.targets).sum()
    low, high = wilson(np.array([right]), np.array([90]), 0.95)
    assert ends(found["overall"]["accuracy"]) == (low[0], high[0])
    for k, row in enumerate(found["per_class"]):
        truth, decided = given.targets == k, given.decisions == k
        for name, hits, total in (
            ("recall", truth & decided, truth),
            ("precision", truth & decided, decided),
            ("specificity", ~truth & ~decided, ~truth),
        ):
            low, high = wilson(np.array([hits.sum()]), np.array([total.sum()]), 0.95)
            assert ends(row[name]) == (low[0], high[0])
        area = Area.of(truth.astype(int), given.probabilities[:, k])
        assert ends(row["auroc"]) == area.interval(0.95)


def test_the_bootstraps_is_that_of_copied_samples():
    """Macro F1 by copying the samples of every draw, and leaving each out in turn."""
    given, plan = noisy(THREE, 60), Plan(draws=200, seed=5)
    units = Units.of(60)

    def f1(which):
        return f1_score(given.targets[which], given.decisions[which], average="macro")

    draws = [
        f1(np.repeat(np.arange(60), column))
        for block in units.draws(200, seed=5)
        for column in block.T
    ]
    left = [f1(np.delete(np.arange(60), one)) for one in range(60)]
    shape = Shape.of(f1(np.arange(60)), np.array(draws), np.array(left), 60)
    assert ends(of(given, plan)["overall"]["f1"]) == pytest.approx(shape.interval(0.95), abs=1e-9)


def test_groups_are_drawn_whole_and_widen_what_is_alike_within_them():
    """Ten copies of each sample: the interval must be that of the samples, not of the copies."""
    alone = right_with(0.8, 60, 3)
    copies = np.repeat(np.arange(60), 10)
    both = {"ids": np.array([f"s{i}" for i in range(600)])}
    groups = np.array([f"patient {i}" for i in copies])
    logits = alone.logits[copies]
    grouped = of(said(BINARY, alone.targets[copies], logits, groups=groups, **both), Plan())
    naive = of(said(BINARY, alone.targets[copies], logits, **both), Plan())
    assert (grouped["units"], grouped["count"]) == ("groups", 60)
    assert (naive["units"], naive["count"]) == ("samples", 600)
    assert {one["method"] for one in grouped["overall"].values()} == {"bca", "reflected"}

    def width(found):
        low, high = ends(found["overall"]["accuracy"])
        return high - low

    truth = of(alone, Plan())
    assert width(grouped) == pytest.approx(width(truth), rel=0.1)
    assert width(naive) < 0.4 * width(truth)


def test_seed_level_and_draws_are_kept_to():
    given = noisy(BINARY, 80)
    one, same = of(given, Plan(draws=200, seed=1)), of(given, Plan(draws=200, seed=1))
    assert one == same
    assert one["overall"]["f1"] != of(given, Plan(draws=200, seed=2))["overall"]["f1"]
    wide = of(given, Plan(draws=200, seed=1, level=0.99))
    assert (wide["level"], wide["draws"], wide["seed"]) == (0.99, 200, 1)
    for name in NAMES:
        low, high = ends(one["overall"][name])
        assert ends(wide["overall"][name])[0] < low or low == 0
        assert ends(wide["overall"][name])[1] > high


def test_without_a_mistake_shares_and_areas_have_one_still_and_the_rest_says_why_not():
    given = right_with(1.0, 40, 0)
    found = of(given)
    low, high = ends(found["overall"]["accuracy"])
    assert (high, found["overall"]["auroc"]["method"]) == (1.0, "newcombe")
    assert 0.9 < low < 0.93
    assert found["overall"]["f1"] is None
    (note,) = found["notes"]
    assert note == (
        "no interval, for it is the same in every draw: balanced_accuracy, f1, average_precision, "
        "mcc, kappa (and 26 others)"
    )


def test_a_rare_class_is_undefined_in_some_draws_or_has_no_interval():
    rng = np.random.default_rng(0)
    targets = np.array([0, 0, 1] * 20 + [2])
    logits = rng.normal(size=(61, 3)) + 1.5 * np.eye(3)[targets]
    found = of(said(THREE, targets, logits), Plan(draws=1000))
    assert found["per_class"][2]["f1"] is None
    assert found["per_class"][2]["recall"]["method"] == "wilson"
    assert found["per_class"][2]["auroc"]["method"] == "newcombe"
    assert "no interval, for it is undefined in more than 5% of the draws: f1 of 'c'" in " ".join(
        found["notes"]
    )
    targets = np.array([0, 0, 1] * 20 + [2] * 4)
    logits = rng.normal(size=(64, 3)) + 1.5 * np.eye(3)[targets]
    found = of(said(THREE, targets, logits), Plan(draws=1000))
    assert found["per_class"][2]["f1"]["method"] == "bca"
    (note,) = found["notes"]
    assert note.startswith("undefined in up to ")
    assert note.endswith(" of 1,000 draws, which are left out: f1 of 'c', average_precision of "
                         "'c', mcc of 'c', kappa of 'c'")  # fmt: skip


def test_a_class_without_samples_is_undefined_and_no_note_is_made_of_it():
    targets = np.array([0, 1] * 30)
    logits = np.random.default_rng(0).normal(size=(60, 3)) + np.eye(3)[targets]
    logits[:, 2] -= 9
    found = of(said(THREE, targets, logits))
    row = found["per_class"][2]
    assert [row[name] for name in ("recall", "precision", "f1", "auroc")] == [None] * 4
    assert row["specificity"]["method"] == "wilson"
    assert found["notes"] == []


def test_a_class_never_decided_has_a_precision_of_zero_and_no_interval():
    targets = np.array([0, 1] * 10 + [2])
    logits = np.eye(3)[targets] * 3 + np.random.default_rng(0).normal(size=(21, 3))
    logits[:, 2] = -9
    found = of(said(THREE, targets, logits))
    assert found["per_class"][2]["precision"] is None
    assert "no interval, for it is never decided: precision of 'c'" in found["notes"]


def test_one_sample_has_wilsons_and_nothing_else():
    found = of(said(BINARY, np.array([1]), [[2.0]]))
    assert ends(found["overall"]["accuracy"])[0] == pytest.approx(0.2065, abs=1e-3)
    assert found["overall"]["log_loss"] is None
    assert found["notes"][0].startswith("no interval, for it is the same in every draw: balanced")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"draws": 99}, "draws 99: expected a whole number from 100 to 100,000"),
        ({"draws": 100_001}, "draws 100001: expected a whole number from 100 to 100,000"),
        ({"seed": -1}, "seed -1: expected a whole number from 0"),
        ({"level": 95}, "level 95: expected a number from 0.5 to 0.999"),
        ({"level": float("nan")}, "level nan: expected a number from 0.5 to 0.999"),
    ],
)
def test_a_wrong_plan_is_told(wrong, message):
    with pytest.raises(PredictionsError) as caught:
        Plan(**wrong)
    assert str(caught.value) == message


def test_two_thousand_draws_of_ten_thousand_samples_of_nine_classes_take_seconds():
    """The time of this thread, whatever else the machine is doing; the limit is 5 s on a quiet
    one."""
    task = Task.multiclass([f"c{i}" for i in range(9)])
    given = noisy(task, 10_000)
    start = time.thread_time()
    found = of(given, Plan())
    assert time.thread_time() - start < 8
    assert found["overall"]["auroc"]["method"] == "bca"


def test_the_share_of_the_normal_tail_outside_is_the_level():
    """Of a mean of many samples every method comes to the same ends."""
    given = right_with(0.5, 4000, 1)
    found = of(given, Plan(draws=4000))
    z = stats.norm.ppf(0.975)
    for name in ("accuracy", "balanced_accuracy"):
        low, high = ends(found["overall"][name])
        assert high - low == pytest.approx(2 * z * 0.5 / np.sqrt(4000), rel=0.04)
