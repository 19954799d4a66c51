"""What a report says is what the files say; what they do not have is said, with what makes it."""

from __future__ import annotations

import json
import shutil
import warnings

import pytest
import report_examples as examples
from report_reader import Report

import zoo
from zoo.reports import wording
from zoo.runs.folder import RunFolder

SECTIONS = [
    "summary", "training", "classes", "confusion", "ranking", "calibration", "samples", "data",
    "resources", "recipe", "environment", "provenance",
]  # fmt: skip
KINDS = ["binary", "multiclass", "multilabel"]
_INTERVAL = "{low:.4f} to {high:.4f}"


def read(made) -> Report:
    page = Report(made.path.read_text(encoding="utf-8"))
    assert page.wrong == []
    return page


def written(run):
    return json.loads(run.metrics_path("test").read_text())


def near(table: dict, name: str):
    return f"{table[name]:.4f}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_section_is_there_and_its_numbers_are_those_of_the_metrics_file(here, kind):
    run = examples.planted(here / "runs" / "one", kind)
    page, figures = read(zoo.report(run.path)), written(run)
    assert page.sections == SECTIONS
    assert page.missing == page.notices == []
    assert len(page.tiles) >= 7
    for title, (value, interval) in page.tiles.items():
        name = named(title)
        assert value == near(figures, name), title
        assert interval == _INTERVAL.format(**figures["intervals"]["overall"][name]), title
    [table] = page.tables["classes"]
    head, *rows = table
    for row, of_class, ends in zip(
        rows, figures["per_class"], figures["intervals"]["per_class"], strict=True
    ):
        assert row[:2] == [of_class["class"], f"{of_class['support']:,}"]
        for title, cell in zip(head[2:], row[2:], strict=True):
            name = named(title)
            assert cell == near(of_class, name), (title, row[0])
            assert _INTERVAL.format(**ends[name]) in page.text


def named(title: str) -> str:
    names = (
        "accuracy", "balanced_accuracy", "exact_match", "precision", "recall", "specificity", "f1",
        "auroc", "average_precision", "mcc", "log_loss", "ece",
    )  # fmt: skip
    return next(one for one in names if wording.words(one).lower() == title.lower())


def test_the_confusion_matrix_holds_every_count(here):
    run = examples.planted(here / "one", classes=["ant", "bee", "cat", "dog"])
    page, table = read(zoo.report(run.path)), written(run)["confusion"]
    drawn = page.texts["Confusion matrix, samples"]
    assert sorted(one for one in drawn if one.isdecimal()) == sorted(
        str(count) for row in table for count in row if count
    )
    assert {"ant", "bee", "cat", "dog", "truth", "decided as"} <= {*drawn}
    wrong = [count for i, row in enumerate(table) for j, count in enumerate(row) if i != j]
    [[_, *rows]] = page.tables["confusion"]
    assert [int(row[2]) for row in rows] == sorted(filter(None, wrong), reverse=True)[:10]
    for truth, decided, count, share in rows:
        i, j = (["ant", "bee", "cat", "dog"].index(name) for name in (truth, decided))
        assert (int(count), share) == (table[i][j], f"{table[i][j] / sum(table[i]):.1%}")


def test_masks_have_images_and_figures_of_pixels_and_of_images(here):
    run = examples.planted(here / "one", "segmentation", samples=20)
    page, figures = read(zoo.report(run.path)), written(run)
    assert page.sections == [
        "summary", "training", "classes", "confusion", "calibration", "images", "data", "resources",
        "recipe", "environment", "provenance",
    ]  # fmt: skip
    assert page.missing == []
    assert page.tiles["Dice, mean over images"][0] == near(figures["per_image"], "dice")
    assert page.tiles["IoU, all pixels"][0] == near(figures, "iou")
    for heading in ("Worst", "Around the median", "Best"):
        assert heading in page.text
    assert len(page.pictures) == 9 * 4
    assert len({*page.pictures}) == 9 * 4
    by_image = examples_dice(run)
    shown = [float(one.partition("Dice ")[2]) for one in page.text.splitlines() if "Dice 0." in one
             or "Dice 1." in one]  # fmt: skip
    assert shown[:3] == [round(one, 4) for one in by_image[:3]]
    assert shown[-3:] == [round(one, 4) for one in by_image[::-1][:3]]


