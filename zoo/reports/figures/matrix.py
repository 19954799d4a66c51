"""The confusion matrix, as counts and as shares of each row. Shapes: K classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.predictions.lettering import percent, readable, short_count
from zoo.reports.style import FAINT, INK, LINE, SMALLEST, WIDTH, in_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN = 100  # classes up to which a picture still shows something
NUMBERED, NAMED = 12, 20  # those up to which cells hold numbers, and each class has its name
SIDES = ("true negative", "false positive", "false negative", "true positive")
_TICKS = 10  # about so many numbers of classes, where names have no room
_SIGNED = 6  # classes up to which a share has room for its sign
_LIGHTEST, _DEEPEST = 0.06, 0.92  # of a cell that is not empty
# Those of the style, but for the last bit: a page in the dark changes the style's, and letters
# could not be read on these.
_RIGHT, _WRONG, _WHITE = "#0072b3", "#d55e01", "#fffffe"


@in_style
def draw_confusion(
    table: np.ndarray, classes: Sequence[str], *, shares: bool, unit: str = "samples"
) -> Figure:
    """``table``: int (K, K), rows the truth, columns the decision; or (K, 4) of a multilabel task,
    a row the counts of :data:`SIDES` of a class. ``shares``: cells hold each one's share of its
    row (of its side of the truth) in place of counts. Right is blue, wrong is red; the deeper the
    colour, the larger the share, so that small classes are seen as well as large ones."""
    figure = new_figure(_height(*table.shape))
    fill_confusion(figure.add_subplot(), table, classes, shares=shares)
    if len(table) > NUMBERED:
        _scale(figure, unit)
    return figure


def fill_confusion(axes: Any, table: np.ndarray, classes: Sequence[str], *, shares: bool) -> None:
    """The same in one of several panels; the depth of colours is not explained."""
    rows, columns = table.shape
    of_sides = rows != columns or tuple(classes) == SIDES
    part = _shares(table, 2 if of_sides else columns)
    depth = np.where(part > 0, _LIGHTEST + (_DEEPEST - _LIGHTEST) * np.sqrt(part), 0.0)
    _paint(axes, depth, _right(table.shape, of_sides))
    _name_axes(axes, classes, SIDES if of_sides else classes)
    axes.set_ylabel("class" if of_sides else "truth")
    if not of_sides:
        axes.set_xlabel("decided as")
    if rows <= NUMBERED:
        _write(axes, table, part, depth, shares=shares)


def _shares(table: np.ndarray, together: int) -> np.ndarray:
    """Of the ``together`` cells of a row that each stands with; NaN of none."""
    counts = table.astype(np.float64)
    sums = counts.reshape(len(counts), -1, together).sum(2).repeat(together, axis=1)
    found: np.ndarray = np.divide(counts, sums, out=np.full(counts.shape, np.nan), where=sums > 0)
    return found


def _right(shape: tuple[int, ...], of_sides: bool) -> np.ndarray:
    if of_sides:
        return np.tile([True, False, False, True], (shape[0], 1))
    return np.eye(shape[0], dtype=bool)


def _height(rows: int, columns: int) -> float:
    """mm: about square cells, but neither a strip nor a tower."""
    if rows != columns:
        return min(26.0 + 6.0 * min(rows, NAMED), 120.0)
    named = NUMBERED < rows <= NAMED  # their names need room
    return min(34.0 + 10.0 * rows, WIDTH + (22 if named else 2))


def _paint(axes: Any, depth: np.ndarray, right: np.ndarray) -> None:
    from matplotlib.colors import to_rgb

    colours = np.empty((*depth.shape, 4))
    colours[..., :3] = np.where(right[..., None], to_rgb(_RIGHT), to_rgb(_WRONG))
    colours[..., 3] = depth
    rows, columns = depth.shape
    axes.grid(visible=False)
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    if rows <= NAMED:
        from matplotlib.patches import Rectangle

        for (row, column), deep in np.ndenumerate(depth):
            if deep > 0:
                axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, linewidth=0,
                                         facecolor=colours[row, column]))  # fmt: skip
        for at in range(1, rows):
            axes.axhline(at - 0.5, color=LINE, linewidth=0.5)
        for at in range(1, columns):
            axes.axvline(at - 0.5, color=LINE, linewidth=0.5)
    else:
        axes.imshow(colours, interpolation="none", aspect="auto")
    for side in axes.spines.values():
        side.set(visible=True, color=LINE)


def _name_axes(axes: Any, down: Sequence[str], across: Sequence[str]) -> None:
    for axis, names in ((axes.yaxis, readable(down)), (axes.xaxis, readable(across))):
        every = 1 if len(names) <= NAMED else -(-len(names) // _TICKS)
        places = range(0, len(names), every)
        labels = [names[place] if every == 1 else str(place) for place in places]
        axis.set_ticks(places, labels=labels)
        axis.set_tick_params(length=0, pad=2)
        if axis.axis_name == "x" and max(map(len, labels)) * len(labels) > 38:
            steep = len(labels) > NUMBERED
            for label in axis.get_ticklabels():
                label.set(rotation=90 if steep else 40, ha="center" if steep else "right")
                label.set_rotation_mode("default" if steep else "anchor")


def _write(
    axes: Any, table: np.ndarray, part: np.ndarray, depth: np.ndarray, *, shares: bool
) -> None:
    middle = {"ha": "center", "va": "center", "fontsize": SMALLEST}
    right = _right(table.shape, table.shape[0] != table.shape[1])
    for row in np.flatnonzero(np.isnan(part).all(1)):
        axes.text((table.shape[1] - 1) / 2, row, "no samples", color=FAINT, **middle)
    for (row, column), count in np.ndenumerate(table):
        if count:
            text = percent(float(part[row, column])) if shares else short_count(float(count))
            if len(table) > _SIGNED:
                text = text.removesuffix("%")
            ink = _ink(float(depth[row, column]), right=bool(right[row, column]))
            axes.text(column, row, text, color=ink, **middle)


def _ink(depth: float, *, right: bool) -> str:
    """What can be read best on a cell: of two colours that with the larger contrast on paper."""
    from matplotlib.colors import to_rgb

    paint = np.array(to_rgb(_RIGHT if right else _WRONG))
    below = _luminance(1 - depth * (1 - paint))
    return max((_WHITE, INK), key=lambda one: _contrast(_luminance(np.array(to_rgb(one))), below))


def _luminance(colour: np.ndarray) -> float:
    """Relative, of sRGB in [0, 1] (WCAG 2.2)."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def _scale(figure: Figure, unit: str) -> None:
    """What the depth of a colour means."""
    from matplotlib.patches import Patch

    steps = (0.01, 0.1, 0.5, 1.0)
    handles = [
        Patch(facecolor=(colour, _LIGHTEST + (_DEEPEST - _LIGHTEST) * step**0.5), label=label)
        for step in steps
        for colour, label in ((_RIGHT, ""), (_WRONG, f"{step:.0%}"))
    ]
    figure.legend(
        handles=handles, loc="outside upper left", ncols=len(handles), handlelength=0.9,
        handletextpad=0.25, columnspacing=0.35, title=f"share of the row's {unit}: right, wrong",
        title_fontsize=SMALLEST, alignment="left",
    )  # fmt: skip
