"""Flips and rotation, on the batch, each image with its own draw; masks go with their images.

Shapes: images float (B, C, H, W) in [0, 1]; masks (B, H, W) of class ids. The memory format of the
images is kept. Nothing waits for the device: what a draw spares an image is computed and not taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.nn import functional

from zoo import Draws

Probability = Annotated[float, Ge(0), Le(1)]
Augmentation = Callable[[Tensor, Tensor | None, Draws], tuple[Tensor, Tensor | None]]


def horizontal_flip(*, probability: Probability = 0.5) -> Augmentation:
    """Mirror left and right."""
    return _flip(-1, probability)


def vertical_flip(*, probability: Probability = 0.5) -> Augmentation:
    """Mirror top and bottom."""
    return _flip(-2, probability)


def rotation(
    *,
    degrees: Annotated[float, Ge(0)] = 10.0,
    probability: Probability = 1.0,
    fill: Probability = 0.0,
) -> Augmentation:
    """Turn about the centre by an angle drawn from ±``degrees``, counter-clockwise if positive.

    Images are sampled bilinearly, and ``fill``, a gray in [0, 1], comes in from outside; masks are
    sampled to the nearest pixel, and class 0 comes in.
    """

    def augment(
        images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        chosen = draws.chance(probability)
        angles = draws.uniform(-degrees, degrees)
        turned, turned_masks = rotate(images_BCHW, masks_BHW, angles, fill)
        return choose(chosen, turned, images_BCHW, turned_masks, masks_BHW)

    return augment


def rotate(
    images_BCHW: Tensor, masks_BHW: Tensor | None, degrees_B: Tensor, fill: float = 0.0
) -> tuple[Tensor, Tensor | None]:
    """Each image and its mask turned counter-clockwise by its own angle."""
    grid = _turned_grid(degrees_B.to(images_BCHW.device), *images_BCHW.shape[-2:])
    # Outside the image grid_sample reads 0; shifted by fill, that is fill.
    turned = functional.grid_sample(images_BCHW - fill, grid, "bilinear", align_corners=False)
    turned = turned.add_(fill).clamp_(0.0, 1.0)
    if images_BCHW.is_contiguous(memory_format=torch.channels_last):
        turned = turned.contiguous(memory_format=torch.channels_last)
    if masks_BHW is None:
        return turned, None
    ids = masks_BHW.unsqueeze(1).float()
    masks = functional.grid_sample(ids, grid, "nearest", align_corners=False)
    return turned, masks.squeeze(1).to(masks_BHW.dtype)


def choose(
    chosen_B: Tensor,
    changed: Tensor,
    images_BCHW: Tensor,
    changed_masks: Tensor | None,
    masks_BHW: Tensor | None,
) -> tuple[Tensor, Tensor | None]:
    """The changed image and mask where ``chosen_B`` (bool) is true, elsewhere the given ones."""
    chosen_B = chosen_B.to(images_BCHW.device)
    images = torch.where(chosen_B[:, None, None, None], changed, images_BCHW)
    if changed_masks is None or masks_BHW is None:
        return images, None
    return images, torch.where(chosen_B[:, None, None], changed_masks, masks_BHW)


def _flip(axis: int, probability: float) -> Augmentation:
    def augment(
        images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        flipped_masks = None if masks_BHW is None else masks_BHW.flip(axis)
        chosen = draws.chance(probability)
        return choose(chosen, images_BCHW.flip(axis), images_BCHW, flipped_masks, masks_BHW)

    return augment


def _turned_grid(degrees_B: Tensor, height: int, width: int) -> Tensor:
    """Where each output pixel is read: (B, H, W, 2), x and y in [-1, 1], pixel centres between.

    Written out instead of ``affine_grid``, whose matrix product may run in TF32 on CUDA, which
    misplaces pixels, and whose rounding depends on the batch. Both coordinates are scaled to half
    the height, so that angles are kept when the image is not square.
    """
    radians = (degrees_B * (math.pi / 180.0))[:, None, None]
    cos, sin = radians.cos(), radians.sin()
    aspect = width / height
    y = _centres(height, degrees_B.device)[None, :, None]
    x = _centres(width, degrees_B.device)[None, None, :] * aspect
    return torch.stack(((cos * x - sin * y) / aspect, sin * x + cos * y), dim=-1)


def _centres(length: int, device: torch.device) -> Tensor:
    return (torch.arange(length, device=device, dtype=torch.float32) * 2 + 1) / length - 1
