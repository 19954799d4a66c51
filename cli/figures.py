"""What ``zoo eval`` shows of the figures: those that stand for all, by class, and the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from zoo.errors import clipped

from .tables import show_fields, show_table

_AVERAGED = ("precision", "recall", "specificity", "f1", "auroc", "average_precision")
_OF_A_CLASS = (
    "precision", "recall", "specificity", "f1", "iou", "dice", "auroc", "average_precision",
)  # fmt: skip
_MOST_CLASSES = 20  # a wider confusion matrix does not fit a terminal
_NAMED = 5


def show_figures(metrics: Mapping[str, Any]) -> None:
    """``metrics``: see ``zoo.predictions.metrics.evaluate``."""
    if "per_image" in metrics:
        _show_masks(metrics)
    else:
        held = metrics.get("intervals", {}).get("overall", {})
        show_fields({name: figure(metrics[name], held.get(name)) for name in _single(metrics)})
        _show_averages(metrics)
    _show_classes(metrics)
    _show_matrix(metrics)
    _show_points(metrics.get("operating_points"))
    _say_intervals(metrics.get("intervals"))


def show_calibration(kept: Mapping[str, Any]) -> None:
    """``kept``: see ``zoo.predictions.calibration.Temperature``, as JSON."""
    told = f"calibrated by a temperature of {kept['temperature']:.4f}"
    if "after" in kept:
        before, after = kept["before"], kept["after"]
        changes = ", ".join(f"{name} {before[name]:.4f} to {after[name]:.4f}" for name in after)
        told += f", fitted on {kept['split']}, {kept['samples']:,} samples: {changes}"
    typer.echo(told)


def _show_points(points: Sequence[Mapping[str, Any]] | None) -> None:
    if not points:
        return
    names = ("sensitivity", "specificity", "precision", "f1")
    rows = []
    for point in points:
        ((asked, least),) = point["wanted"].items()
        row = [point["class"], f"{asked} {least:g}"]
        if point["threshold"] is None:
            rows.append([*row, "undefined", *("-" for _ in names)])
            continue
        held = point["intervals"] or {}
        shown = [figure(point["figures"][name], held.get(name)) for name in names]
        rows.append([*row, f"{point['threshold']:.4f}", *shown])
    typer.echo("\noperating points: a class is decided above the threshold, chosen on val")
    columns = ["class", "wanted on val", "threshold", *names]
    show_table(columns, rows, empty="no operating points", right=columns[2:])


def figure(value: float | None, interval: Mapping[str, Any] | None = None) -> str:
    """``interval``: ``{low, high}``, where there is one."""
    if value is None:
        return "undefined"
    if interval is None:
        return f"{value:.4f}"
    return f"{value:.4f} ({interval['low']:.4f} to {interval['high']:.4f})"


def _say_intervals(intervals: Mapping[str, Any] | None) -> None:
    if intervals is None:
        return
    drawn = f"{intervals['draws']:,} draws of {intervals['count']:,} {intervals['units']}"
    typer.echo(
        f"\nin brackets: {100 * intervals['level']:.4g} % intervals, {drawn}, seed "
        f"{intervals['seed']}; those of classes and averages: --json"
    )
    for note in intervals["notes"]:
        typer.echo(note)


def _single(table: Mapping[str, Any]) -> list[str]:
    """The figures that are one number, in their order."""
    return [name for name, value in table.items() if value is None or isinstance(value, float)]


def _show_masks(metrics: Mapping[str, Any]) -> None:
    """All pixels pooled, and as means over images; at the network's size and at the images'."""
    columns = ["figure", "pooled", "mean over images", "images"]
    sizes = [metrics]
    if "own_size" in metrics:
        columns += ["own size: pooled", "mean over images", "images"]
        sizes.append(metrics["own_size"])
    names = [name for name in [*_single(metrics), "hd95"] if name != "f1"]  # which is Dice
    rows = [[name, *(cell for one in sizes for cell in _of_a_size(one, name))] for name in names]
    show_table(columns, rows, empty="no figures", right=columns[1:])
    undefined = metrics["per_image"]["undefined"]
    if undefined:
        typer.echo(f"dice is undefined for {undefined:,}: nothing there, and nothing found")
    cut = sizes[-1].get("unseen")
    if cut:
        typer.echo(f"{cut:.2%} of the pixels were cut off before the network, and are not counted")


def _of_a_size(metrics: Mapping[str, Any], name: str) -> list[str]:
    """``pooled``, ``mean over images`` and ``images`` of a figure; "-" where there is no such."""
    means, held = metrics["per_image"], metrics.get("intervals", {})
    pooled = figure(metrics[name], held.get("overall", {}).get(name)) if name in metrics else "-"
    if name not in means:
        return [pooled, "-", "-"]
    mean = figure(means[name], held.get("per_image", {}).get(name))
    return [pooled, mean, f"{means['images'][name]:,}"]


def _show_averages(metrics: Mapping[str, Any]) -> None:
    """Of a binary task the headline figures are the positive class's: nobody averages."""
    if len(metrics["per_class"]) == 2 and "exact_match" not in metrics:
        return
    rows = [
        [kind, *(figure(metrics["averages"][kind][name]) for name in _AVERAGED)]
        for kind in ("macro", "micro", "weighted")
    ]
    typer.echo("")
    show_table(["average", *_AVERAGED], rows, empty="no figures")


def _show_classes(metrics: Mapping[str, Any]) -> None:
    rows = metrics["per_class"]
    names = [name for name in _OF_A_CLASS if name in rows[0]]
    distances = metrics.get("per_image_by_class")
    if distances is not None:
        names.remove("f1")
    table = [[row["class"], row["support"], *(figure(row[name]) for name in names)] for row in rows]
    if distances is not None:
        names.append("hd95")
        for shown, one in zip(table, distances, strict=True):
            shown.append(figure(one["hd95"]))
    typer.echo("")
    show_table(["class", "support", *names], table, empty="no classes")
    _say_absent([row["class"] for row in rows if not row["support"]])


def _say_absent(classes: Sequence[str]) -> None:
    if classes:
        more = f" and {len(classes) - _NAMED:,} others" if len(classes) > _NAMED else ""
        named = ", ".join(clipped(name) for name in classes[:_NAMED])
        typer.echo(f"never there, so undefined, and left out of means over classes: {named}{more}")


def _show_matrix(metrics: Mapping[str, Any]) -> None:
    rows, matrix = metrics["per_class"], metrics["confusion"]
    if not isinstance(matrix[0][0], int) or len(rows) > _MOST_CLASSES:
        return
    typer.echo("\nconfusion matrix: rows are the truth, columns what was decided")
    classes = [row["class"] for row in rows]
    table = [[name, *row] for name, row in zip(classes, matrix, strict=True)]
    show_table(["", *classes], table, empty="no classes", named=True)
