"""RandAugment and TrivialAugment: every image draws its own operations from one list of fourteen.

An operation is carried out for all images that drew it at once. The five that move pixels are one
affine map, with the masks; the others leave masks alone. On an accelerator the batch waits once for
the drawn names to be known.

Shapes: images float (B, C, H, W) in [0, 1], C 1 or 3; masks (B, H, W) of class ids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor

from zoo import Draws, ZooError
from zoo_basics import augmentations_tones as tones
from zoo_basics import color
from zoo_basics.augmentations_choosing import (
    Augmentation,
    ClassId,
    Gray,
    Probability,
    put_,
    take,
)
from zoo_basics.augmentations_warps import warp

OPERATIONS = (
    "identity", "shear_x", "shear_y", "translate_x", "translate_y", "rotate", "brightness", "color",
    "contrast", "sharpness", "posterize", "solarize", "auto_contrast", "equalize",
)  # fmt: skip
MOVES = OPERATIONS[1:6]
_STRONGEST = 30  # as in torchvision: magnitudes are thirtieths of the largest


@dataclass(frozen=True)
class Space:
    """What an operation does at full strength: shears as tangents, turns in degrees, blends away
    from 1, and how many of eight bits are lost. ``shift``: pixels of so long a side."""

    shear: float
    shift: Callable[[int], float]
    turn: float
    blend: float
    lost_bits: float


RAND_SPACE = Space(0.3, lambda side: 150 / 331 * side, 30.0, 0.9, 4.0)
WIDE_SPACE = Space(0.99, lambda side: 32.0, 135.0, 0.99, 6.0)


def rand_augment(
    *,
    num_ops: Annotated[int, Ge(1), Le(14)] = 2,
    magnitude: Annotated[int, Ge(0), Le(_STRONGEST)] = 9,
    probability: Probability = 1.0,
    fill: Gray = 0.0,
    fill_class: ClassId = 0,
) -> Augmentation:
    """``num_ops`` operations, one after the other, all of ``magnitude`` (of 30); those with two
    directions draw one. Images that move are sampled bilinearly."""

    def strength(draws: Draws) -> Tensor:
        return torch.full((len(draws),), magnitude / _STRONGEST, device=draws.positions.device)

    return _policy(num_ops, strength, RAND_SPACE, probability, fill, fill_class)


def trivial_augment(
    *,
    probability: Probability = 1.0,
    fill: Gray = 0.0,
    fill_class: ClassId = 0,
) -> Augmentation:
    """One operation of a magnitude drawn evenly from 0 to 30 of 30: the paper's "wide" space, which
    shifts by up to 32 pixels whatever the image's size."""

    def strength(draws: Draws) -> Tensor:
        return draws.integers(0, _STRONGEST + 1) / _STRONGEST

    return _policy(1, strength, WIDE_SPACE, probability, fill, fill_class)


def _policy(
    num_ops: int,
    strength: Callable[[Draws], Tensor],
    space: Space,
    probability: float,
    fill: float,
    fill_class: int,
) -> Augmentation:
    def augment(
        images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        if images_BCHW.shape[1] not in (1, 3):
            raise ZooError(
                f"rand_augment and trivial_augment need images of 1 or 3 channels, given "
                f"{images_BCHW.shape[1]}"
            )
        chosen = draws.chance(probability)
        drawn, strengths = [], []
        for _ in range(num_ops):
            drawn.append(draws.integers(0, len(OPERATIONS)) * chosen)
            strengths.append(strength(draws) * (1 - 2 * draws.chance(0.5).int()))
        for ops_B, strength_B in zip(torch.stack(drawn).cpu(), strengths, strict=True):
            images_BCHW, masks_BHW = operate(
                images_BCHW, masks_BHW, ops_B, strength_B, space, fill, fill_class
            )
        return images_BCHW, masks_BHW

    return augment


def operate(
    images_BCHW: Tensor,
    masks_BHW: Tensor | None,
    ops_B: Tensor,
    strength_B: Tensor,
    space: Space,
    fill: float = 0.0,
    fill_class: int = 0,
) -> tuple[Tensor, Tensor | None]:
    """One operation on each image. ``ops_B``: int64, places in ``OPERATIONS``, on the CPU;
    ``strength_B``: -1 to 1, whose sign matters to operations with two directions only."""
    device, out = images_BCHW.device, images_BCHW.clone()
    strength_B = strength_B.to(images_BCHW)
    moves = (ops_B >= 1) & (ops_B <= len(MOVES))
    if moves.any():
        index = moves.nonzero().squeeze(1).to(device)
        size = images_BCHW.shape[-2:]
        inverses = _inverses(ops_B.to(device)[index], strength_B[index], space, *size)
        some = None if masks_BHW is None else masks_BHW[index]
        moved, some = warp(take(images_BCHW, index), some, inverses, fill, fill_class)
        put_(out, index, moved)
        if masks_BHW is not None and some is not None:
            masks_BHW = masks_BHW.index_copy(0, index, some)
    for place, operation in enumerate(_TONES, start=1 + len(MOVES)):
        of_this = ops_B == place
        if of_this.any():
            index = of_this.nonzero().squeeze(1).to(device)
            some_images = take(images_BCHW, index).contiguous()  # faster channel by channel
            put_(out, index, operation(some_images, strength_B[index], space))
    return out, masks_BHW


def _inverses(ops_B: Tensor, strength_B: Tensor, space: Space, height: int, width: int) -> Tensor:
    """(B, 2, 3), as :func:`warp` takes them. Shears are about the upper left corner, as published;
    shifts are of whole pixels."""

    def of(name: str, most: float) -> Tensor:
        return torch.where(ops_B == OPERATIONS.index(name), strength_B * most, 0.0)

    shear_x, shear_y = of("shear_x", space.shear), of("shear_y", space.shear)
    right = of("translate_x", space.shift(width)).trunc()
    down = of("translate_y", space.shift(height)).trunc()
    turn = torch.deg2rad(of("rotate", space.turn))
    cos, sin = turn.cos(), turn.sin()
    across = shear_x * (height / 2) - right
    along = shear_y * (width / 2) - down
    rows = (cos, shear_x - sin, across, shear_y + sin, cos, along)
    return torch.stack(rows, dim=-1).view(-1, 2, 3)


def _blend(adjust: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def operation(images: Tensor, strength_B: Tensor, space: Space) -> Tensor:
        return adjust(images, (1.0 + strength_B * space.blend)[:, None, None, None])

    return operation


def _posterize(images: Tensor, strength_B: Tensor, space: Space) -> Tensor:
    return tones.posterize(images, 8.0 - strength_B.abs() * space.lost_bits)


def _solarize(images: Tensor, strength_B: Tensor, _: Space) -> Tensor:
    return tones.solarize(images, 1.0 - strength_B.abs())


def _auto_contrast(images: Tensor, _: Tensor, __: Space) -> Tensor:
    return tones.autocontrast(images)


def _equalize(images: Tensor, _: Tensor, __: Space) -> Tensor:
    return tones.equalize(images)


_TONES = (
    _blend(color.adjust_brightness),
    _blend(color.adjust_saturation),
    _blend(color.adjust_contrast),
    _blend(tones.adjust_sharpness),
    _posterize,
    _solarize,
    _auto_contrast,
    _equalize,
)  # in the order of OPERATIONS
