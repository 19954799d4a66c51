"""Thresholds reach on val what was wanted, no more is given away than needed, and never on test."""

import dataclasses

import numpy as np
import pytest
from planted import BINARY, said
from scipy import stats

from zoo.errors import PredictionsError
from zoo.predictions.intervals import Plan
from zoo.predictions.operating_points import (
    Wanted,
    choose,
    measure,
    measured_at,
    wanted,
    wanted_in,
)
from zoo.tasks import Task

SENSITIVE, SPECIFIC = Wanted("sensitivity", 0.9), Wanted("specificity", 0.9)
THREE = Task.multiclass(["a", "b", "c"])
TAGS = Task.multilabel(["x", "y"])
PLAN = Plan(draws=200)


def noisy(task, size, split, seed=0, step=None, **more):
    rng = np.random.default_rng([seed, size])
    if task.kind == "multilabel":
        targets = rng.integers(0, 2, (size, 2))
        logits = rng.normal(size=(size, 2)) + 2 * targets - 1
    else:
        targets = rng.integers(0, len(task.classes), size)
        side = np.eye(len(task.classes))[targets]
        logits = rng.normal(size=side.shape) + 1.5 * side
        logits = logits if task.outputs > 1 else logits[:, 1:] - logits[:, :1]
    if step:
        logits = np.round(logits / step) * step
    return said(task, targets, logits, split=split, **more)


def sides(given, label):
    truth = (
        given.targets[:, label] == 1 if given.task.kind == "multilabel" else given.targets == label
    )
    return truth, given.probabilities[:, label].astype(np.float64)


def reached(truth, scores, threshold):
    decided = scores > threshold
    return {"sensitivity": decided[truth].mean(), "specificity": (~decided[~truth]).mean()}


@pytest.mark.parametrize("step", [None, 1.0], ids=["no ties", "ties"])
@pytest.mark.parametrize("task", [BINARY, THREE, TAGS], ids=lambda task: task.kind)
@pytest.mark.parametrize("figure", ["sensitivity", "specificity"])
def test_it_is_the_best_of_all_thresholds_that_reach_it(task, figure, step):
    """Against every threshold there is."""
    other = {"sensitivity": "specificity", "specificity": "sensitivity"}[figure]
    for seed in range(10):
        val = noisy(task, 60, "val", seed, step)
        for least in (0.5, 0.9, 1.0):
            for point in choose(val, [Wanted(figure, least)]):
                truth, scores = sides(val, point.label)
                found = reached(truth, scores, point.threshold)
                assert found[figure] >= least
                edges = np.concatenate([[0.0], np.unique(scores), [1.0]])
                every = [reached(truth, scores, one) for one in (edges[1:] + edges[:-1]) / 2]
                assert found[other] == max(one[other] for one in every if one[figure] >= least)
                assert 0 < point.threshold <= 1
                assert point.threshold not in scores or point.threshold == 1


def test_equal_scores_stay_on_one_side():
    targets = np.array([1] * 10 + [0] * 10)
    logits = np.array([1.0] * 9 + [-1.0] + [1.0] * 2 + [-1.0] * 8)
    val = said(BINARY, targets, logits, split="val")
    (point,) = choose(val, [SENSITIVE])
    assert point.threshold == pytest.approx(0.5)
    (point,) = choose(val, [Wanted("sensitivity", 0.91)])
    assert reached(*sides(val, 1), point.threshold) == {"sensitivity": 1.0, "specificity": 0.0}


def test_a_binary_task_has_the_positive_class_alone_and_others_each():
    assert [one.label for one in choose(noisy(BINARY, 50, "val"), [SENSITIVE])] == [1]
    assert [one.label for one in choose(noisy(THREE, 50, "val"), [SENSITIVE, SPECIFIC])] == [
        0, 1, 2, 0, 1, 2,
    ]  # fmt: skip
    assert [one.label for one in choose(noisy(TAGS, 50, "val"), [SENSITIVE])] == [0, 1]


@pytest.mark.parametrize("split", ["test", "train", "all"])
def test_on_anything_but_val_none_is_chosen(split):
    with pytest.raises(PredictionsError) as caught:
        choose(noisy(BINARY, 50, split), [SENSITIVE])
    assert str(caught.value) == f"operating points are chosen on 'val', never on '{split}'"


def test_what_is_measured_on_test_does_not_depend_on_its_labels_but_by_its_figures():
    """The threshold is the same whatever test says."""
    val = noisy(BINARY, 80, "val")
    once, other = (measured_at([SENSITIVE], val, noisy(BINARY, 90, "test", seed), PLAN)[0]
                   for seed in (1, 2))  # fmt: skip
    assert once["threshold"] == other["threshold"]
    assert once["figures"] != other["figures"]
    assert once["chosen_on"] == {"split": "val", "fingerprint": "", "samples": 80}


