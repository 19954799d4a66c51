"""What a network made of one image: where it looked, or how its mask differs from the true one.

Shapes: H by W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from zoo.data.contact_sheet import class_colour, overlaid
from zoo.data.decoding import IGNORE
from zoo.predictions.lettering import readable, written
from zoo.reports.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    PAPER,
    PURPLE,
    SMALLEST,
    VERMILLION,
    WIDTH,
    in_style,
    new_figure,
    plain,
)
from zoo.runs.mask_errors import FALSE_NEGATIVE, FALSE_POSITIVE, OTHER, POSITIVE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAP = "viridis"  # read without colours too: it grows lighter
MOST = 600  # pixels of a side; a panel has fewer
ERRORS = {
    POSITIVE: ("true positive", GREEN),
    FALSE_POSITIVE: ("false positive", VERMILLION),
    FALSE_NEGATIVE: ("false negative", BLUE),
    OTHER: ("another class", PURPLE),
}
UNKNOWN = "#b8b8b8"
_TALLEST = 60.0  # mm of a panel
_HEADING, _LINE, _GAP, _BAR = 4.0, 3.6, 1.5, 2.0  # mm
_STRENGTH = 0.7  # of colours over an image
_COLUMNS, _CLASSES = 3, 9  # of a legend, and classes that it names


@in_style
def draw_attention(
    image: np.ndarray, heat: np.ndarray, lines: Sequence[str], *, name: str, unit: str
) -> Figure:
    """``image``: uint8 (H, W, 3); ``heat``: float (H, W), NaN where the network saw nothing; what
    is below 0 is drawn as 0. ``lines`` stand above it; ``name``: of the map, ``unit``: of its
    values."""
    image, heat = _small(image, Image.Resampling.LANCZOS), _small(heat)
    largest = float(np.nanmax(heat, initial=0.0))
    figure, panels = _panels(image.shape, lines, ("image", name, "overlay"), 3, below=_BAR + 8)
    drawn = panels[1].imshow(heat.clip(min=0), cmap=_colours(), vmin=0, vmax=largest or 1.0)
    panels[0].imshow(image)
    panels[2].imshow(_laid_over(image, np.clip(heat / (largest or 1.0), 0, 1)))
    _bar(figure, drawn, unit)
    return figure


@in_style
def draw_errors(
    image: np.ndarray,
    truth: np.ndarray,
    decided: np.ndarray,
    errors: np.ndarray,
    lines: Sequence[str],
    classes: Sequence[str],
) -> Figure:
    """``image``: uint8 (H, W, 3); ``truth`` and ``decided``: class ids, uint8 (H, W); ``errors``:
    as :func:`zoo.runs.mask_errors.mask_errors` gives them."""
    image = _small(image, Image.Resampling.LANCZOS)
    truth, decided, errors = _small(truth), _small(decided), _small(errors)
    entries = [entry for one, entry in ERRORS.items() if one != OTHER or (errors == OTHER).any()]
    if (errors == IGNORE).any():
        entries.append(("not counted", UNKNOWN))
    entries += _class_entries(classes, truth, decided)
    headings = ("image", "truth", "decided", "errors")
    figure, panels = _panels(image.shape, lines, headings, 2, _legend_height(entries))
    panels[0].imshow(image)
    panels[1].imshow(overlaid(image, truth))
    panels[2].imshow(overlaid(image, decided))
    panels[3].imshow(_painted(image, errors))
    _legend(figure, entries)
    return figure


@in_style
def draw_mask(
    image: np.ndarray,
    probability: np.ndarray,
    decided: np.ndarray,
    lines: Sequence[str],
    classes: Sequence[str],
    *,
    name: str,
) -> Figure:
    """``probability``: float (H, W), NaN where the network saw nothing; ``name``: of its class."""
    image, probability = _small(image, Image.Resampling.LANCZOS), _small(probability)
    decided = _small(decided)
    headings = ("image", "probability", "decided")
    entries = _class_entries(classes, decided)
    below = _BAR + 8 + _legend_height(entries)
    figure, panels = _panels(image.shape, lines, headings, 3, below)
    panels[0].imshow(image)
    drawn = panels[1].imshow(probability, cmap=_colours(), vmin=0, vmax=1)
    panels[2].imshow(overlaid(image, decided))
    _bar(figure, drawn, f"of {readable([name])[0]}")
    _legend(figure, entries)
    return figure


def _panels(
    shape: Sequence[int], lines: Sequence[str], headings: Sequence[str], columns: int, below: float
) -> tuple[Figure, list[Any]]:
    """A figure with a panel for each heading, room for ``lines`` above and ``below`` mm, the first
    :data:`_BAR` of them a row of the grid."""
    rows = -(-len(headings) // columns)
    wide = (WIDTH - (columns - 1) * _GAP) / columns
    tall = min(wide * shape[0] / shape[1], _TALLEST)
    figure = new_figure(len(lines) * _LINE + rows * (tall + _HEADING + _GAP) + below)
    figure.suptitle(
        "\n".join(written(line) for line in lines), x=0.01, ha="left", fontsize=SMALLEST + 0.5,
        color=INK,
    )  # fmt: skip
    bars = 1 if columns == 3 else 0
    grid = figure.add_gridspec(rows + bars, columns, height_ratios=[tall] * rows + [_BAR] * bars)
    panels = [figure.add_subplot(grid[divmod(n, columns)]) for n in range(len(headings))]
    for panel, heading in zip(panels, headings, strict=True):
        panel.set_title(written(heading), fontsize=SMALLEST, color=FAINT, loc="left", pad=2)
        panel.set_axis_off()
    return figure, panels


def _bar(figure: Figure, drawn: Any, unit: str) -> None:
    """What the map's colours mean, under it."""
    grid = figure.axes[0].get_gridspec()
    assert grid is not None
    place = figure.add_subplot(grid[-1, 1])
    most = drawn.norm.vmax
    bar = figure.colorbar(drawn, cax=place, orientation="horizontal", ticks=[0, most / 2, most])
    bar.set_label(unit, fontsize=SMALLEST, color=FAINT)
    bar.outline.set_visible(False)
    place.xaxis.set_major_formatter(lambda value, _: plain(float(f"{value:.2g}")))
    place.tick_params(labelsize=SMALLEST, labelcolor=FAINT, length=2)


