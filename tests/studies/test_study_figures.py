"""Figures of studies, from results and folders that are written by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from zoo.predictions.archive import Heading
from zoo.predictions.masks import MaskChunk, MaskPredictions
from zoo.reports.blocks import Chart
from zoo.reports.svg import svg_bytes
from zoo.studies.figures import drawing
from zoo.studies.figures.against import amount, fit_power_law
from zoo.studies.figures.asked import Look
from zoo.studies.schema import FigureSection
from zoo.tasks import Task

pytest.importorskip("matplotlib")
KINDS = get_args(FigureSection.model_fields["kind"].annotation)


def run(out: Path, name: str, accuracies: list[float], **beside: Any) -> dict[str, Any]:
    """A run of a row, with its log: an epoch for each of ``accuracies``."""
    folder = out / "runs" / name
    folder.mkdir(parents=True)
    events = [
        {
            "event": "epoch_ended", "epoch": k, "seconds": 1.0, "samples_per_second": 10.0,
            "learning_rate": 0.1, "memory": 10**9, "train": {"accuracy": value / 2, "loss": 1 / k},
            "val": {"accuracy": value, "loss": 2 / k},
        }
        for k, value in enumerate(accuracies, 1)
    ]  # fmt: skip
    (folder / "events.jsonl").write_text("\n".join(map(json.dumps, events)))
    figures = {"test/accuracy": accuracies[-1], "epoch/val/accuracy": accuracies[-1]}
    cost = {"seconds": 3.0, "seconds_per_epoch": 1.0, "memory": 10**9}
    return {
        "folder": f"runs/{name}", "figures": figures, "predictions": {}, "status": "done",
        "seed": 0, "fold": None, **cost, **beside,
    }  # fmt: skip


def row(name: str, runs: list[dict[str, Any]], recipe: dict[str, Any], **beside: Any) -> Any:
    keys = {key for one in runs for key in one["figures"]}
    statistics = {}
    for key in keys:
        values = [one["figures"][key] for one in runs if key in one["figures"]]
        mean = sum(values) / len(values)
        statistics[key] = {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}
    empty = {"mean": None, "low": None, "high": None}
    for cost in ("seconds", "seconds_per_epoch", "memory"):
        statistics[f"run/{cost}"] = empty
    return {
        "name": name, "runs": runs, "recipe": recipe, "statistics": statistics, "published": {},
        "varied": None, "settings": {}, **beside,
    }  # fmt: skip


def table(rows: list[Any], **beside: Any) -> dict[str, Any]:
    columns = [{"title": "A", "metric": "accuracy", "percent": True, "published": "A"}]
    return {
        "name": "t", "kind": "list", "split": "test", "labels": {}, "columns": columns,
        "rows": rows, **beside,
    }  # fmt: skip


def draw(out: Path, given: dict[str, Any], **figure: Any) -> list[Chart]:
    data = {"tables": [given], "figures": [{"name": "f", "title": "F", "panels": [], **figure}]}
    return list(drawing.charts(data, out))


def rates(out: Path, values: list[float]) -> list[Any]:
    return [
        row(f"lr={value}", [run(out, str(value), [0.5, 0.9 - value])], {"optimizer": {"lr": value}},
            varied="optimizer.lr", settings={"optimizer.lr": value})
        for value in values
    ]  # fmt: skip


def test_every_kind_of_the_grammar_is_drawn():
    assert set(drawing._KINDS) == set(KINDS)


@pytest.mark.parametrize("kind", [one for one in KINDS if one not in ("confusion", "masks")])
def test_of_rows_without_runs_there_is_none_and_of_others_equal_bytes(tmp_path, kind):
    rows = [*rates(tmp_path, [0.1, 0.01, 0.001]), row("empty", [], {"optimizer": {"lr": 1.0}})]
    asked = {"kind": kind, "metric": "val/accuracy", "x": "optimizer.lr", "log_x": True}
    assert draw(tmp_path, table([rows[-1]]), **asked) == []
    (one,) = draw(tmp_path, table(rows), **asked)
    (again,) = draw(tmp_path, table(rows), **asked)
    assert svg_bytes(one.figure) == svg_bytes(again.figure)
    assert one.caption.endswith("Nothing to draw of: empty.")
    assert one.wide is (kind == "resources")


def test_curves_of_several_runs_have_their_mean_as_long_as_all_go_on(tmp_path):
    runs = [run(tmp_path, "a", [0.2, 0.4, 0.6]), run(tmp_path, "b", [0.4, 0.6])]
    (chart,) = draw(tmp_path, table([row("r", runs, {})]), kind="curves", metric="val/accuracy")
    (axes,) = chart.figure.axes
    *faint, strong = axes.lines
    assert [line.get_ydata().tolist() for line in faint] == [[0.2, 0.4, 0.6], [0.4, 0.6]]
    assert strong.get_xdata().tolist() == [1, 2]
    assert strong.get_ydata().tolist() == pytest.approx([0.3, 0.5])
    assert chart.caption == "Faint: each of up to 2 runs; strong: their mean, as long as all of " \
        "them go on."  # fmt: skip


def test_panels_stand_beside_each_other_and_loss_has_no_percent(tmp_path):
    rows = [row(name, [run(tmp_path, name, [0.5, 0.6])], {}) for name in ("a", "b")]
    panels = [{"title": "one", "rows": ["a"]}, {"title": "two", "rows": ["b"]}]
    (chart,) = draw(
        tmp_path, table(rows), kind="curves", metrics=["val/loss", "val/accuracy"], panels=panels,
        percent=True,
    )  # fmt: skip
    labels = [axes.get_ylabel() for axes in chart.figure.axes]
    assert labels == ["val loss", "val accuracy (%)"] * 2
    assert chart.wide
    loss, accuracy = (axes.lines[0].get_ydata().tolist() for axes in chart.figure.axes[:2])
    assert loss == [2.0, 1.0]
    assert accuracy == pytest.approx([50, 60])


def test_training_is_drawn_beside_validation(tmp_path):
    rows = [row("a", [run(tmp_path, "a", [0.5, 0.6])], {})]
    (chart,) = draw(tmp_path, table(rows), kind="train_val", metric="val/accuracy")
    train, val = chart.figure.axes[0].lines
    assert train.get_ydata().tolist() == [0.25, 0.3]
    assert val.get_ydata().tolist() == [0.5, 0.6]
    assert train.get_linestyle() != val.get_linestyle()


def test_a_metric_stands_against_the_key_that_was_varied_with_the_published_value(tmp_path):
    rows = [{**one, "varied": "rate"} for one in rates(tmp_path, [0.1, 0.01])]
    rows[0]["published"] = {"A": "79.5 %"}
    other = row("batch", [run(tmp_path, "x", [0.1])], {"optimizer": {"lr": 0.5}}, varied="other")
    (chart,) = draw(
        tmp_path, table([*rows, other], kind="one_at_a_time", labels={"optimizer.lr": "rate"}),
        kind="metric_against", metric="accuracy", x="optimizer.lr", percent=True,
    )  # fmt: skip
    (axes,) = chart.figure.axes
    ours, theirs = axes.lines
    assert ours.get_xdata().tolist() == [0.01, 0.1]
    assert ours.get_ydata().tolist() == pytest.approx([89, 80])
    assert theirs.get_ydata()[1] == pytest.approx(79.5)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("rate", "accuracy (%)")


def test_a_grid_has_a_line_for_each_combination_of_the_other_keys(tmp_path):
    rows = []
    for lr in (0.1, 0.2):
        for batch in (16, 32):
            one = run(tmp_path, f"{lr}-{batch}", [lr + batch / 100])
            settings = {"optimizer.lr": lr, "training.batch_size": batch}
            rows.append(row(f"{lr}-{batch}", [one], {"optimizer": {"lr": lr}}, settings=settings))
    (chart,) = draw(
        tmp_path, table(rows, kind="grid"), kind="metric_against", metric="accuracy",
        x="optimizer.lr",
    )  # fmt: skip
    handles, names = chart.figure.axes[0].get_legend_handles_labels()
    assert names == ["training.batch_size=16", "training.batch_size=32"]
    assert handles[0].get_ydata().tolist() == pytest.approx([0.26, 0.36])


def test_a_power_law_is_found_again_and_refused_where_there_is_none():
    amounts = np.array([10.0, 20.0, 40.0, 80.0])
    law = fit_power_law(amounts, 0.9 * amounts**-0.35)
    assert law is not None
    assert (law.scale, law.exponent) == pytest.approx((0.9, 0.35))
    assert fit_power_law(amounts[:2], np.array([0.2, 0.1])) is None
    assert fit_power_law(amounts, np.array([0.2, 0.1, 0.0, 0.1])) is None


def test_a_learning_curve_says_its_law(tmp_path):
    rows = []
    for part in (0.25, 0.5, 1.0):
        one = run(tmp_path, str(part), [1 - 0.1 * part**-0.5])
        rows.append(row(str(part), [one], {"split": {"fraction": part}}))
    asked = {"kind": "learning_curve", "metric": "accuracy", "x": "split.fraction"}
    (chart,) = draw(tmp_path, table(rows), **asked)
    assert "1 - accuracy = 0.1 · n^-0.5, n: split.fraction." in chart.caption
    (chart,) = draw(tmp_path, table(rows[:2]), **asked)
    assert chart.caption.startswith("No power law is fitted")


@pytest.mark.parametrize(
    ("value", "found"),
    [(3, 3.0), ([64, 64], 64.0), ([64, 48], None), ("native", None), (True, None), (None, None)],
)
def test_what_can_stand_on_an_axis(value, found):
    assert amount(value) == found


def test_bars_show_the_report_beside_ours(tmp_path):
    rows = rates(tmp_path, [0.1, 0.01])
    rows[0]["published"] = {"A": "70"}
    (chart,) = draw(tmp_path, table(rows), kind="bars", metrics=["accuracy"])
    ours, theirs = chart.figure.axes[0].lines
    assert ours.get_xdata().tolist() == pytest.approx([0.8, 0.89])
    assert theirs.get_xdata()[0] == pytest.approx(0.7)
    assert math.isnan(theirs.get_xdata()[1])


def test_fifty_rows_all_look_different():
    looks = {(one.colour, str(one.dashes), one.marker) for one in map(Look.number, range(49))}
    assert len(looks) == 49


def test_confusion_counts_all_runs(tmp_path):
    runs = []
    for name, table_of in (("a", [[3, 1], [0, 4]]), ("b", [[2, 2], [1, 3]])):
        one = run(tmp_path, name, [0.5], predictions={"test": "predictions/test.npz"})
        metrics = tmp_path / "runs" / name / "metrics" / "test.json"
        metrics.parent.mkdir()
        classes = [{"class": "cat"}, {"class": "dog"}]
        metrics.write_text(json.dumps({"confusion": table_of, "per_class": classes}))
        (tmp_path / "runs" / name / "run.json").write_text("{}")
        runs.append(one)
    (chart,) = draw(tmp_path, table([row("r", runs, {})]), kind="confusion")
    numbers = [text.get_text() for text in chart.figure.axes[0].texts]
    assert numbers == ["5", "3", "1", "7"]
    assert "Counts of up to 2 runs together." in chart.caption


def masks_of(out: Path, name: str, shares: list[float]) -> dict[str, Any]:
    """A run that found ``shares`` of each image's true half; the lower half is true."""
    task = Task("segmentation", ("ground", "thing"), positive="thing")
    targets = np.zeros((len(shares), 8, 8), np.uint8)
    targets[:, 4:] = 1
    decisions = np.zeros_like(targets)
    for k, share in enumerate(shares):
        decisions[k, 4 : 4 + round(4 * share)] = 1
    heading = Heading(task, "d", "test", "", "", name)
    path = out / "runs" / name / "predictions" / "test.npz"
    made = run(out, name, [0.5], predictions={"test": "predictions/test.npz"})
    path.parent.mkdir()
    ids = [f"i{k}" for k in range(len(shares))]
    chunk = MaskChunk((decisions * 255)[:, None], decisions, targets)
    MaskPredictions.write(path, heading, ids, [chunk])
    return made


