"""What a report says where material is missing, or is of something else."""

from __future__ import annotations

import json

import pytest
import report_examples as examples
from report_reader import Report

import zoo
from zoo.errors import ZooWarning

SECTIONS = [
    "summary", "training", "classes", "confusion", "ranking", "calibration", "samples", "data",
    "resources", "recipe", "environment", "provenance",
]  # fmt: skip


def read(made) -> Report:
    page = Report(made.path.read_text(encoding="utf-8"))
    assert page.wrong == []
    return page


def written(run):
    return json.loads(run.metrics_path("test").read_text())


def test_what_is_not_there_yet_is_said_with_the_command_that_makes_it(here):
    run = examples.planted(here / "runs" / "one")
    for path in (run.metrics_path("test"), run.predictions_path("test"), run.path / "events.jsonl"):
        path.unlink()
    page = read(zoo.report("runs/one"))
    assert page.sections == SECTIONS
    evaluate = "zoo eval runs/one --split test"
    assert page.missing == [
        "Nothing was measured on 'test' yet.",
        "No epoch was completed, so there is nothing to draw.",
        *["This needs figures on 'test':"] * 5,
        "No epoch was completed, so there is nothing to draw.",
    ]
    assert [one for one in page.commands if one.startswith("zoo")] == [evaluate] * 6
    assert page.tiles == {}


def test_figures_without_predictions_serve_for_all_but_the_samples(here):
    run = examples.planted(here / "one")
    whole = read(zoo.report(run.path))
    run.predictions_path("test").unlink()
    page = read(zoo.report(run.path))
    assert page.tiles == whole.tiles
    assert page.tables["classes"] == whole.tables["classes"]
    assert page.texts["ROC"] == whole.texts["ROC"]
    assert page.missing == ["This needs the predictions on 'test':"] * 2


def test_of_a_split_without_labels_it_says_so(here):
    run = examples.planted(here / "one", labelled=False)
    page = read(zoo.report(run.path))
    assert page.missing == [
        "Split 'test' has no labels to measure against.", *["Split 'test' has no labels."] * 4,
    ]  # fmt: skip
    assert "Least sure" in page.text and "Worst" not in page.text


def test_figures_of_other_weights_are_told(here):
    run = examples.planted(here / "one")
    (run.path / "best.safetensors").write_bytes(b"trained on")
    page = read(zoo.report(run.path))
    assert page.notices == [
        "What follows on 'test' is of other weights than 'one' has now; measure again:"
    ]
    assert page.commands[0] == f"zoo eval {run.path} --split test"


def test_figures_that_are_not_of_the_predictions_are_told_and_not_shown(here):
    run = examples.planted(here / "one")
    right = read(zoo.report(run.path))
    changed = {**written(run), "accuracy": 0.999, "intervals": None}
    run.metrics_path("test").write_text(json.dumps(changed))
    page = read(zoo.report(run.path))
    assert page.notices == [
        "The figures that were kept on 'test' are not those of the predictions beside them, which "
        "are shown here; measure again:"
    ]
    assert page.tiles["Accuracy"][0] == right.tiles["Accuracy"][0] != "0.9990"


def test_intervals_that_were_kept_are_taken_only_with_the_same_figures(here, monkeypatch):
    """They take seconds; so they are not computed again where nothing has changed."""
    from zoo.reports import measured

    run = examples.planted(here / "one")
    real, plans = measured.metrics.evaluate, []
    monkeypatch.setattr(
        measured.metrics, "evaluate", lambda said, plan=None: plans.append(plan) or real(said, plan)
    )
    zoo.report(run.path)
    assert plans == [None]
    changed = {**written(run), "accuracy": 0.5}
    run.metrics_path("test").write_text(json.dumps(changed))
    zoo.report(run.path)
    assert plans[1] is None and plans[2].draws == 2000


def test_classes_that_cannot_be_measured_are_undefined_and_never_zero(here):
    run = examples.planted(here / "one", classes=["ant", "bee", "never"], samples=2)
    page = read(zoo.report(run.path))
    [[head, *rows]] = page.tables["classes"]
    assert rows[2][:3] == ["never", "0", "undefined"]
    assert rows[2][head.index("AUROC")] == "undefined"
    assert "undefined" in page.texts["Recall"]


def test_without_its_images_a_report_does_without_pictures(here):
    run = examples.planted(here / "one")
    zoo.report(run.path, output="with.html")
    examples.planted(here / "other", samples=7)  # now the dataset is another one
    with pytest.warns(ZooWarning) as told:
        page = read(zoo.report(run.path))
    assert str(told[0].message) == (
        "no pictures of samples: dataset 'made', split 'test': it is not the one that the "
        "predictions are of: its ids differ"
    )
    assert page.pictures == []
    assert page.missing == ["The images are not at hand; say where they are:"]
    assert f"zoo report {run.path} --root FOLDER" in page.commands
    assert page.text.count("no picture") == 36


def test_the_same_ids_with_other_labels_are_other_images(here):
    run = examples.planted(here / "one")
    examples.planted(here / "other", "binary")  # as many, of the same names
    with pytest.warns(ZooWarning, match="its ids differ"):
        read(zoo.report(run.path))
    labels = examples.DATASETS["made"].splits["test"].labels
    run = examples.planted(here / "third", "binary")
    split = examples.DATASETS["made"].splits["test"]
    object.__setattr__(split, "labels", labels[::-1].copy())
    with pytest.warns(ZooWarning, match="its labels differ"):
        assert read(zoo.report(run.path)).pictures == []
