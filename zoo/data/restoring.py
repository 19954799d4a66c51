"""From the network's pixels back to those of the image: preprocessing undone.

Shapes: K planes; h by w pixels of the image, H by W of the network.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from zoo.data.preprocessing import Preprocessing


def restored(
    planes_KHW: Tensor, preprocessing: Preprocessing, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """float (K, H, W) of an image of ``size`` -> float (K, h, w) by bilinear interpolation, and
    bool (h, w): which pixels the network was shown. The others, cut off by ``fit = "crop"`` or
    ``center_crop``, are 0 in every plane."""
    stored, axes = preprocessing.form.placed(size)
    lines, seen = [], []
    for length, net, between, (scale, shift) in zip(
        size, preprocessing.size, stored, axes, strict=True
    ):
        at = (torch.arange(length, dtype=torch.float64) + 0.5) * scale + shift
        kept = (at >= 0) & (at < between)
        if preprocessing.center_crop:
            at -= (between - net) // 2
        else:
            at *= net / between
        lines.append((at / net * 2 - 1).to(planes_KHW))
        seen.append(kept & (at >= 0) & (at < net))
    rows, columns = torch.meshgrid(*lines, indexing="ij")
    planes = functional.grid_sample(
        planes_KHW[None],
        torch.stack([columns, rows], dim=-1)[None],
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    shown = (seen[0][:, None] & seen[1][None, :]).to(planes.device)
    return planes[0] * shown, shown
