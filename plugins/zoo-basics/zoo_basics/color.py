"""Colour jitter, on the batch, each image with its own factors; masks stay as they are.

Shapes: images float (B, C, H, W) in [0, 1], gray or RGB; factors (B, 1, 1, 1).
"""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor

from zoo import Draws, ZooError
from zoo_basics.augmentations_choosing import Augmentation, Probability, change_chosen

_LUMA = (0.2989, 0.587, 0.114)  # ITU-R BT.601, to the digits torchvision uses
_Strength = Annotated[float, Ge(0)]


def color_jitter(
    *,
    brightness: _Strength = 0.2,
    contrast: _Strength = 0.2,
    saturation: _Strength = 0.0,
    hue: Annotated[float, Ge(0), Le(0.5)] = 0.0,
    probability: Probability = 1.0,
) -> Augmentation:
    """Each strength means what torchvision's ColorJitter means by it; 0 switches it off.

    Brightness, contrast and saturation are multiplied by a factor from [max(0, 1 - s), 1 + s]; hue
    is shifted by up to ±s of the colour circle. Always in this order, where torchvision draws one.
    Saturation and hue need colour: on gray images they raise :class:`zoo.ZooError`.
    """

    def augment(
        images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        if (saturation or hue) and images_BCHW.shape[1] != 3:
            raise ZooError(
                f"color_jitter: saturation {saturation!r} and hue {hue!r} need images of 3 "
                f"channels, given {images_BCHW.shape[1]}; set both to 0"
            )
        chosen = draws.chance(probability)
        strengths = (brightness, contrast, saturation)
        factors = [draws.uniform(max(0.0, 1.0 - each), 1.0 + each) for each in strengths]
        shifts = draws.uniform(-hue, hue)
        if not (any(strengths) or hue):
            return images_BCHW, masks_BHW

        def change(images: Tensor, _: None, *values_B: Tensor) -> tuple[Tensor, None]:
            if contrast or saturation or hue:
                # Channel by channel half as fast in channels_last, more than to convert and back.
                images = images.contiguous()
            values = [each.to(images)[:, None, None, None] for each in values_B]
            for strength, adjust, value in zip(strengths, _ADJUSTMENTS, values, strict=False):
                if strength:
                    images = adjust(images, value)
            return (shift_hue(images, values[-1]) if hue else images), None

        images, _ = change_chosen(chosen, change, images_BCHW, None, *factors, shifts)
        return images, masks_BHW

    return augment


def adjust_brightness(images_BCHW: Tensor, factors: Tensor) -> Tensor:
    """0 gives black, 1 the image."""
    return (images_BCHW * factors).clamp_(0.0, 1.0)


def adjust_contrast(images_BCHW: Tensor, factors: Tensor) -> Tensor:
    """0 gives the image's mean gray, 1 the image."""
    mean = _gray(images_BCHW).mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean, images_BCHW, factors).clamp_(0.0, 1.0)


def adjust_saturation(images_BCHW: Tensor, factors: Tensor) -> Tensor:
    """0 gives the gray image, 1 the image."""
    return torch.lerp(_gray(images_BCHW), images_BCHW, factors).clamp_(0.0, 1.0)


def shift_hue(images_BCHW: Tensor, shifts: Tensor) -> Tensor:
    """Turn the hue by ``shifts`` of a full circle, keeping value and chroma (the HSV hexcone)."""
    red, green, blue = images_BCHW.unbind(1)
    value = images_BCHW.amax(1)
    chroma = value - images_BCHW.amin(1)
    divisor = torch.where(chroma > 0, chroma, 1.0)
    sector = torch.where(
        value == red,
        (green - blue) / divisor,
        torch.where(value == green, (blue - red) / divisor + 2.0, (red - green) / divisor + 4.0),
    )
    # Channel by channel, value - chroma * a trapezoid of the hue, counted in sixths of the circle.
    starts = torch.tensor((5.0, 3.0, 1.0), device=images_BCHW.device).view(1, 3, 1, 1)
    place = (sector.unsqueeze(1) + shifts * 6.0 + starts).remainder(6.0)
    trapezoid = torch.minimum(place, 4.0 - place).clamp_(0.0, 1.0)
    turned = (value.unsqueeze(1) - chroma.unsqueeze(1) * trapezoid).clamp_(0.0, 1.0)
    if images_BCHW.is_contiguous(memory_format=torch.channels_last):
        return turned.contiguous(memory_format=torch.channels_last)
    return turned


_ADJUSTMENTS = (adjust_brightness, adjust_contrast, adjust_saturation)


def _gray(images_BCHW: Tensor) -> Tensor:
    """(B, 1, H, W); one channel is gray already."""
    if images_BCHW.shape[1] == 1:
        return images_BCHW
    if images_BCHW.shape[1] != 3:
        raise ZooError(
            f"contrast and saturation need images of 1 or 3 channels, given {images_BCHW.shape[1]}"
        )
    red, green, blue = images_BCHW.unbind(1)
    gray: Tensor = red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]
    return gray.unsqueeze(1)
