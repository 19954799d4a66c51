"""Figures over the course of a training. Shapes: E epochs, P points in time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.reports.style import (
    BLUE,
    FAINT,
    GREEN,
    PURPLE,
    VERMILLION,
    in_style,
    new_figure,
    plain,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEIGHT = 54.0  # mm
_EACH = 8  # epochs up to which each has its number
_MARKED = 30  # epochs up to which each has a marker
_WIDE = 30.0  # how many times the smallest value the largest is, where the axis is logarithmic


@in_style
def draw_history(
    epochs: np.ndarray,
    train: np.ndarray,
    val: np.ndarray,
    *,
    label: str,
    best: int | None = None,
) -> Figure:
    """``epochs``: int (E,); ``train`` and ``val``: float (E,), NaN where there is none; ``best``:
    the epoch whose weights were kept, which is marked."""
    figure = new_figure(_HEIGHT)
    axes = figure.add_subplot()
    marked = len(epochs) <= _MARKED
    for values, name, colour, dashes, marker in (
        (train, "train", VERMILLION, (0, (4, 1.5)), "s"),
        (val, "val", BLUE, "-", "o"),
    ):
        if np.isfinite(values).any():
            axes.plot(
                epochs, values, color=colour, linestyle=dashes, label=name,
                marker=marker if marked else None,
            )  # fmt: skip
    if best is not None:
        axes.axvline(best, color=FAINT, linewidth=0.9, linestyle=(0, (1.2, 1.6)), zorder=1.5,
                     label=f"best epoch ({best:,})")  # fmt: skip
        at = val[epochs == best]
        if np.isfinite(at).any():
            axes.plot([best], at[:1], "o", color=BLUE, markersize=6, fillstyle="none")
    epoch_axis(axes, epochs)
    value_axis(axes, np.concatenate([train, val]))
    axes.set_ylabel(label)
    figure.legend(loc="outside upper left", ncols=3)
    return figure


@in_style
def draw_rate(epochs: np.ndarray, rates: np.ndarray) -> Figure:
    """``rates``: float (E,), the learning rate with which each epoch began."""
    figure = new_figure(_HEIGHT - 6)
    axes = figure.add_subplot()
    axes.plot(epochs, rates, color=GREEN, marker="o" if len(epochs) <= _MARKED else None)
    epoch_axis(axes, epochs)
    if not value_axis(axes, rates):
        axes.set_ylim(bottom=0)
    axes.set_ylabel("learning rate")
    return figure


@in_style
def draw_speed(minutes: np.ndarray, speeds: np.ndarray) -> Figure:
    """``minutes``: float (P,), of training until then; ``speeds``: float (P,), samples a second."""
    figure = new_figure(_HEIGHT - 6)
    axes = figure.add_subplot()
    axes.plot(minutes, speeds, color=BLUE, marker="o" if len(minutes) <= _MARKED else None)
    axes.set_xlabel("minutes of training")
    axes.set_ylabel("samples a second")
    axes.set_ylim(0, max(float(np.nanmax(speeds)) * 1.08, 1e-9))
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    return figure


@in_style
def draw_memory(epochs: np.ndarray, sizes: np.ndarray) -> Figure:
    """``sizes``: float (E,), bytes at most, NaN where nobody knows."""
    figure = new_figure(_HEIGHT - 6)
    axes = figure.add_subplot()
    unit, name = (1e9, "GB") if np.nanmax(sizes) >= 1e9 else (1e6, "MB")
    axes.plot(epochs, sizes / unit, color=PURPLE, marker="o" if len(epochs) <= _MARKED else None)
    epoch_axis(axes, epochs)
    axes.set_ylabel(f"most memory ({name})")
    axes.set_ylim(0, float(np.nanmax(sizes)) / unit * 1.15)
    axes.yaxis.set_major_formatter(plain)
    return figure


def epoch_axis(axes: Any, epochs: np.ndarray) -> None:
    """Whole numbers from the first to the last of them on the x axis."""
    from matplotlib.ticker import FixedLocator, MaxNLocator

    first, last = (int(epochs[0]), int(epochs[-1])) if len(epochs) else (1, 1)
    room = max((last - first) * 0.03, 0.5 if first == last else 0.15)
    axes.set_xlim(first - room, last + room)
    few = FixedLocator(list(range(first, last + 1))) if last - first < _EACH else None
    axes.xaxis.set_major_locator(few or MaxNLocator(nbins=7, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(plain)
    axes.set_xlabel("epoch")


def value_axis(axes: Any, values: np.ndarray, *, log: bool = True) -> bool:
    """Numbers on the y axis; a logarithmic one where values differ by powers of ten, and ``log``.
    Whether it is one."""
    from matplotlib.ticker import FixedLocator, MaxNLocator

    axes.yaxis.set_major_formatter(plain)
    known = values[np.isfinite(values)]
    if not log or not len(known) or known.min() <= 0 or known.max() / known.min() < _WIDE:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6))
        return False
    low, high = float(known.min()) / 1.15, float(known.max()) * 1.15
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(FixedLocator(_round_numbers(low, high)))
    axes.yaxis.set_major_formatter(plain)
    axes.yaxis.set_minor_locator(FixedLocator([]))
    return True


def _round_numbers(low: float, high: float) -> list[float]:
    """At most seven of 1, 2, 5, 10, ... between; of fewer in ten where there are many tens."""
    for steps in ((1, 2, 5), (1, 3), (1,)):
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [step * 10.0**power for power in powers for step in steps]
        found = [one for one in found if low <= one <= high]
        if len(found) <= 7:
            return found
    return found[:: math.ceil(len(found) / 7)]
