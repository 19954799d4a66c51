"""Rotation, affine maps and resized crops: one ``grid_sample`` for the whole batch.

Shapes: images float (B, C, H, W) in [0, 1], sampled bilinearly; masks (B, H, W) of class ids,
sampled to the nearest pixel. Coordinates are in pixels from the image's centre, x right, y down.
"""

from __future__ import annotations

import functools
import math
from typing import Annotated

import torch
from annotated_types import Ge, Lt
from torch import Tensor
from torch.nn import functional

from zoo import Draws, ZooError
from zoo_basics.augmentations_choosing import (
    Augmentation,
    ClassId,
    Gray,
    Probability,
    change_chosen,
    low_high,
)

_NO_SHIFT: list[float] = [0.0, 0.0]
_SAME_SIZE: list[float] = [1.0, 1.0]
_AREA: list[float] = [0.08, 1.0]
_RATIO: list[float] = [3 / 4, 4 / 3]
_TRIES = 10  # of a box that fits, before the largest one in the middle is taken


def rotation(
    *,
    degrees: Annotated[float, Ge(0)] = 10.0,
    probability: Probability = 1.0,
    fill: Gray = 0.0,
    fill_class: ClassId = 0,
) -> Augmentation:
    """Turn about the centre by an angle drawn from ±``degrees``, counter-clockwise if positive.

    ``fill``, a gray, comes in from outside; ``fill_class`` into masks (255 counts for nothing).
    """

    def augment(
        images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        chosen = draws.chance(probability)
        angles = draws.uniform(-degrees, degrees)
        if degrees == 0:
            return images_BCHW, masks_BHW
        turn = functools.partial(rotate, fill=fill, fill_class=fill_class)
        return change_chosen(chosen, turn, images_BCHW, masks_BHW, angles)

    return augment


def affine(
    *,
    degrees: Annotated[float, Ge(0)] = 0.0,
    translate: list[float] = _NO_SHIFT,
    scale: list[float] = _SAME_SIZE,
    shear: list[Annotated[float, Ge(0), Lt(90)]] = _NO_SHIFT,
    probability: Probability = 1.0,
    fill: Gray = 0.0,
    fill_class: ClassId = 0,
) -> Augmentation:
    """Turn, shift, scale and shear about the centre, all in one sampling.

    ``degrees``: as in rotation. ``translate``: at most these fractions of [width, height] either
    way, in whole pixels. ``scale``: [smallest, largest] factor. ``shear``: at most so many degrees
    either way, along [x, y].
    """
    low_scale, high_scale = low_high("affine: scale", scale, 0.01, 100.0)
    if len(translate) != 2 or not all(0 <= part <= 1 for part in translate):
        raise ZooError(f"affine: translate {translate!r}: expected [x, y], both from 0 to 1")
    if len(shear) != 2:
        raise ZooError(f"affine: shear {shear!r}: expected [x, y], in degrees")
    still = not (degrees or any(translate) or any(shear)) and low_scale == high_scale == 1

    def augment(
        images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        height, width = images_BCHW.shape[-2:]
        chosen = draws.chance(probability)
        angles, scales = draws.uniform(-degrees, degrees), draws.uniform(low_scale, high_scale)
        right = (draws.uniform(-1.0, 1.0) * translate[0] * width).round()
        down = (draws.uniform(-1.0, 1.0) * translate[1] * height).round()
        shear_x, shear_y = (draws.uniform(-most, most) for most in shear)
        if still:
            return images_BCHW, masks_BHW
        inverses = inverse_affine(angles, right, down, scales, shear_x, shear_y)
        move = functools.partial(warp, fill=fill, fill_class=fill_class)
        return change_chosen(chosen, move, images_BCHW, masks_BHW, inverses)

    return augment


def random_resized_crop(
    *,
    scale: list[float] = _AREA,
    ratio: list[float] = _RATIO,
    probability: Probability = 1.0,
) -> Augmentation:
    """Cut out a box and enlarge it to the image's size.

    ``scale``: [least, most] share of the area. ``ratio``: [least, most] width by height, drawn
    evenly on a logarithmic scale. Masks are enlarged to the nearest pixel. A box that does not fit
    is drawn again; after ten, the largest in the middle that keeps to ``ratio`` is taken.
    """
    areas = low_high("random_resized_crop: scale", scale, 1e-4, 1.0)
    ratios = low_high("random_resized_crop: ratio", ratio, 0.01, 100.0)

    def augment(
        images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        height, width = images_BCHW.shape[-2:]
        chosen = draws.chance(probability)
        heights, widths, fits = draw_boxes(height, width, areas, ratios, draws)
        by_ratio = min(max(width / height, ratios[0]), ratios[1])
        heights = torch.where(fits, heights, min(height, max(1, round(width / by_ratio))))
        widths = torch.where(fits, widths, min(width, max(1, round(height * by_ratio))))
        tops = torch.where(fits, at_random(height - heights, draws), (height - heights) // 2)
        lefts = torch.where(fits, at_random(width - widths, draws), (width - widths) // 2)
        chosen = chosen & ((heights < height) | (widths < width))
        boxes = (tops, lefts, heights, widths)
        return change_chosen(chosen, enlarge, images_BCHW, masks_BHW, *boxes)

    return augment


def draw_boxes(
    height: int,
    width: int,
    areas: tuple[float, float],
    ratios: tuple[float, float],
    draws: Draws,
) -> tuple[Tensor, Tensor, Tensor]:
    """Heights and widths, int64 (B,), of the first of ten boxes that fits, and whether one did.
    ``ratios`` are widths by heights."""
    area = draws.uniform(*areas, shape=(_TRIES,)) * (height * width)
    by_height = draws.uniform(math.log(ratios[0]), math.log(ratios[1]), shape=(_TRIES,)).exp()
    widths, heights = (area * by_height).sqrt().round(), (area / by_height).sqrt().round()
    fits = (widths >= 1) & (widths <= width) & (heights >= 1) & (heights <= height)
    first = fits.int().argmax(1, keepdim=True)
    picked = [each.gather(1, first).squeeze(1) for each in (heights, widths, fits)]
    return picked[0].long(), picked[1].long(), picked[2]


def at_random(room_B: Tensor, draws: Draws) -> Tensor:
    """int64 (B,), each from 0 to its room."""
    return (draws.uniform() * (room_B + 1)).long().minimum(room_B)


def rotate(
    images_BCHW: Tensor,
    masks_BHW: Tensor | None,
    degrees_B: Tensor,
    fill: float = 0.0,
    fill_class: int = 0,
) -> tuple[Tensor, Tensor | None]:
    """Each image and its mask turned counter-clockwise by its own angle."""
    zeros = torch.zeros_like(degrees_B)
    inverses = inverse_affine(degrees_B, zeros, zeros, zeros + 1, zeros, zeros)
    return warp(images_BCHW, masks_BHW, inverses, fill, fill_class)


def inverse_affine(
    degrees_B: Tensor,
    right_B: Tensor,
    down_B: Tensor,
    scale_B: Tensor,
    shear_x_B: Tensor,
    shear_y_B: Tensor,
) -> Tensor:
    """(B, 2, 3): from a pixel of the result to the one it is read from, both from the centre.

    The map itself shears along x, then along y, both in degrees, scales, turns counter-clockwise
    and shifts, in this order, as torchvision's does (whose angle is clockwise).
    """
    turn, x, y = (torch.deg2rad(each) for each in (degrees_B, shear_x_B, shear_y_B))
    cos, sin, tan_x, tan_y = turn.cos(), turn.sin(), x.tan(), y.tan()
    # Turned back, then sheared back along y and along x.
    a, b = cos, -sin
    c, d = sin + tan_y * a, cos + tan_y * b
    a, b = a + tan_x * c, b + tan_x * d
    a, b, c, d = (each / scale_B for each in (a, b, c, d))
    rows = (a, b, -(a * right_B + b * down_B), c, d, -(c * right_B + d * down_B))
    return torch.stack(rows, dim=-1).view(-1, 2, 3)


def warp(
    images_BCHW: Tensor,
    masks_BHW: Tensor | None,
    inverse_B23: Tensor,
    fill: float = 0.0,
    fill_class: int = 0,
) -> tuple[Tensor, Tensor | None]:
    """Each image and its mask moved by its own affine map, given by its inverse.

    The grid is written out instead of ``affine_grid``, whose matrix product may run in TF32 on
    CUDA, which misplaces pixels, and whose rounding depends on the batch.
    """
    B, _, height, width = images_BCHW.shape
    inverse = inverse_B23.to(images_BCHW)[..., None, None]
    x, y = _from_centre(width, images_BCHW), _from_centre(height, images_BCHW)[:, None]
    grid = images_BCHW.new_empty(B, height, width, 2)
    for axis, length in ((0, width), (1, height)):
        by_x, by_y, shift = (inverse[:, axis, term] * (2.0 / length) for term in range(3))
        torch.add(by_x * x + shift, by_y * y, out=grid[..., axis])
    return _sampled(images_BCHW, masks_BHW, grid, fill, fill_class)


def enlarge(
    images_BCHW: Tensor,
    masks_BHW: Tensor | None,
    tops_B: Tensor,
    lefts_B: Tensor,
    heights_B: Tensor,
    widths_B: Tensor,
) -> tuple[Tensor, Tensor | None]:
    """Each image's box at the image's size: what cropping first and then resizing gives."""
    B, _, height, width = images_BCHW.shape
    grid = images_BCHW.new_empty(B, height, width, 2)
    nearest = []
    for axis, (length, starts, spans) in enumerate(
        ((width, lefts_B, widths_B), (height, tops_B, heights_B))
    ):
        place = (torch.arange(length, device=grid.device) + 0.5) / length
        inside = place * spans[:, None]
        nearest.append(starts[:, None] + inside.long().minimum(spans[:, None] - 1))
        # Read no pixel beyond the box: half a pixel at its border is the border itself.
        read = (inside - 0.5).clamp_min(0.0).minimum(spans[:, None] - 1.0) + starts[:, None]
        read = (read + 0.5) * (2.0 / length) - 1.0
        grid[..., axis] = read[:, None, :] if axis == 0 else read[:, :, None]
    images, _ = _sampled(images_BCHW, None, grid)
    if masks_BHW is None:
        return images, None
    columns, rows = nearest
    index = rows[:, :, None] * width + columns[:, None, :]
    return images, masks_BHW.flatten(1).gather(1, index.flatten(1)).view_as(masks_BHW)


def _sampled(
    images_BCHW: Tensor,
    masks_BHW: Tensor | None,
    grid_BHW2: Tensor,
    fill: float = 0.0,
    fill_class: int = 0,
) -> tuple[Tensor, Tensor | None]:
    # Outside the image grid_sample reads 0; shifted by fill, that is fill.
    shifted = images_BCHW - fill if fill else images_BCHW
    images = functional.grid_sample(shifted, grid_BHW2, "bilinear", align_corners=False)
    images = (images.add_(fill) if fill else images).clamp_(0.0, 1.0)
    if masks_BHW is None:
        return images, None
    ids = masks_BHW.unsqueeze(1).to(grid_BHW2.dtype) - fill_class
    moved = functional.grid_sample(ids, grid_BHW2, "nearest", align_corners=False)
    return images, moved.squeeze(1).add_(fill_class).to(masks_BHW.dtype)


def _from_centre(length: int, like: Tensor) -> Tensor:
    return torch.arange(length, device=like.device, dtype=like.dtype) - (length - 1) / 2