def _small(array: np.ndarray, filter_: Image.Resampling = Image.Resampling.NEAREST) -> np.ndarray:
    """``array`` with at most :data:`MOST` pixels a side."""
    height, width = array.shape[:2]
    scale = MOST / max(height, width)
    if scale >= 1:
        return array
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(array).resize(size, filter_))


def _colours() -> Any:
    from matplotlib import colormaps

    return colormaps[MAP].with_extremes(bad=UNKNOWN)


def _laid_over(image: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The image in gray, the map's colours over it, the stronger the larger their share."""
    gray = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2) / 255
    weight = _STRENGTH * np.nan_to_num(shares)[:, :, None]
    return np.asarray((1 - weight) * gray + weight * _colours()(np.nan_to_num(shares))[:, :, :3])


def _painted(image: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """The image in gray, faint; right and wrong pixels in their colours."""
    gray = image.mean(axis=2, keepdims=True).repeat(3, axis=2)
    painted = (255 + gray) / 2
    for one, colour in [*((key, entry[1]) for key, entry in ERRORS.items()), (IGNORE, UNKNOWN)]:
        paint = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], np.float64)
        there = errors == one
        painted[there] = (1 - _STRENGTH) * gray[there] + _STRENGTH * paint
    return np.asarray(painted.round(), np.uint8)


def _class_entries(classes: Sequence[str], *masks: np.ndarray) -> list[tuple[str, str]]:
    """Of the classes that occur, but for the first, which stays clear."""
    there = sorted({int(one) for mask in masks for one in np.unique(mask)} - {0, IGNORE})
    names = readable(classes)
    colours = ["#{:02x}{:02x}{:02x}".format(*class_colour(one)) for one in there]
    shown = [(f"class {names[one]}", colour) for one, colour in zip(there, colours, strict=True)]
    more = len(shown) - _CLASSES
    return shown if more <= 0 else [*shown[:_CLASSES], (f"and {more} more", PAPER)]


def _legend_height(entries: Sequence[object]) -> float:
    return 2 + 4.2 * -(-len(entries) // _COLUMNS)


def _legend(figure: Figure, entries: Sequence[tuple[str, str]]) -> None:
    from matplotlib.patches import Patch

    if not entries:
        return
    figure.legend(
        handles=[Patch(color=colour, label=label) for label, colour in entries],
        loc="outside lower left",
        ncols=_COLUMNS,
        handlelength=1.0,
        handleheight=1.0,
    )