def test_figures_and_wilsons_intervals_on_test():
    val, test = noisy(BINARY, 300, "val"), noisy(BINARY, 400, "test", 1)
    (found,) = measured_at([SENSITIVE], val, test, PLAN)
    truth, scores = sides(test, 1)
    decided = scores > found["threshold"]
    hits = int((decided & truth).sum())
    figures = found["figures"]
    assert figures["sensitivity"] == hits / truth.sum()
    assert figures["specificity"] == (~decided & ~truth).sum() / (~truth).sum()
    assert figures["precision"] == hits / decided.sum()
    assert figures["accuracy"] == (decided == truth).mean()
    assert figures["f1"] == pytest.approx(2 * hits / (truth.sum() + decided.sum()))
    theirs = stats.binomtest(hits, int(truth.sum())).proportion_ci(0.95, "wilson")
    interval = found["intervals"]["sensitivity"]
    assert (interval["low"], interval["high"]) == pytest.approx((theirs.low, theirs.high))
    assert found["intervals"]["f1"]["method"] == "bca"
    assert found["intervals"]["f1"]["low"] < figures["f1"] < found["intervals"]["f1"]["high"]


def test_groups_are_drawn_whole():
    val, test = noisy(BINARY, 100, "val"), noisy(BINARY, 100, "test", 1)
    copies = np.repeat(np.arange(100), 6)
    names = {"ids": np.array([f"s{i}" for i in range(600)]), "split": "test"}
    grouped = said(BINARY, test.targets[copies], test.logits[copies], **names,
                   groups=np.array([str(i) for i in copies]))  # fmt: skip
    plain = said(BINARY, test.targets[copies], test.logits[copies], **names)
    (found,), (naive,) = (measured_at([SPECIFIC], val, one, PLAN) for one in (grouped, plain))
    assert found["figures"] == naive["figures"]
    assert {one["method"] for one in found["intervals"].values()} == {"bca"}

    def width(one):
        return one["intervals"]["accuracy"]["high"] - one["intervals"]["accuracy"]["low"]

    assert width(found) > 2 * width(naive)


def test_a_class_that_val_does_not_have_has_no_point():
    val = said(THREE, np.array([0, 1] * 10), np.zeros((20, 3)), split="val")
    point = choose(val, [SENSITIVE])[2]
    assert point.threshold is None
    found = measure(point, noisy(THREE, 30, "test"), PLAN)
    assert (found["threshold"], found["figures"], found["intervals"]) == (None, None, None)


def test_without_a_plan_there_are_no_intervals():
    val, test = noisy(BINARY, 50, "val"), noisy(BINARY, 50, "test")
    (found,) = measured_at([SENSITIVE], val, test, None)
    assert found["intervals"] is None
    assert found["figures"]["sensitivity"] > 0.5


def test_val_of_another_source_or_calibration_is_refused():
    val, test = noisy(BINARY, 50, "val"), noisy(BINARY, 50, "test")
    for change in ({"source_digest": "0" * 64}, {"temperature": 2.0}, {"dataset": "e"}):
        with pytest.raises(PredictionsError) as caught:
            measured_at([SENSITIVE], dataclasses.replace(val, **change), test, PLAN)
        assert str(caught.value) == (
            "operating points are chosen on predictions of 'm' on 'val' of 'd'; given 'm' on 'val' "
            f"of '{change.get('dataset', 'd')}'"
        )
    with pytest.raises(PredictionsError) as caught:
        measured_at([SENSITIVE], val, val, PLAN)
    assert str(caught.value) == (
        "operating points are chosen on 'val', and measured on another split"
    )
    with pytest.raises(PredictionsError) as caught:
        measured_at([SENSITIVE], dataclasses.replace(val, targets=None), test, PLAN)
    assert str(caught.value) == "split 'val' of 'd' has no labels to choose by"


def test_the_samples_that_are_measured_are_not_those_that_were_chosen_on():
    test = dataclasses.replace(noisy(BINARY, 50, "test"), fingerprint="f", content="c")
    with pytest.raises(PredictionsError) as caught:
        measured_at([SENSITIVE], dataclasses.replace(test, split="val"), test, None)
    assert str(caught.value) == (
        "'val' and 'test' of 'd' hold the very same samples: what is chosen on the one cannot be "
        "measured on the other"
    )
    other = dataclasses.replace(noisy(BINARY, 50, "val"), fingerprint="f", content="d")
    assert len(measured_at([SENSITIVE], other, test, None)) == 1


def test_files_that_do_not_say_whose_weights_spoke_are_told_by_their_names():
    val, test = (noisy(BINARY, 50, split) for split in ("val", "test"))
    with pytest.raises(PredictionsError, match="given 'n' on 'val' of 'd'"):
        measured_at([SENSITIVE], dataclasses.replace(val, source="n"), test, None)


def test_what_was_asked_for_is_found_again():
    asked = wanted(0.9, 0.8)
    val, test = noisy(THREE, 50, "val"), noisy(THREE, 50, "test")
    assert wanted_in(measured_at(asked, val, test, None)) == asked
    assert wanted_in(None) == wanted(None, None) == []
    for wrong in (3, [1], [{}], [{"wanted": 3}]):
        with pytest.raises(PredictionsError, match="operating_points: expected a list"):
            wanted_in(wrong)
    with pytest.raises(PredictionsError, match="expected sensitivity or specificity"):
        wanted_in([{"wanted": {"recall": 0.5}}])


@pytest.mark.parametrize("value", [0.0, -1, 1.01, float("nan")])
def test_what_cannot_be_reached_is_refused(value):
    with pytest.raises(PredictionsError) as caught:
        wanted(value, None)
    assert str(caught.value) == f"sensitivity {value!r}: expected above 0, at most 1"
