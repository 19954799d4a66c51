"""Figures of each class with their intervals, and how a figure is spread over images.

Shapes: K classes, N images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.predictions.lettering import readable, short_count
from zoo.reports.style import (
    BLUE,
    FAINT,
    INK,
    SMALLEST,
    VERMILLION,
    in_style,
    near,
    new_figure,
    plain,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 20  # classes; of more, the lowest
_ROW = 4.6  # mm of a class
_WIDE = 0.05  # of the axis, at least


@in_style
def draw_classes(
    classes: Sequence[str],
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    label: str,
    overall: float | None = None,
) -> Figure:
    """``values``: float (K,), NaN where undefined, from 0 to 1; ``low`` and ``high``: the ends of
    their intervals, NaN where there are none; ``overall``: what a line is drawn for, such as the
    mean. In the order given, up to :data:`SHOWN`; of more, the lowest, lowest first."""
    order = np.arange(len(values))
    if len(values) > SHOWN:
        order = np.argsort(np.where(np.isnan(values), np.inf, values), kind="stable")[:SHOWN]
    every = readable(classes)
    names = [every[k] for k in order]
    values, low, high = values[order], low[order], high[order]
    figure = new_figure(16 + _ROW * len(order))
    axes = figure.add_subplot()
    left, right = _limits(np.concatenate([values, low, high, [overall or np.nan]]))
    for row, (value, start, end) in enumerate(zip(values, low, high, strict=True)):
        _row(axes, row, (float(value), float(start), float(end)), left)
    if overall is not None:
        axes.axvline(overall, color=VERMILLION, linewidth=0.9, linestyle=(0, (4, 1.5)), zorder=1)
    axes.set(xlim=(left, right), ylim=(len(order) - 0.5, -0.5), xlabel=label)
    axes.set_yticks(range(len(order)), labels=names)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(plain)
    axes.locator_params(axis="x", nbins=6)
    return figure


def _row(axes: Any, row: int, found: tuple[float, float, float], left: float) -> None:
    """A dot on its interval; the number stands at the right edge."""
    value, low, high = found
    across = axes.get_yaxis_transform()
    if np.isnan(value):
        axes.text(0.02, row, "undefined", color=FAINT, fontsize=SMALLEST, va="center",
                  transform=across)  # fmt: skip
        return
    axes.plot([left, value], [row, row], color=FAINT, linewidth=0.5, alpha=0.5, zorder=1)
    if not np.isnan(low + high):
        axes.plot([low, high], [row, row], color=BLUE, linewidth=4.5, alpha=0.35,
                  solid_capstyle="butt", zorder=2)  # fmt: skip
    axes.plot([value], [row], "o", color=BLUE, markersize=3.6, zorder=3, clip_on=False)
    axes.text(1.02, row, near(value), color=INK, fontsize=SMALLEST, va="center",
              transform=across)  # fmt: skip


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Of an axis on which all of them, and their differences, are seen."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    wide = min(max((high - low) * 1.12, _WIDE), 1.0)
    left = min(max(0.0, (low + high - wide) / 2), 1.0 - wide)
    return left, left + wide * 1.01


@in_style
def draw_spread(values: np.ndarray, *, label: str, unit: str = "images") -> Figure:
    """``values``: float (N,) from 0 to 1, one an image, without NaN; mean and median are marked."""
    figure = new_figure(54)
    axes = figure.add_subplot()
    axes.hist(values, bins=20, range=(0, 1), color=BLUE, alpha=0.55, linewidth=0)
    if len(values):
        for value, name, dashes in (
            (float(values.mean()), "mean", (0, (4, 1.5))),
            (float(np.median(values)), "median", (0, (1.2, 1.2))),
        ):
            axes.axvline(value, color=VERMILLION, linewidth=1.1, linestyle=dashes,
                         label=f"{name} {value:.3f}")  # fmt: skip
        figure.legend(loc="outside upper left", ncols=2)
    axes.set(xlim=(0, 1), xlabel=label, ylabel=unit)
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(lambda value, _: short_count(value))
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    return figure
