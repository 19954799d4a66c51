"""ROC and precision-recall curves. Shapes: P points of a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.predictions.lettering import readable
from zoo.reports.style import BLUE, FAINT, INK, SERIES, in_style, near, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURED = 7  # curves up to which each has its colour and its name
SHOWN = 3  # of more than that, the lowest, which are named
_LINES = 40  # others up to which each is a line; of more, a band
_MIDDLE = (10, 90)  # percentiles of a band
_NEAR, _CORNER = 0.97, 0.2  # areas from which only a corner is drawn, and its side
_HEIGHT = 78.0  # mm, without the names
_NAME = 4.2  # mm of a line of them


@dataclass(frozen=True)
class Curve:
    """``across`` and ``up``: float (P,), from 0 to 1; ``area``: below it, None where nobody
    computed it; ``mean``: whether it is of several classes together."""

    name: str
    across: np.ndarray
    up: np.ndarray
    area: float | None = None
    mean: bool = False


@dataclass(frozen=True)
class Point:
    """What is decided: a point on a curve."""

    across: float
    up: float
    name: str


@in_style
def draw_roc(curves: Sequence[Curve], decided: Point | None = None) -> Figure:
    """False positives' share across, true positives' up. Where all curves are near the corner, it
    alone is drawn."""
    figure, axes = _axes(curves, decided)
    zoomed = _near_corner(curves, decided)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=(0, (1.2, 1.6)), zorder=1)
    _draw(axes, curves)
    _mark(axes, decided)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate (recall)")
    side = _CORNER if zoomed else 1.0
    _frame(axes, (0, side), (1 - side, 1), side)
    _legend(figure)
    return figure


@in_style
def draw_precision_recall(
    curves: Sequence[Curve], decided: Point | None = None, chance: float | None = None
) -> Figure:
    """Recall across, precision up; ``chance``: the share of positives, which guessing gives."""
    figure, axes = _axes(curves, decided)
    zoomed = _near_corner(curves, decided)
    if chance is not None and not zoomed:
        axes.axhline(chance, color=FAINT, linewidth=0.8, linestyle=(0, (1.2, 1.6)), zorder=1)
    _draw(axes, curves)
    _mark(axes, decided)
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    side = _CORNER if zoomed else 1.0
    _frame(axes, (1 - side, 1), (1 - side, 1), side)
    _legend(figure)
    return figure


def _axes(curves: Sequence[Curve], decided: Point | None) -> tuple[Figure, Any]:
    single = [one for one in curves if not one.mean]
    names = len(single) if len(single) <= COLOURED else SHOWN + 1
    names += sum(one.mean for one in curves) + (decided is not None)
    figure = new_figure(_HEIGHT + _NAME * -(-names // 2))
    return figure, figure.add_subplot()


def _near_corner(curves: Sequence[Curve], decided: Point | None) -> bool:
    areas = [one.area for one in curves]
    return bool(curves) and decided is None and all(one is not None and one >= _NEAR
                                                    for one in areas)  # fmt: skip


def _draw(axes: Any, curves: Sequence[Curve]) -> None:
    single = [one for one in curves if not one.mean]
    named = single
    if len(single) > COLOURED:
        known = [one for one in single if one.area is not None]
        named = sorted(known, key=lambda one: one.area or 0.0)[:SHOWN]
        _draw_rest(axes, [one for one in single if not any(one is other for other in named)])
    shorts = readable([one.name for one in named])
    for one, short, (colour, dashes, _) in zip(named, shorts, SERIES, strict=False):
        axes.plot(one.across, one.up, color=colour, linestyle=dashes, label=_label(short, one))
    for one, dashes in zip((one for one in curves if one.mean), ("-", (0, (1.2, 1.2))),
                           strict=False):  # fmt: skip
        axes.plot(
            one.across, one.up, color=INK, linestyle=dashes, linewidth=1.8,
            label=_label(one.name, one),
        )  # fmt: skip


def _draw_rest(axes: Any, curves: Sequence[Curve]) -> None:
    """Lines, or where they would be a mess, what most of them lie in."""
    if len(curves) <= _LINES:
        for number, one in enumerate(curves):
            label = f"{len(curves):,} other classes" if number == 0 else None
            axes.plot(one.across, one.up, color=FAINT, linewidth=0.6, alpha=0.55, label=label)
        return
    across = np.linspace(0, 1, 201)
    ups = np.array([np.interp(across, one.across, one.up) for one in curves])
    low, high = np.percentile(ups, _MIDDLE, axis=0)
    axes.fill_between(
        across, low, high, color=FAINT, alpha=0.25, linewidth=0,
        label=f"80 % of {len(curves):,} others",
    )  # fmt: skip


def _label(name: str, curve: Curve) -> str:
    return name if curve.area is None else f"{name}: {near(curve.area)}"


def _mark(axes: Any, decided: Point | None) -> None:
    if decided is not None:
        axes.plot(
            [decided.across], [decided.up], "o", color=BLUE, markersize=5.5, fillstyle="none",
            markeredgewidth=1.3, linestyle="none", label=decided.name, clip_on=False, zorder=4,
        )  # fmt: skip


def _frame(axes: Any, across: tuple[float, float], up: tuple[float, float], side: float) -> None:
    from matplotlib.ticker import MaxNLocator

    room = 0.015 * side
    axes.set_xlim(across[0] - room, across[1] + room)
    axes.set_ylim(up[0] - room, up[1] + room)
    axes.set_aspect("equal", adjustable="box")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5))
        axis.set_major_formatter(plain)


def _legend(figure: Figure) -> None:
    figure.legend(loc="outside lower center", ncols=2, alignment="left")
