"""Intervals on their way from an evaluation to a version, and how publishing looks at them."""

import json

import pytest

import zoo
from zoo.errors import PredictionsError, RunError
from zoo.registry.config import open_registry


def test_they_are_in_the_record_and_the_card(run, here):
    zoo.evaluate(run.path, draws=300, seed=7, level=0.9)
    written = run.metrics("test")["intervals"]
    assert (written["draws"], written["seed"], written["level"]) == (300, 7, 0.9)
    record = zoo.publish(run, "m")
    held = {name: one for name, one in written["overall"].items() if one is not None}
    assert record.intervals["test"] == {
        name: [one["low"], one["high"], 0.9] for name, one in held.items()
    }
    low, high, _ = record.intervals["test"]["accuracy"]
    assert low < record.metrics["test"]["accuracy"] < high
    card = (run.path / "README.md").read_text()
    value = record.metrics["test"]["accuracy"]
    assert f"{value:.4f} ({low:.4f} to {high:.4f})" in card
    assert "90 %" in card
    whole = json.loads(open_registry().read_file(record, "metrics/test.json"))
    assert whole["intervals"] == written


def test_without_draws_there_are_none(run, here):
    done = zoo.evaluate(run.path, draws=0)
    assert "intervals" not in done.metrics
    assert done.notice is None
    record = zoo.publish(run, "m")
    assert record.intervals is None


@pytest.mark.parametrize("change", ["low", "seed", "gone"])
def test_one_that_is_not_that_of_the_predictions_is_not_published(run, here, change):
    zoo.evaluate(run.path, draws=200)
    path = run.metrics_path("test")
    written = json.loads(path.read_text())
    if change == "low":
        written["intervals"]["overall"]["f1"]["low"] -= 0.001
    elif change == "seed":
        written["intervals"]["seed"] = 1
    else:
        written["intervals"]["overall"]["f1"] = None
    path.write_text(json.dumps(written))
    with pytest.raises(RunError) as caught:
        zoo.publish(run, "m")
    assert str(caught.value) == (
        f"run {str(run.path)!r}: the figures on 'test' are not those of its predictions; "
        f"type: zoo eval {run.path} --split test"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "intervals: expected draws, seed and level"),
        ({"draws": 200, "seed": 0}, "intervals: expected draws, seed and level"),
        (
            {"draws": 200.0, "seed": 0, "level": 0.95},
            "intervals {'draws': 200.0, 'seed': 0, 'level': 0.95}: wrong types",
        ),
        (
            {"draws": 10**9, "seed": 0, "level": 0.95},
            "draws 1000000000: expected a whole number from 100 to 100,000",
        ),
    ],
)
def test_a_damaged_plan_is_told(run, here, given, message):
    zoo.evaluate(run.path, draws=200)
    path = run.metrics_path("test")
    written = json.loads(path.read_text())
    path.write_text(json.dumps({**written, "intervals": given}))
    with pytest.raises(PredictionsError) as caught:
        zoo.publish(run, "m")
    assert str(caught.value) == message


def test_what_would_take_long_is_computed_only_when_asked_for(run, here, monkeypatch):
    monkeypatch.setattr("zoo.predictions.intervals._BY_DEFAULT", 1000)
    done = zoo.evaluate(run.path)
    assert "intervals" not in done.metrics
    assert done.notice == (
        f"2,000 draws of {done.samples} samples and 10 classes take about 0 s: for intervals add "
        f"--draws 2000"
    )
    asked = zoo.evaluate(run.path, draws=200)
    assert asked.metrics["intervals"]["draws"] == 200
    assert asked.notice is None


def test_equal_plans_are_equal_to_the_last_bit(run, here):
    one = zoo.evaluate(run.path, draws=200, seed=3).metrics
    assert zoo.evaluate(run.path, draws=200, seed=3).metrics == one
    assert zoo.evaluate(run.path, draws=200, seed=4).metrics != one
    # The figures themselves are not touched by how often is drawn.
    assert zoo.evaluate(run.path, draws=0).metrics == {
        name: value for name, value in one.items() if name != "intervals"
    }
