"""Confusion matrices of rows side by side. Shapes: K classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.predictions.confusion import DRAWN
from zoo.reports.blocks import Chart
from zoo.reports.figures.matrix import NUMBERED, SIDES, fill_confusion
from zoo.reports.style import TEXT, WIDE, WIDTH, in_style, new_figure
from zoo.studies.collecting import measured_of
from zoo.studies.figures.asked import Asked, Row, left_out, shown_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ACROSS = 3
_CELL, _LEAST, _EDGE = 7.0, 44.0, 22.0  # mm: of a class, of a panel, around it


def confusion(asked: Asked) -> Chart | None:
    """A panel for each row: the counts of all its runs together."""
    rows = [row for _, rows in asked.panels for row in rows]
    found = [(row, _counts(asked, row)) for row in rows]
    drawn = [(shown_name(row), *held) for row, held in found if held is not None]
    if not drawn:
        return None
    runs = max(len(row["runs"]) for row, held in found if held is not None)
    several = f"Counts of up to {runs} runs together." if runs > 1 else ""
    depth = "The deeper the colour, the larger the share of the row; blue is right, empty is none."
    missing = left_out([row for row, held in found if held is None])
    caption = " ".join(filter(None, (depth, several, missing)))
    return Chart(asked.name, asked.title, draw_matrices(drawn), caption, wide=len(drawn) > 1)


def _counts(asked: Asked, row: Row) -> tuple[np.ndarray, list[str]] | None:
    """(int (K, K), or (K, 4) of sides for a multilabel task; names of the classes)."""
    total, classes = None, []
    for run in row["runs"]:
        said = measured_of(run, asked.split, asked.out)
        if "confusion" not in said:
            continue
        table = np.array(said["confusion"], np.int64)
        table = table.reshape(len(table), len(SIDES)) if table.ndim == 3 else table
        if len(table) > DRAWN or (total is not None and table.shape != total.shape):
            return None
        total = table if total is None else total + table
        classes = [str(one["class"]) for one in said["per_class"]]
    return None if total is None else (total, classes)


@in_style
def draw_matrices(drawn: Sequence[tuple[str, np.ndarray, Sequence[str]]]) -> Figure:
    across = min(len(drawn), _ACROSS)
    down = -(-len(drawn) // across)
    side = max(_LEAST, min(_EDGE + _CELL * max(len(one) for _, one, _ in drawn), 70.0))
    figure = new_figure((side + 6) * down, WIDE if across > 1 else WIDTH)
    for place, (name, table, classes) in enumerate(drawn):
        axes = figure.add_subplot(down, across, place + 1)
        fill_confusion(axes, table, classes, shares=len(table) > NUMBERED)
        axes.set_title(name, fontsize=TEXT, loc="left")
        if place % across:
            axes.set_ylabel("")
            axes.set_yticklabels([])
    return figure