def test_masks_from_the_worst_to_the_best_and_by_name(tmp_path):
    rows = [
        row("first", [masks_of(tmp_path, "a", [0.5, 1.0, 0.25, 0.75, 0.5])], {}),
        row("second", [masks_of(tmp_path, "b", [1.0, 0.5, 0.5, 0.5, 0.0])], {}),
        row("nothing", [], {}),
    ]
    (chart,) = draw(tmp_path, table(rows), kind="masks", images=3)
    titles = [axes.get_title(loc="left") for axes in chart.figure.axes]
    assert titles[:4] == ["image\ni2", "truth", "first\nDice 0.400", "second\nDice 0.667"]
    assert [one for one in titles if one.startswith("i")][1:] == ["i4", "i1"]
    assert chart.caption == (
        "From the worst to the best by the first row's Dice. The images themselves are not at "
        "hand. Nothing to draw of: nothing."
    )
    (chart,) = draw(tmp_path, table(rows), kind="masks", images=["i3", "absent"])
    titles = [axes.get_title(loc="left") for axes in chart.figure.axes]
    assert titles == ["image\ni3", "truth", "first\nDice 0.857", "second\nDice 0.667"]


def test_of_a_single_epoch_training_is_seen_too(tmp_path):
    rows = [row("a", [run(tmp_path, "a", [0.5])], {})]
    (chart,) = draw(tmp_path, table(rows), kind="train_val", metric="val/accuracy")
    train, val = chart.figure.axes[0].lines
    assert train.get_marker() == "_" and val.get_marker() == "o"


@pytest.mark.parametrize(
    ("intervals", "said"),
    [
        (["t", "t"], "Bars: 95 % intervals of the mean over runs."),
        (["samples"], "Bars: 95 % intervals of one run over samples."),
        (["t", "samples"], "Bars: 95 % intervals of the mean over runs; of one run over samples."),
        ([None], ""),
    ],
)
def test_bars_say_of_what_their_intervals_are(tmp_path, intervals, said):
    rows = [
        row(str(place), [run(tmp_path, str(place), [0.5])], {}) for place, _ in enumerate(intervals)
    ]
    for one, interval in zip(rows, intervals, strict=True):
        one["statistics"]["test/accuracy"]["interval"] = interval
    (chart,) = draw(tmp_path, table(rows), kind="bars", metric="accuracy")
    assert chart.caption == said
