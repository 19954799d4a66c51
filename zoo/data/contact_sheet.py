"""A contact sheet: pictures in a grid with their names under them, masks laid over in colour.

Shapes: H by W pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from zoo.data.decoding import IGNORE
from zoo.errors import printable

# Colours that differ in lightness too, for eyes that do not tell red from green; after Okabe and
# Ito, "Color Universal Design", 2008. The first is of class 1: class 0, background, stays clear.
COLOURS = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0),
    (204, 121, 167),
)  # fmt: skip
IGNORED = (150, 150, 150)
_STRENGTH = 0.35  # of a mask's colour inside; its edge is drawn in full
_GAP, _MARGIN = 12, 20
_INK, _FAINT, _PAPER, _FRAME = (34, 34, 34), (110, 110, 110), (255, 255, 255), (214, 214, 214)
_TEXT, _TITLE = 13, 18  # pixels


@dataclass(frozen=True)
class Tile:
    """``image``: uint8 (H, W, 1 or 3); ``mask``: class ids, uint8 (H, W)."""

    image: np.ndarray
    caption: str = ""
    mask: np.ndarray | None = None


def draw_sheet(
    tiles: Sequence[Tile],
    columns: int,
    title: str,
    detail: str = "",
    legend: Sequence[tuple[str, tuple[int, int, int]]] = (),
    headings: Sequence[str] = (),
) -> Image.Image:
    """``tiles`` row by row, under ``headings`` of the columns. Small pictures are enlarged pixel by
    pixel, large ones shrunk; all by the same factor when they are of one size."""
    side = tile_side(max(max(tile.image.shape[:2]) for tile in tiles))
    caption = _TEXT + 8 if any(tile.caption for tile in tiles) else 0
    rows = math.ceil(len(tiles) / columns)
    head = _MARGIN + _TITLE + 10 + (_TEXT + 8) * bool(detail) + (_TEXT + 12) * bool(legend)
    top = head + (_TEXT + 10) * bool(headings) + 6
    width = max(2 * _MARGIN + columns * side + (columns - 1) * _GAP, 2 * _MARGIN + 360)
    height = top + rows * (side + caption) + (rows - 1) * _GAP + _MARGIN
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    small, large = ImageFont.load_default(_TEXT), ImageFont.load_default(_TITLE)
    room = width - 2 * _MARGIN
    pen.text((_MARGIN, _MARGIN - 4), shortened(title, large, room), _INK, large)
    if detail:
        at = _MARGIN + _TITLE + 8
        pen.text((_MARGIN, at), shortened(detail, small, room), _FAINT, small)
    if legend:
        _draw_legend(pen, legend, head - _TEXT - 6, room, small)
    for place, heading in enumerate(headings[:columns]):
        x = _MARGIN + place * (side + _GAP)
        pen.text((x, top - _TEXT - 8), shortened(heading, small, side), _FAINT, small)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        x = _MARGIN + column * (side + _GAP)
        y = top + row * (side + caption + _GAP)
        pen.rectangle((x - 1, y - 1, x + side, y + side), outline=_FRAME, fill=(245, 245, 245))
        picture = fitted(tile.image, tile.mask, side)
        sheet.paste(picture, (x + (side - picture.width) // 2, y + (side - picture.height) // 2))
        if tile.caption:
            text = shortened(tile.caption, small, side)
            pen.text((x + side / 2, y + side + 4), text, _INK, small, anchor="ma")
    return sheet


def tile_side(longest: int) -> int:
    """The side of a tile in pixels for pictures of ``longest`` pixels: about 110 for small ones,
    a whole multiple of theirs; 192 at most."""
    if longest >= 96:
        return min(longest, 192)
    return longest * max(1, round(110 / longest))


def fitted(image: np.ndarray, mask: np.ndarray | None, side: int) -> Image.Image:
    """The picture with its mask, in a square of ``side``. Pixels stay sharp when enlarged; a mask
    is drawn after shrinking, so that its edge stays to be seen."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if scale >= 1.0:
        return Image.fromarray(overlaid(image, mask)).resize(size, Image.Resampling.NEAREST)
    picture = Image.fromarray(overlaid(image, None)).resize(size, Image.Resampling.LANCZOS)
    if mask is None:
        return picture
    ids = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
    return Image.fromarray(overlaid(np.asarray(picture), ids))


def overlaid(image: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """uint8 (H, W, 3): each class but the first in its colour, faint inside, full at its edge."""
    colour = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
    if mask is None:
        return colour
    painted = colour.astype(np.float32)
    edge = _edges(mask)
    for number in np.unique(mask).tolist():
        if number == 0:
            continue
        inside, paint = mask == number, np.asarray(class_colour(number), np.float32)
        painted[inside] = (1 - _STRENGTH) * painted[inside] + _STRENGTH * paint
        painted[inside & edge] = paint
    return np.asarray(painted.round(), dtype=np.uint8)


def class_colour(number: int) -> tuple[int, int, int]:
    """The colour of a class id, 1 and up."""
    return IGNORED if number == IGNORE else COLOURS[(number - 1) % len(COLOURS)]


def mask_legend(classes: Sequence[str]) -> list[tuple[str, tuple[int, int, int]]]:
    """(name, colour) of every class but the first."""
    return [(name, class_colour(number)) for number, name in enumerate(classes) if number]


def shortened(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> str:
    """``text`` as far as it fits; long names keep their end, which tells them apart, as well."""
    text = printable(text)
    if font.getlength(text) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        head, tail = text[: (kept + 1) // 2], text[len(text) - kept // 2 :]
        if font.getlength(f"{head}...{tail}") <= width:
            return f"{head}...{tail}"
    return text[:1]


def _edges(mask: np.ndarray) -> np.ndarray:
    """bool (H, W): pixels with another class above, below, left or right of them."""
    edge = np.zeros(mask.shape, bool)
    down, right = mask[1:] != mask[:-1], mask[:, 1:] != mask[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    return edge


def _draw_legend(
    pen: ImageDraw.ImageDraw,
    legend: Sequence[tuple[str, tuple[int, int, int]]],
    y: int,
    room: int,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
) -> None:
    x = float(_MARGIN)
    for name, colour in legend:
        wide = _TEXT + 6 + font.getlength(printable(name)) + 16
        if x + wide > _MARGIN + room + 16:
            pen.text((x, y), "...", _FAINT, font)
            return
        pen.rectangle((x, y + 1, x + _TEXT - 2, y + _TEXT - 1), fill=colour)
        pen.text((x + _TEXT + 4, y - 1), printable(name), _INK, font)
        x += wide
