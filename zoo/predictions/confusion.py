"""The confusion matrix as a picture: each row the share of a class's samples, told by colour.

One hue from light to dark tells more from less to every eye. Made to be read at half a page's
width: 84 mm, no letter below 6 points. Equal counts are equal bytes, with the same matplotlib.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.errors import clipped
from zoo.predictions.lettering import percent, quiet_matplotlib, readable, short_count, written
from zoo.tasks import MULTILABEL, SEGMENTATION, Task

_WIDTH, _DOTS = 3.3, 300  # inches, and dots an inch
_NUMBERS, _SHARES = 12, 5  # classes up to which cells have counts, and shares too
_NAMED, _TICKS = 20, 10  # classes up to which each has its name; of more, numbers, about so many
DRAWN = 100  # classes up to which a picture still shows something
_INK, _FAINT, _EMPTY = "#222222", "#6e6e6e", "#eeeeee"
_SMALL, _TEXT = 6, 7  # points
_SIDES = ("true negative", "false positive", "false negative", "true positive")


def draw_confusion(task: Task, counts: Any, title: str) -> bytes:
    """A PNG of ``counts``, as :mod:`zoo.predictions.counts` has them; ``title`` stands above it."""
    table = np.asarray(counts, np.float64)
    if task.kind == MULTILABEL:  # of each class the two sides of the truth, side by side
        table = table.reshape(len(task.classes), 4)
    shares = _shares(table, 2 if task.kind == MULTILABEL else table.shape[1])
    with quiet_matplotlib():
        figure, axes = _axes(table.shape)
        image = axes.imshow(shares, cmap=_colours(), vmin=0, vmax=1, aspect="auto")
        names = readable(task.classes)
        _name_axis(axes.yaxis, names)
        _name_axis(axes.xaxis, list(_SIDES) if task.kind == MULTILABEL else names)
        if task.kind != MULTILABEL:
            axes.set_xlabel("decided as", fontsize=_TEXT, color=_INK)
        axes.set_ylabel("class" if task.kind == MULTILABEL else "truth", fontsize=_TEXT, color=_INK)
        axes.set_title(
            written(clipped(title)), fontsize=_TEXT, color=_INK, parse_math=False, loc="left"
        )
        if len(table) <= _NUMBERS:
            _write_cells(axes, table, shares)
        bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.03)
        unit = "pixels" if task.kind == SEGMENTATION else "samples"
        bar.set_label(f"share of the class's {unit}", fontsize=_SMALL, color=_FAINT)
        bar.ax.tick_params(labelsize=_SMALL, colors=_FAINT, length=2)
        bar.outline.set_visible(False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DOTS, metadata={"Software": None})
    return buffer.getvalue()


def _axes(shape: tuple[int, int]) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, columns = shape
    height = _WIDTH * 0.9 if rows == columns else min(9.0, 1.0 + 0.2 * min(rows, _NAMED))
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for side in axes.spines.values():
        side.set_visible(False)
    return figure, axes


def _colours() -> Any:
    from matplotlib import colormaps

    return colormaps["Blues"].with_extremes(bad=_EMPTY)


def _shares(table: np.ndarray, together: int) -> np.ndarray:
    """Each cell's share of the ``together`` cells of a row that it stands with; NaN of none."""
    sums = table.reshape(len(table), -1, together).sum(2).repeat(together, axis=1)
    shares: np.ndarray = np.divide(table, sums, out=np.full(table.shape, np.nan), where=sums > 0)
    return shares


def _name_axis(axis: Any, names: Sequence[str]) -> None:
    every = 1 if len(names) <= _NAMED else -(-len(names) // _TICKS)
    places = range(0, len(names), every)
    labels = [names[place] if every == 1 else str(place) for place in places]
    small = len(labels) > _NUMBERS
    axis.set_ticks(places, labels=labels, fontsize=_SMALL if small else _TEXT, parse_math=False)
    axis.set_tick_params(length=0, labelcolor=_INK)
    if axis.axis_name == "x" and max(map(len, labels)) * len(labels) > 34:
        for label in axis.get_ticklabels():
            label.set(rotation=90 if small else 40, ha="center" if small else "right")
            label.set_rotation_mode("anchor" if not small else "default")


def _write_cells(axes: Any, table: np.ndarray, shares: np.ndarray) -> None:
    style = {"ha": "center", "va": "center", "fontsize": _SMALL}
    for row in np.flatnonzero(np.isnan(shares).all(1)):
        axes.text((table.shape[1] - 1) / 2, row, "no samples", color=_FAINT, **style)
    for (row, column), count in np.ndenumerate(table):
        share = float(shares[row, column])
        if np.isnan(share) or (count == 0 and len(table) > _SHARES):
            continue
        shown = f"{percent(share)}\n" if count and len(table) <= _SHARES else ""
        ink = "white" if share > 0.55 else _INK
        axes.text(column, row, f"{shown}{short_count(count)}", color=ink, **style)
