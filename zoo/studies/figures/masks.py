"""Images with their true mask and what each row decided. Shapes: H by W pixels."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from zoo.data.contact_sheet import fitted
from zoo.errors import ZooError, clipped
from zoo.predictions.counts import count, of_images
from zoo.predictions.file import load_predictions
from zoo.predictions.lettering import written
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.own_masks import MaskPair
from zoo.reports.blocks import Chart
from zoo.reports.pictures import Pictures, open_pictures
from zoo.reports.sections.masks import image_dice
from zoo.reports.style import FAINT, SMALLEST, WIDE, in_style, new_figure
from zoo.reports.subject import open_subject
from zoo.studies.figures.asked import Asked, Row, left_out, shown_name
from zoo.tasks import IGNORE, Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 9  # rows side by side
_SIDE = 256  # pixels of a picture
_EDGE = 7.0  # mm above a picture


@dataclass(frozen=True)
class Cell:
    """``picture``: uint8 (H, W, 3), None where there is none; ``said``: what stands above it."""

    picture: np.ndarray | None
    said: str


def masks(asked: Asked) -> Chart | None:
    """A line for each image: itself, its true mask, and the mask of each row's first run."""
    rows = [row for _, rows in asked.panels for row in rows]
    found = {id(row): _predictions(asked, row) for row in rows}
    shown = [row for row in rows if found[id(row)] is not None][:MOST]
    if not shown:
        return None
    said = [one for row in shown if (one := found[id(row)]) is not None]
    chosen = _chosen(asked, said)
    pictures = _pictures(asked, shown[0], said[0])
    pairs = [_pairs(one, chosen) for one in said]
    lines = [_line(name, said[0].task, [one[name] for one in pairs], pictures) for name in chosen]
    heads = ["image", "truth", *(shown_name(row) for row in shown)]
    which = "From the worst to the best by the first row's Dice." if _counted(asked) else ""
    without = "" if pictures else "The images themselves are not at hand."
    missing = left_out([row for row in rows if row not in shown])
    caption = " ".join(filter(None, (which, without, missing)))
    return Chart(asked.name, asked.title, draw_masks(heads, lines), caption, wide=True)


def _counted(asked: Asked) -> bool:
    return isinstance(asked.figure.get("images", 4), int)


def _predictions(asked: Asked, row: Row) -> MaskPredictions | None:
    for run in row["runs"]:
        said = run["predictions"].get(asked.split)
        if run["folder"] is None or said is None:
            continue
        try:
            read = load_predictions(asked.out / run["folder"] / said)
        except ZooError:
            continue
        if isinstance(read, MaskPredictions) and read.labelled:
            return read
    return None


def _chosen(asked: Asked, said: Sequence[MaskPredictions]) -> list[str]:
    """Ids that all rows have: those asked for, or evenly spread from the worst to the best."""
    shared = set(map(str, said[0].ids.tolist()))
    for one in said[1:]:
        shared &= set(map(str, one.ids.tolist()))
    wanted = asked.figure.get("images", 4)
    if not isinstance(wanted, int):
        return [str(one) for one in wanted if str(one) in shared]
    dice = _dice(said[0])
    order = [name for name in sorted(dice, key=lambda one: (dice[one], one)) if name in shared]
    if len(order) <= wanted:
        return order
    places = np.linspace(0, len(order) - 1, wanted).round().astype(int) if wanted > 1 else [0]
    return [order[int(place)] for place in places]


def _dice(said: MaskPredictions) -> dict[str, float]:
    """By id, of the images that have one."""
    known = zip(map(str, said.ids.tolist()), image_dice(said).tolist(), strict=True)
    return {name: value for name, value in known if not math.isnan(value)}


def _pictures(asked: Asked, row: Row, said: MaskPredictions) -> Pictures | None:
    run = next(one for one in row["runs"] if one["predictions"].get(asked.split))
    place = (asked.out / run["folder"]).absolute()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the caption says that they are not at hand
        try:
            return open_pictures(open_subject(str(place)), said, None)
        except ZooError:
            return None


def _line(
    name: str, task: Task, pairs: Sequence[MaskPair], pictures: Pictures | None
) -> list[Cell]:
    truth = pairs[0].targets
    assert truth is not None
    image = _sized(pictures.pixels(name) if pictures else None, truth.shape)
    cells = [
        Cell(None if pictures is None else _laid(image, None), written(clipped(name, 18))),
        Cell(_laid(image, truth), ""),
    ]
    for pair in pairs:
        dice = _dice_of(task, pair)
        over = _sized(image, pair.decisions.shape)
        text = "no Dice" if math.isnan(dice) else f"Dice {dice:.3f}"
        cells.append(Cell(_laid(over, pair.decisions), text))
    return cells


def _pairs(said: MaskPredictions, names: Sequence[str]) -> dict[str, MaskPair]:
    """By id; in an image's own size, where the file has that. The file is read once."""
    images = zip(map(str, said.ids.tolist()), said.images(), strict=True)
    return {name: one.own or one.network for name, one in images if name in names}


def _dice_of(task: Task, pair: MaskPair) -> float:
    assert pair.targets is not None
    counted = count(task, pair.targets, pair.decisions)
    return float(of_images(task, np.array([counted]))["dice"][0])


def _sized(image: np.ndarray | None, size: tuple[int, ...]) -> np.ndarray:
    """uint8 (H, W, 1 or 3) of that height and width; grey where there is no image."""
    if image is None:
        return np.full((*size, 1), 128, np.uint8)
    if image.shape[:2] == size:
        return image
    flat = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    found = np.asarray(flat.resize((size[1], size[0]), Image.Resampling.BILINEAR))
    return found[:, :, None] if found.ndim == 2 else found


def _laid(image: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    seen = None if mask is None else np.where(mask == IGNORE, 0, mask).astype(np.uint8)
    return np.asarray(fitted(image, seen, min(_SIDE, max(image.shape[:2]))).convert("RGB"))


@in_style
def draw_masks(heads: Sequence[str], lines: Sequence[Sequence[Cell]]) -> Figure:
    across = len(heads)
    side = WIDE / across
    shapes = [_shape(line) for line in lines]
    heights = [side * min(tall, 1.6) + _EDGE for tall in shapes]
    figure = new_figure(sum(heights) + 4)
    figure.set_size_inches(WIDE / 25.4, (sum(heights) + 4) / 25.4)
    grid = figure.add_gridspec(len(lines), across, height_ratios=heights)
    for down, line in enumerate(lines):
        for place, cell in enumerate(line):
            axes = figure.add_subplot(grid[down, place])
            _show(axes, cell, heads[place] if down == 0 else "")
    return figure


def _shape(line: Sequence[Cell]) -> float:
    """Height over width."""
    first = next(cell.picture for cell in line if cell.picture is not None)
    return float(first.shape[0] / first.shape[1])


def _show(axes: Any, cell: Cell, head: str) -> None:
    axes.set_axis_off()
    title = "\n".join(filter(None, (head, cell.said)))
    axes.set_title(title, fontsize=SMALLEST, loc="left", pad=2)
    if cell.picture is None:
        axes.text(0.5, 0.5, "not at hand", color=FAINT, fontsize=SMALLEST, ha="center",
                  va="center", transform=axes.transAxes)  # fmt: skip
        return
    style: Mapping[str, Any] = {"interpolation": "nearest"} if max(cell.picture.shape) < 128 else {}
    axes.imshow(cell.picture, **style)
