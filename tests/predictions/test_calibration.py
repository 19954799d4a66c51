"""Temperatures that were planted are found; what is decided stays; reliability diagrams."""

import dataclasses

import numpy as np
import pytest
import torch
from planted import BINARY, said
from scipy import optimize

from zoo.errors import PredictionsError
from zoo.predictions.calibration import fit_temperature, reliability, scaled, with_temperature
from zoo.predictions.classification import Classification
from zoo.tasks import Task

FOUR = Task.multiclass(["a", "b", "c", "d"])
TAGS = Task.multilabel(["x", "y", "z"])
TURNED = Task.binary(["yes", "no"], positive="yes")
TASKS = [BINARY, TURNED, FOUR, TAGS]


def drawn(task, sharpness, size=20_000, seed=0, split="val"):
    """Labels drawn from probabilities, of which the network says ``sharpness`` times the logits."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(size, task.outputs)) * 2
    yes = 1 / (1 + np.exp(-logits))
    if task.kind == "multiclass":
        odds = np.exp(logits)
        edges = (odds / odds.sum(1, keepdims=True)).cumsum(1)
        targets = (rng.random((size, 1)) > edges).sum(1).clip(max=3)
    elif task.kind == "multilabel":
        targets = (rng.random(yes.shape) < yes).astype(np.uint8)
    else:
        positive = (rng.random(size) < yes[:, 0]).astype(int)
        targets = positive if task.positive_index == 1 else 1 - positive
    return said(task, targets, logits * sharpness, split=split)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind}-{task.positive}")
@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_a_planted_temperature_is_found(task, sharpness):
    fitted = fit_temperature(drawn(task, sharpness))
    assert fitted.value == pytest.approx(sharpness, rel=0.04)
    assert fitted.after["log_loss"] <= fitted.before["log_loss"]
    if sharpness != 1.0:
        assert fitted.after["ece"] < 0.3 * fitted.before["ece"]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind}-{task.positive}")
def test_it_is_where_the_log_loss_is_least(task):
    """Against a minimization of the log loss itself."""
    given = drawn(task, 2.5, size=300)

    def log_loss(exponent):
        once = scaled(given, float(np.exp(exponent)))
        return float(Classification.of(once).figures().overall["log_loss"])

    least = optimize.minimize_scalar(log_loss, bounds=(-3, 3), method="bounded")
    assert np.log(fit_temperature(given).value) == pytest.approx(least.x, abs=1e-3)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind}-{task.positive}")
def test_what_is_scaled_is_what_torch_would_say_and_decide(task):
    if task.kind != "multiclass":
        task = dataclasses.replace(task, threshold=0.3)
    given = drawn(task, 1.0, size=500)
    once = scaled(given, 2.5)
    logits = torch.from_numpy(given.logits) / 2.5
    assert np.allclose(once.logits, logits.numpy(), atol=1e-6)
    assert np.allclose(once.probabilities, task.probabilities(logits).numpy(), atol=1e-6)
    assert (once.decisions == given.decisions).all()
    assert (once.task.decisions(logits).numpy() == given.decisions).all()
    assert once.temperature == 2.5
    back = scaled(once, None)
    assert np.allclose(back.logits, given.logits, atol=1e-5)
    assert (back.temperature, back.task.kind) == (None, task.kind)
    assert back.task.threshold == pytest.approx(task.threshold)


def test_a_threshold_moves_with_the_temperature():
    task = dataclasses.replace(BINARY, threshold=0.2)
    moved = with_temperature(task, 2.0)
    logit = np.log(0.2 / 0.8)
    assert moved.threshold == pytest.approx(1 / (1 + np.exp(-logit / 2)))
    assert with_temperature(BINARY, 2.0) == BINARY


def test_it_is_fitted_to_what_the_network_said_whatever_it_was_calibrated_by():
    given = drawn(FOUR, 3.0, size=2000)
    assert fit_temperature(scaled(given, 7.0)).value == pytest.approx(
        fit_temperature(given).value, rel=1e-5
    )


def perfect():
    return said(FOUR, np.arange(40) % 4, 9 * np.eye(4)[np.arange(40) % 4], split="val")


def backwards():
    return said(FOUR, np.arange(40) % 4, -9 * np.eye(4)[np.arange(40) % 4], split="val")


def silent():
    return said(FOUR, np.arange(40) % 4, np.zeros((40, 4)), split="val")


REFUSED = {
    "test": (
        lambda: drawn(FOUR, 1.0, 50, split="test"),
        "a temperature is fitted on 'val', never on 'test'",
    ),
    "nothing wrong": (
        perfect,
        "split 'val' of 'd': no temperature is best: the surer, the smaller the log loss, for "
        "nothing or too little is wrong there",
    ),
    "backwards": (
        backwards,
        "split 'val' of 'd': no temperature is best: the less sure, the smaller the log loss, for "
        "what the network says tells nothing of the labels",
    ),
    "the same for all": (
        silent,
        "split 'val' of 'd': no temperature is best: the less sure, the smaller the log loss, for "
        "what the network says tells nothing of the labels",
    ),
    "no labels": (
        lambda: dataclasses.replace(perfect(), targets=None),
        "split 'val' of 'd' has no labels to fit a temperature to",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_where_none_can_be_fitted_a_line_says_why(case):
    make, message = REFUSED[case]
    with pytest.raises(PredictionsError) as caught:
        fit_temperature(make())
    assert str(caught.value) == message


def test_large_logits_are_no_matter():
    given = drawn(FOUR, 1.0, size=500)
    large = said(FOUR, given.targets, given.logits * 1e3, split="val")
    with pytest.raises(PredictionsError, match="the less sure"):
        fit_temperature(large)
    assert fit_temperature(
        said(FOUR, given.targets, given.logits * 50, split="val")
    ).value == pytest.approx(50 * fit_temperature(given).value, rel=1e-4)


def test_reliability_bins_hold_every_sample_once():
    for task in TASKS:
        given = drawn(task, 1.0, size=1000)
        found = reliability(given)
        counts = [sum(row["count"] for row in rows) for rows in found["per_class"]]
        assert counts == [1000] * len(task.classes)
        whole = 3000 if task.kind == "multilabel" else 1000
        assert sum(row["count"] for row in found["overall"]) == whole


def test_reliability_is_the_calibration_errors_parts():
    for task in (BINARY, FOUR):
        given = drawn(task, 2.0, size=1000)
        rows = reliability(given)["overall"]
        error = sum(row["count"] * abs(row["confidence"] - row["share"]) for row in rows) / 1000
        assert error == pytest.approx(float(Classification.of(given).figures().overall["ece"]))
        for row in rows:
            assert row["from"] < row["confidence"] <= row["to"]
            assert row["low"] <= row["share"] <= row["high"]


def test_of_right_probabilities_the_diagram_is_the_diagonal():
    rows = reliability(drawn(BINARY, 1.0))["overall"]
    assert len(rows) == 15
    for row in rows:
        assert row["share"] == pytest.approx(row["confidence"], abs=0.05)
