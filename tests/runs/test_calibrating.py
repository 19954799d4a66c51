"""A temperature on its way: fitted on val, kept in the run, published, and applied on loading."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import PredictionsError, RunError, ZooWarning
from zoo.predictions.file import load_predictions
from zoo.predictions.intervals import Plan
from zoo.registry.config import open_registry
from zoo.runs.ensemble_publish import publish_ensemble
from zoo.runs.subjects import of_run


def said(run, split):
    return load_predictions(run.predictions_path(split))


def test_it_is_fitted_kept_and_applied(run, here):
    plain = said(run, "test")
    done = zoo.evaluate(run.path, calibrate=True, draws=0)
    kept = run.info["calibration"]
    temperature = kept["temperature"]
    assert temperature != 1.0
    assert (kept["method"], kept["split"], kept["samples"]) == ("temperature", "val", 144)
    assert kept["after"]["log_loss"] < kept["before"]["log_loss"]
    assert done.calibration == kept
    found = said(run, "test")
    assert found.temperature == temperature
    assert np.allclose(found.logits, plain.logits / temperature, atol=1e-5)
    assert (found.decisions == plain.decisions).all()
    # What was kept of val is what its figures say now.
    val = run.metrics("val")
    assert val["log_loss"] == pytest.approx(kept["after"]["log_loss"], abs=1e-6)
    assert val["calibration"] == {"temperature": temperature}


def test_it_is_the_same_when_it_is_fitted_again(run, here):
    zoo.evaluate(run.path, calibrate=True, draws=0)
    first = run.info["calibration"]["temperature"]
    zoo.evaluate(run.path, calibrate=True, draws=0)
    assert run.info["calibration"]["temperature"] == pytest.approx(first, rel=1e-5)


def test_a_version_has_it_and_answers_by_it(run, here):
    zoo.evaluate(run.path, calibrate=True, draws=0)
    record = zoo.publish(run, "m")
    temperature = run.info["calibration"]["temperature"]
    assert record.calibration == {"method": "temperature", "temperature": temperature}
    card = (run.path / "README.md").read_text()
    assert f"outputs are divided by a temperature of {temperature}" in card
    zoo.evaluate("m@1", draws=0)
    of_version = load_predictions(here / "predictions" / "m-1" / "test.npz")
    found = said(run, "test")
    assert np.array_equal(of_version.probabilities, found.probabilities)
    assert of_version.temperature == temperature
    model = zoo.load("m@1", device="cpu")
    images = [np.full((8, 8), value, np.uint8) for value in (0, 90, 255)]
    probabilities = model.predict(images).probabilities
    run.update(calibration=None)
    raw = of_run(run)
    logits = raw.predictor(torch.device("cpu")).logits([model.prepared(one, "x") for one in images])
    expected = (logits / temperature).softmax(1).numpy()
    assert np.allclose(probabilities, expected, atol=1e-6)
    assert not np.allclose(probabilities, logits.softmax(1).numpy(), atol=1e-3)


def test_figures_of_other_probabilities_are_not_published(run, here):
    zoo.evaluate(run.path, calibrate=True, split="val", draws=0)
    with pytest.raises(RunError) as caught:
        zoo.publish(run, "m")
    assert str(caught.value) == (
        f"run {str(run.path)!r}: the figures on 'test' are of probabilities that were calibrated "
        f"otherwise; type: zoo eval {run.path} --split test"
    )
    zoo.evaluate(run.path, draws=0)
    assert zoo.publish(run, "m").version == 1


def test_it_can_be_forgotten(run, here):
    plain = said(run, "test")
    zoo.evaluate(run.path, calibrate=True, draws=0)
    done = zoo.evaluate(run.path, calibrate=False, draws=0)
    assert done.calibration is None
    assert np.array_equal(said(run, "test").logits, plain.logits)
    assert said(run, "test").temperature is None
    with pytest.raises(RunError, match="the figures on 'val' are of probabilities"):
        zoo.publish(run, "m")


def test_it_does_not_count_for_other_weights(run, here):
    zoo.evaluate(run.path, calibrate=True, draws=0)
    run.update(calibration={**run.info["calibration"], "weights_sha256": "0" * 64})
    with pytest.warns(ZooWarning) as caught:
        found = of_run(run)
    assert found.temperature is None
    assert str(caught[0].message) == (
        f"run {str(run.path)!r} was calibrated with other weights, which counts no longer; type: "
        f"zoo eval {run.path} --calibrate"
    )


@pytest.mark.parametrize("value", [0.0, -1.0, "2", None, True, float("inf"), 1e9])
def test_a_damaged_one_is_told(run, here, value):
    text = json.dumps({**run.info, "calibration": {"temperature": value}})
    (run.path / "run.json").write_text(text)
    with pytest.raises(RunError) as caught:
        of_run(run)
    assert str(caught.value) == (f"run {str(run.path)!r}: its run.json is damaged: 'calibration'")


def test_a_version_cannot_be_calibrated_and_neither_can_a_file(run, here):
    zoo.publish(run, "m")
    for asked, flag in ((True, "--calibrate"), (False, "--no-calibrate")):
        with pytest.raises(RunError) as caught:
            zoo.evaluate("m@1", calibrate=asked)
        assert str(caught.value) == (
            f"{flag}: 'm@1' is published, and a version does not change; calibrate the run it is "
            f"of, and publish that"
        )
    path = str(run.predictions_path("test"))
    with pytest.raises(PredictionsError) as caught:
        zoo.evaluate(path, calibrate=True)
    assert str(caught.value) == (
        f"--calibrate: {path!r} is a predictions file, of one source and one split; expected a run "
        f"or a model"
    )


def test_an_ensemble_asks_a_calibrated_member_as_it_is(run, here):
    """Of the same weights twice, once calibrated: the mean lies between what both say, when it is
    made, published and loaded."""
    shutil.copytree(run.path, here / "runs" / "plain")
    zoo.evaluate(run.path, calibrate=True, draws=0)
    with pytest.warns(ZooWarning, match="have the same weights"):
        made = zoo.ensemble([run.path, here / "runs" / "plain"], plan=Plan(100))
    record = publish_ensemble(made, "both")
    digests = [one["digest"] for one in record.ensemble["members"]]
    registry = open_registry()
    members = [registry.record(f"both-member-{number}") for number in (1, 2)]
    assert [registry.digest(one) for one in members] == digests
    assert members[0].calibration["temperature"] == run.info["calibration"]["temperature"]
    assert members[1].calibration is None
    images = [np.full((8, 8), value, np.uint8) for value in (0, 90, 255)]
    apart = [zoo.load(f"both-member-{n}", device="cpu").predict(images) for n in (1, 2)]
    together = zoo.load("both@1", device="cpu").predict(images)
    mean = (apart[0].probabilities + apart[1].probabilities) / 2
    assert np.allclose(together.probabilities, mean, atol=1e-5)
    assert not np.allclose(apart[0].probabilities, apart[1].probabilities, atol=1e-3)


def test_an_ensemble_takes_no_member_that_was_calibrated_since(run, here):
    shutil.copytree(run.path, here / "runs" / "plain")
    with pytest.warns(ZooWarning, match="have the same weights"):
        publish_ensemble(zoo.ensemble([run.path, "runs/plain"], plan=Plan(100)), "both")
    zoo.evaluate(run.path, calibrate=True, draws=0)
    with pytest.warns(ZooWarning, match="have the same weights"):
        publish_ensemble(zoo.ensemble([run.path, "runs/plain"], plan=Plan(100)), "both")
    registry = open_registry()
    assert registry.record("both-member-1").calibration is not None
    assert [registry.newest(f"both-member-{number}") for number in (1, 2)] == [2, 1]


def test_operating_points_are_chosen_on_val_and_published(run, here):
    done = zoo.evaluate(run.path, sensitivity=0.9, draws=200)
    points = done.metrics["operating_points"]
    assert len(points) == 10
    val = said(run, "val")
    for point in points:
        label = int(point["class"])
        truth, scores = val.targets == label, val.probabilities[:, label].astype(np.float64)
        assert (scores[truth] > point["threshold"]).mean() >= 0.9
        assert point["chosen_on"]["fingerprint"] == val.fingerprint
        assert point["intervals"]["sensitivity"]["low"] <= point["figures"]["sensitivity"]
    record = zoo.publish(run, "m")
    whole = json.loads(open_registry().read_file(record, "metrics/test.json"))
    assert whole["operating_points"] == points


def test_a_threshold_that_was_changed_is_not_published(run, here):
    zoo.evaluate(run.path, sensitivity=0.9, draws=200)
    path = run.metrics_path("test")
    written = json.loads(path.read_text())
    written["operating_points"][3]["threshold"] += 1e-3
    path.write_text(json.dumps(written))
    with pytest.raises(RunError, match="the figures on 'test' are not those of its predictions"):
        zoo.publish(run, "m")


def test_points_chosen_on_other_predictions_are_not_published(run, here):
    zoo.evaluate(run.path, sensitivity=0.9, draws=0)
    path = run.predictions_path("val")
    dataclasses.replace(load_predictions(path), content="other").save(path)
    run.metrics_path("val").unlink()
    with pytest.raises(RunError) as caught:
        zoo.publish(run, "m")
    assert str(caught.value) == (
        f"run {str(run.path)!r}: the predictions on 'val', by which operating points were chosen, "
        f"are of other data than the run's own; type: zoo eval {run.path} --split val"
    )


def test_points_of_a_version_and_of_files(run, here):
    zoo.publish(run, "m")
    of_run_, of_version = (
        zoo.evaluate(one, specificity=0.95, draws=0).metrics["operating_points"]
        for one in (run.path, "m@1")
    )
    assert of_run_ == of_version
    files = {"val": run.predictions_path("val"), "specificity": 0.95, "draws": 0}
    done = zoo.evaluate(str(run.predictions_path("test")), **files)
    assert done.metrics["operating_points"] == of_run_


def test_points_need_val_and_another_split(run, here):
    with pytest.raises(PredictionsError) as caught:
        zoo.evaluate(run.path, split="val", sensitivity=0.9, draws=0)
    assert str(caught.value) == (
        "operating points are chosen on 'val', and measured on another split"
    )
    with pytest.raises(PredictionsError) as caught:
        zoo.evaluate(str(run.predictions_path("test")), sensitivity=0.9)
    assert str(caught.value) == (
        "operating points of a predictions file need --sensitivity or --specificity, and the file "
        "on 'val' that they are chosen on: --val FILE"
    )
    with pytest.raises(RunError) as caught:
        zoo.evaluate(run.path, sensitivity=0.9, val="x.npz")
    assert str(caught.value) == (
        "val 'x.npz': only a predictions file needs to be told that on val"
    )
