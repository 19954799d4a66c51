"""Rows side by side: metrics with intervals, and what their runs cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.reports.blocks import Chart
from zoo.reports.style import (
    BLUE,
    FAINT,
    INK,
    SMALLEST,
    WIDE,
    WIDTH,
    in_style,
    near,
    new_figure,
    plain,
)
from zoo.studies.figures.against import published
from zoo.studies.figures.asked import Asked, Look, Row, left_out, repeats, shown_name
from zoo.studies.statistics import OF_RUN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW, _BAR = 2.6, 3.6  # mm: the room between rows, and of a metric
_COSTS = (
    ("seconds", "training time (s)", 1.0),
    ("seconds_per_epoch", "time of an epoch (s)", 1.0),
    ("memory", "most memory (GB)", 1e-9),
)
_INTERVALS = {"t": "of the mean over runs", "samples": "of one run over samples"}
_SHORTEST = 0.04  # of an axis of metrics, at least


@dataclass(frozen=True)
class Bars:
    """Of one metric, a number each row: float (N,), NaN where there is none; ``published``: the
    report's."""

    label: str
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    published: np.ndarray


def bars(asked: Asked) -> Chart | None:
    """A dot on its interval for each row and metric, and the report's own value."""
    rows = [row for row in _rows(asked) if _has_any(asked, row)]
    if not rows:
        return None
    missing = [row for row in _rows(asked) if not _has_any(asked, row)]
    some = [_of_metric(asked, rows, metric) for metric in asked.metrics]
    known = {
        found.get("interval")
        for row in rows
        for metric in asked.metrics
        if (found := row["statistics"].get(asked.key(metric)))
    }
    of = [words for interval, words in _INTERVALS.items() if interval in known]
    said = f"Bars: 95 % intervals {'; '.join(of)}." if of else ""
    caption = " ".join(filter(None, (said, left_out(missing))))
    figure = draw_bars([shown_name(row) for row in rows], some, percent=asked.factor != 1)
    return Chart(asked.name, asked.title, figure, caption)


def resources(asked: Asked) -> Chart | None:
    """Time and memory of each row: means over its runs, each run a dot."""
    rows = [row for row in _rows(asked) if _cost(row, "seconds")]
    if not rows:
        return None
    missing = [row for row in _rows(asked) if row not in rows]
    panels = []
    for name, label, scale in _COSTS:
        values = [[one * scale for one in _cost(row, name)] for row in rows]
        if any(values):
            panels.append((label, values))
    figure = draw_costs([shown_name(row) for row in rows], panels)
    said = "Each run a dot, their mean a bar." if repeats(rows) > 1 else ""
    caption = " ".join(filter(None, (said, left_out(missing))))
    return Chart(asked.name, asked.title, figure, caption, wide=True)


def _rows(asked: Asked) -> list[Row]:
    return [row for _, rows in asked.panels for row in rows]


def _has_any(asked: Asked, row: Row) -> bool:
    return any(_mean(asked, row, metric) is not None for metric in asked.metrics)


def _mean(asked: Asked, row: Row, metric: str) -> float | None:
    found = row["statistics"].get(asked.key(metric))
    return None if found is None else found["mean"]


def _of_metric(asked: Asked, rows: Sequence[Row], metric: str) -> Bars:
    def column(end: str) -> np.ndarray:
        found = (row["statistics"].get(asked.key(metric)) or {} for row in rows)
        values = [one.get(end) for one in found]
        return np.array([math.nan if one is None else one for one in values]) * asked.factor

    theirs = np.array([published(asked, row, metric) for row in rows])
    return Bars(asked.label(metric), column("mean"), column("low"), column("high"), theirs)


def _cost(row: Row, name: str) -> list[float]:
    """Of each run that was trained for the row."""
    assert f"{OF_RUN}{name}" in row["statistics"]
    return [float(run[name]) for run in row["runs"] if run[name] is not None]


@in_style
def draw_bars(names: Sequence[str], some: Sequence[Bars], *, percent: bool) -> Figure:
    """Rows from above to below, in each one line a metric."""
    height = len(names) * (_ROW + _BAR * len(some))
    figure = new_figure(18 + height + (4 if len(some) > 1 else 0))
    axes = figure.add_subplot()
    every = np.concatenate([np.concatenate([b.values, b.low, b.high, b.published]) for b in some])
    left, right = _limits(every, 100.0 if percent else 1.0)
    theirs = None
    for place, one in enumerate(some):
        look = Look.number(place)
        at = np.arange(len(names)) + (place - (len(some) - 1) / 2) * 0.8 / len(some)
        axes.hlines(at, left, one.values, color=FAINT, linewidth=0.5, alpha=0.5, zorder=1)
        axes.hlines(at, one.low, one.high, color=look.colour, linewidth=4, alpha=0.35, zorder=2)
        axes.plot(one.values, at, look.marker, color=look.colour, markersize=3.6, zorder=3,
                  label=one.label, clip_on=False)  # fmt: skip
        (theirs,) = axes.plot(one.published, at, "D", color=INK, fillstyle="none", markersize=4.2,
                              markeredgewidth=0.8, zorder=4, clip_on=False)  # fmt: skip
        for row, value in zip(at, one.values, strict=True):
            text = "-" if math.isnan(value) else f"{value:.1f}" if percent else near(float(value))
            axes.text(1.02, row, text, color=INK, fontsize=SMALLEST, va="center",
                      transform=axes.get_yaxis_transform())  # fmt: skip
    if theirs is not None and any(np.isfinite(one.published).any() for one in some):
        theirs.set_label("published")
    axes.set(xlim=(left, right), ylim=(len(names) - 0.5, -0.5))
    axes.set_yticks(range(len(names)), labels=names)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(plain)
    axes.locator_params(axis="x", nbins=6)
    if len(some) > 1 or any(np.isfinite(one.published).any() for one in some):
        figure.legend(loc="outside upper left", ncols=3)
    if len(some) == 1:
        axes.set_xlabel(some[0].label)
    return figure


def _limits(values: np.ndarray, most: float) -> tuple[float, float]:
    """Of an axis on which differences are seen; metrics above ``most``, as distances are, too."""
    known = values[np.isfinite(values)]
    low, high = float(known.min()), float(known.max())
    room = max((high - low) * 0.08, _SHORTEST * max(abs(high), 1e-9) / 2)
    right = high + room if high > most else min(high + room, most * 1.005)
    return (max(0.0, low - room) if low >= 0 else low - room), right


@in_style
def draw_costs(
    names: Sequence[str], panels: Sequence[tuple[str, Sequence[Sequence[float]]]]
) -> Figure:
    """``panels``: (label, the values of each row's runs)."""
    figure = new_figure(20 + (_BAR + _ROW) * len(names), WIDE if len(panels) > 1 else WIDTH)
    for place, (label, values) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), place + 1)
        means = [sum(one) / len(one) if one else 0.0 for one in values]
        axes.barh(range(len(names)), means, height=0.62, color=BLUE, alpha=0.55)
        for row, one in enumerate(values):
            if len(one) > 1:
                axes.plot(one, [row] * len(one), ".", color=INK, markersize=3)
        _finish(
            axes, names if place == 0 else None, len(names), max(map(max, filter(None, values)))
        )
        axes.set_xlabel(label)
    return figure


def _finish(axes: Any, names: Sequence[str] | None, rows: int, most: float) -> None:
    axes.set(ylim=(rows - 0.5, -0.5), xlim=(0, most * 1.08 or 1.0))
    axes.set_yticks(range(rows), labels=names if names is not None else [""] * rows)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(plain)
    axes.locator_params(axis="x", nbins=4)
