"""The colour operations of the augmentation policies, each image by its own strength.

They were published for 8-bit images, and mean the same here: what counts levels takes a value as
the nearest of 0, 1/255 ... 1. Compared with torchvision's on single uint8 images by a test.

Shapes: images float (B, C, H, W) in [0, 1]; strengths (B,).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def posterize(images_BCHW: Tensor, bits_B: Tensor) -> Tensor:
    """Keep the highest ``bits`` (float, 0 to 8) of eight; at 8 the image stays as it is."""
    step = torch.exp2(8.0 - bits_B.round())[:, None, None, None]
    kept = (_levels(images_BCHW) / step).floor_().mul_(step).div_(255.0)
    return torch.where(step > 1, kept, images_BCHW)


def solarize(images_BCHW: Tensor, thresholds_B: Tensor) -> Tensor:
    """Invert what is at or above the threshold."""
    bright = images_BCHW >= thresholds_B[:, None, None, None]
    return torch.where(bright, 1.0 - images_BCHW, images_BCHW)


def autocontrast(images_BCHW: Tensor) -> Tensor:
    """Stretch each channel from black to white; one without contrast stays."""
    lowest = images_BCHW.amin(dim=(2, 3), keepdim=True)
    span = images_BCHW.amax(dim=(2, 3), keepdim=True) - lowest
    stretched = (images_BCHW - lowest).div_(span.clamp_min(1e-6)).clamp_(0.0, 1.0)
    return torch.where(span > 0, stretched, images_BCHW)


def equalize(images_BCHW: Tensor) -> Tensor:
    """Spread each channel's levels so that they are about equally frequent, as Pillow does."""
    B, C, H, W = images_BCHW.shape
    levels = _levels(images_BCHW).long().flatten(2)
    ones = torch.ones((), dtype=torch.int64, device=levels.device).expand_as(levels)
    histogram = torch.zeros(B, C, 256, dtype=torch.int64, device=levels.device)
    counts = histogram.scatter_add_(2, levels, ones).cumsum(2)
    brightest = counts.argmax(2, keepdim=True)
    step = (H * W - histogram.gather(2, brightest)) // 255
    below = functional.pad(counts, (1, -1))
    table = ((below + step // 2) // step.clamp_min(1)).clamp_(max=255)
    spread = table.gather(2, levels).view(B, C, H, W).to(images_BCHW.dtype) / 255.0
    return torch.where(step.unsqueeze(3) > 0, spread, images_BCHW)


def adjust_sharpness(images_BCHW: Tensor, factors: Tensor) -> Tensor:
    """0 gives the smoothed image, 1 the image, 2 a sharper one; its border stays. ``factors``
    (B, 1, 1, 1)."""
    _, C, H, W = images_BCHW.shape
    if min(H, W) < 3:
        return images_BCHW
    kernel = torch.full((3, 3), 1 / 13, dtype=images_BCHW.dtype, device=images_BCHW.device)
    kernel[1, 1] = 5 / 13
    smooth = functional.conv2d(images_BCHW, kernel.expand(C, 1, 3, 3), groups=C)
    out = images_BCHW.clone()
    out[:, :, 1:-1, 1:-1] = torch.lerp(smooth, images_BCHW[:, :, 1:-1, 1:-1], factors)
    return out.clamp_(0.0, 1.0)


def _levels(images_BCHW: Tensor) -> Tensor:
    return (images_BCHW * 255.0).round_()