def examples_dice(run) -> list[float]:
    """Pixel by pixel, of what was written."""
    from zoo.predictions.file import load_predictions

    found = []
    for image in load_predictions(run.predictions_path("test")).images():
        both = top = low = 0
        for truth, said in zip(image.network.targets.flat, image.network.decisions.flat,
                               strict=True):  # fmt: skip
            if truth != 255:
                both, top, low = both + (truth == said == 1), top + (truth == 1), low + (said == 1)
        found.append(2 * both / (top + low))
    return sorted(found)


def test_the_gallery_shows_what_was_lost_most_and_what_was_least_sure(here):
    import numpy as np

    from zoo.predictions.file import load_predictions

    run = examples.planted(here / "one", samples=60)
    said = load_predictions(run.predictions_path("test"))
    sure = said.probabilities.astype(np.float64)
    loss = -np.log(sure[np.arange(60), said.targets])
    doubt = -(sure * np.log(sure)).sum(1)
    page = read(zoo.report(run.path))
    names = [one.strip() for one in page.text.splitlines() if one.strip().startswith("s0")]
    ids = [one[:5] for one in names]
    assert ids[:24] == said.ids[np.argsort(-loss)[:24]].tolist()
    assert ids[24:] == said.ids[np.argsort(-doubt)[:12]].tolist()
    worst = int(np.argmax(loss))
    assert f"{loss[worst]:.3f}" in names[0]
    assert said.task.classes[said.targets[worst]] in names[0]
    assert len(page.pictures) == 36


def test_nothing_of_the_machine_or_its_secrets_is_shown(here):
    run = examples.planted(here / "one")
    text = zoo.report(run.path).path.read_text()
    for private in ("alice", "/home", "hf_", "wandb", str(here)):
        assert private not in text
    assert "(left out: a path or a secret of the machine it was trained on)" in text
    # The negative control: the recipe holds all of it.
    assert "alice" in (run.path / "recipe.toml").read_text()


def test_a_run_that_was_trained_is_reported_whole(trained, here):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = read(zoo.report(trained.path, output=here / "trained.html"))
    figures = json.loads(trained.metrics_path("test").read_text())
    assert page.sections == SECTIONS
    assert page.missing == page.notices == []
    assert page.tiles["Accuracy"][0] == near(figures, "accuracy")
    assert page.facts["summary", "epochs"] == "3"
    assert len(page.pictures) == 36
    assert "Memory" in page.texts


def test_a_version_has_its_figures_from_its_record_and_the_rest_once_it_is_measured(trained, here):
    zoo.publish(trained.path, "digits")
    page = read(zoo.report("digits@1"))
    figures = json.loads(trained.metrics_path("test").read_text())
    assert (here / "reports" / "digits-1.html").is_file()
    assert page.tiles["Accuracy"][0] == near(figures, "accuracy")
    assert "Confusion matrix, samples" in page.texts
    assert page.missing == [
        "A published version keeps no log of its training; a report of its run has it:",
        *["This needs the predictions on 'test':"] * 2,
        "A published version keeps no log of its training; a report of its run has it:",
    ]
    assert page.commands[1] == "zoo eval digits@1 --split test"
    zoo.evaluate("digits@1")
    page = read(zoo.report("digits"))
    assert len(page.pictures) == 36
    assert page.missing[1:] == page.missing[:1]
    assert page.facts["summary", "licence"] == "apache-2.0"


def test_a_temperature_is_shown_before_and_after(trained, here):
    shutil.copytree(trained.path, here / "one")
    run = RunFolder(here / "one")
    plain = read(zoo.report(run.path))
    assert plain.facts["calibration", "temperature"] == "none was fitted"
    assert not [one for one in plain.texts["Reliability diagram"] if "temperature" in one]
    zoo.evaluate(run.path, calibrate=True)
    value = run.info["calibration"]["temperature"]
    page, figures = read(zoo.report(run.path)), written(run)
    assert page.notices == []
    assert {f"by temperature {value:.3g}", "without it"} < {*page.texts["Reliability diagram"]}
    assert page.facts["calibration", "temperature"] == f"{value:.4g}, fitted on val"
    assert page.facts["calibration", "calibration error (ECE)"].startswith(near(figures, "ece"))
    ends = [run.info["calibration"][key]["ece"] for key in ("before", "after")]
    assert page.facts["calibration", "calibration error on val"] == (
        f"{ends[0]:.4f} without it, {ends[1]:.4f} with it"
    )
    zoo.evaluate(run.path, calibrate=False, split="val")  # test stays as it was
    assert read(zoo.report(run.path)).notices == [
        "What follows on 'test' is not calibrated as 'one' is now; measure again:"
    ]
