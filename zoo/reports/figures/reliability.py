"""Reliability diagrams. Shapes: B bins of probability that hold something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.predictions.lettering import short_count
from zoo.reports.style import BLUE, FAINT, VERMILLION, in_style, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BARS = 25  # of a histogram


@dataclass(frozen=True)
class Bins:
    """``name``: empty where there is one only. ``edges``: float (B, 2), where each bin begins and
    ends; ``confidence``: (B,), the mean of what was said; ``share``: (B,), how much of that is so,
    with the ends ``low`` and ``high`` of its interval; ``count``: (B,)."""

    name: str
    edges: np.ndarray
    confidence: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray


@in_style
def draw_reliability(
    several: Sequence[Bins], *, said: str, found: str, unit: str = "samples"
) -> Figure:
    """One or two of them, as before and after a calibration, above a histogram of what was said.
    ``said`` and ``found``: what stands at the axes. On the diagonal, what is said holds."""
    figure = new_figure(88 if len(several) == 1 else 92)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    above.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=(0, (1.2, 1.6)))
    looks = ((BLUE, "-", "o"), (VERMILLION, (0, (4, 1.5)), "s"))
    for one, (colour, dashes, marker) in zip(several, looks, strict=False):
        reach = np.abs(np.stack([one.low, one.high]) - one.share)
        above.errorbar(
            one.confidence, one.share, yerr=reach, color=colour, linestyle=dashes, marker=marker,
            elinewidth=0.8, capsize=1.5, capthick=0.8, label=one.name, clip_on=False,
        )  # fmt: skip
        start, width = one.edges[:, 0], one.edges[:, 1] - one.edges[:, 0]
        if one is several[0]:
            below.bar(start, one.count, width, align="edge", color=colour, alpha=0.45, linewidth=0)
        else:
            below.bar(
                start, one.count, width, align="edge", facecolor="none", edgecolor=colour,
                linewidth=0.9,
            )  # fmt: skip
    above.set(xlim=(0, 1), ylim=(0, 1), ylabel=found)
    below.set(xlabel=said, ylabel=unit)
    below.yaxis.set_major_formatter(lambda value, _: short_count(value))
    below.locator_params(axis="y", nbins=3)
    for axis in (above.xaxis, above.yaxis):
        axis.set_major_formatter(plain)
    figure.align_ylabels()
    if len(several) > 1:
        figure.legend(
            *above.get_legend_handles_labels(), loc="outside upper left", ncols=len(several)
        )
    return figure


@in_style
def draw_scores(groups: Sequence[tuple[str, np.ndarray]], *, said: str) -> Figure:
    """How what was said is spread over two groups, as the right and the wrong: (name, float (N,)
    from 0 to 1) of each. Every group's bars add up to one, whatever its size."""
    figure = new_figure(60)
    axes = figure.add_subplot()
    looks = ((BLUE, "-", 0.3), (VERMILLION, (0, (4, 1.5)), 0.12))
    for (name, values), (colour, dashes, alpha) in zip(groups, looks, strict=False):
        if len(values):
            weights = np.full(len(values), 1 / len(values))
            heights, edges = np.histogram(values, bins=_BARS, range=(0, 1), weights=weights)
            axes.stairs(heights, edges, fill=True, color=colour, alpha=alpha, linewidth=0)
            axes.stairs(
                heights, edges, color=colour, linestyle=dashes, linewidth=1.2,
                label=f"{name} ({len(values):,})",
            )  # fmt: skip
    axes.set(xlim=(0, 1), xlabel=said, ylabel="share of them")
    axes.set_ylim(bottom=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(plain)
    figure.legend(loc="outside upper left", ncols=2)
    return figure
