"""mixup and cutmix: each image takes something of another of its batch, and its target likewise.

Shapes: images float (B, C, H, W), normalized or not; targets float (B, O): one-hot rows for
multiclass, the labels themselves for binary and multilabel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Gt, Le
from torch import Tensor

from zoo import Draws
from zoo_basics.augmentations_choosing import Probability, in_format_of, take
from zoo_basics.augmentations_filters import boxes_mask

Alpha = Annotated[float, Gt(0), Le(1000)]
# (images, images of the partners, share kept (B,), draws) -> (images, share really kept)
_Blend = Callable[[Tensor, Tensor, Tensor, Draws], tuple[Tensor, Tensor]]


def mixup(*, alpha: Alpha = 0.2, probability: Probability = 1.0) -> Mixing:
    """The weighted mean of two images and of their targets. The weight is drawn from
    Beta(``alpha``, ``alpha``): near 0 or 1 for a small ``alpha``, evenly for 1."""
    return Mixing(alpha, probability, _overlaid)


def cutmix(*, alpha: Alpha = 1.0, probability: Probability = 1.0) -> Mixing:
    """A box of another image, its area drawn as 1 - Beta(``alpha``, ``alpha``) and cut off at the
    border; targets are weighed by the pixels that each image really has."""
    return Mixing(alpha, probability, _pasted)


@dataclass(frozen=True)
class Mixing:
    """Partner and weight are drawn for each image; nobody is its own partner. A batch of one stays
    as it is."""

    alpha: float
    probability: float
    blend: _Blend
    mixes: ClassVar[bool] = True

    def __call__(
        self, images_BCHW: Tensor, targets_BO: Tensor, draws: Draws
    ) -> tuple[Tensor, Tensor]:
        count, device = len(images_BCHW), images_BCHW.device
        if count < 2:
            return images_BCHW, targets_BO
        chosen = draws.chance(self.probability)
        away = draws.integers(1, count)
        partners = ((torch.arange(count, device=away.device) + away) % count).to(device)
        kept = torch.where(chosen, symmetric_beta(self.alpha, draws), 1.0)
        images, kept = self.blend(images_BCHW, take(images_BCHW, partners), kept, draws)
        kept = kept.to(targets_BO)[:, None]
        return images, torch.lerp(targets_BO.index_select(0, partners), targets_BO, kept)


def symmetric_beta(alpha: float, draws: Draws) -> Tensor:
    """float32 (B,) from Beta(alpha, alpha).

    From two numbers and without rejection, so that a counter-based draw can make it: T of Student's
    distribution with 2 alpha degrees of freedom by Bailey's polar form (1994, Mathematics of
    Computation 62: 779-781), then (1 + T / sqrt(2 alpha + T²)) / 2 (Devroye 1996, Random variate
    generation in one line of code).
    """
    radius = torch.expm1(-torch.log1p(-draws.uniform()) / alpha)  # T² / (2 alpha) without cos²
    cos = draws.uniform(0.0, math.tau).cos()
    # As 1 / (1 + 1/x): x is infinite when alpha is small.
    share = 1.0 / (1.0 + 1.0 / (radius * cos.square()))
    return 0.5 + 0.5 * cos.sign() * share.sqrt()


def _overlaid(images: Tensor, partners: Tensor, kept_B: Tensor, _: Draws) -> tuple[Tensor, Tensor]:
    weight = kept_B.to(images)[:, None, None, None]
    return in_format_of(images, torch.lerp(partners, images, weight)), kept_B


def _pasted(
    images: Tensor, partners: Tensor, kept_B: Tensor, draws: Draws
) -> tuple[Tensor, Tensor]:
    height, width = images.shape[-2:]
    side = (1.0 - kept_B).sqrt()
    edges = []
    for length in (height, width):
        half = (0.5 * side * length).long()
        middle = draws.integers(0, length)
        edges.append(((middle - half).clamp_min(0), (middle + half).clamp_max(length)))
    (top, bottom), (left, right) = edges
    heights, widths = bottom - top, right - left
    inside = boxes_mask((top, left, heights, widths), height, width).to(images.device)
    mixed = in_format_of(images, torch.where(inside.unsqueeze(1), partners, images))
    return mixed, 1.0 - heights * widths / (height * width)
