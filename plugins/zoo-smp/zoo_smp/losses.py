"""Losses of how regions overlap, from segmentation-models-pytorch.

Shapes: B images, K classes, H by W pixels. With a positive class logits and targets are float
(B, 1, H, W), targets 0 and 1; otherwise logits are (B, K, H, W) and targets int64 (B, H, W). Pixels
whose target is 255 are left out; a batch that has no other gives 0.

With p the probabilities and y the targets, TP = sum(p y), FP = sum(p (1 - y)) and FN =
sum((1 - p) y) are sums over the pixels of the whole batch, not of each image: small objects weigh
little beside large ones in other images. There is one such score a class, and the loss is the mean
over the classes. A class that the batch does not contain counts 0 in that mean, whatever the
network says: only ``bce_dice`` sees false alarms in batches without the positive class.
"""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn
from torch.nn import functional

from zoo import LossContext

_IGNORE = 255
_Smooth = Annotated[float, Ge(0)]


def dice(ctx: LossContext, *, smooth: _Smooth = 0.0) -> nn.Module:
    """1 - (TP + s) / (TP + FP / 2 + FN / 2 + s), s = ``smooth``, a number of pixels.

    Deviation from Milletari et al.: probabilities are not squared in the denominator.
    """
    from segmentation_models_pytorch.losses import DiceLoss

    return Overlap(DiceLoss(_mode(ctx), smooth=smooth, ignore_index=_IGNORE))


def bce_dice(
    ctx: LossContext,
    *,
    dice_weight: Annotated[float, Gt(0), Le(1)] = 0.5,
    smooth: _Smooth = 0.0,
) -> nn.Module:
    """``dice_weight`` times :func:`dice`, the rest binary cross-entropy, or with several classes
    the softmax's: its mean over the pixels that count."""
    return CrossEntropyAndDice(dice(ctx, smooth=smooth), dice_weight)


def jaccard(ctx: LossContext, *, smooth: _Smooth = 0.0) -> nn.Module:
    """1 - (TP + s) / (TP + FP + FN + s), s = ``smooth``, a number of pixels."""
    from segmentation_models_pytorch.losses import JaccardLoss

    return Overlap(JaccardLoss(_mode(ctx), smooth=smooth, ignore_index=_IGNORE))


def tversky(
    ctx: LossContext,
    *,
    alpha: Annotated[float, Ge(0)] = 0.3,
    beta: Annotated[float, Ge(0)] = 0.7,
    smooth: _Smooth = 0.0,
) -> nn.Module:
    """1 - (TP + s) / (TP + ``alpha`` FP + ``beta`` FN + s), s = ``smooth``, a number of pixels. The
    defaults, which mind a miss more than a false alarm, are those the paper found best."""
    from segmentation_models_pytorch.losses import TverskyLoss

    return Overlap(
        TverskyLoss(_mode(ctx), smooth=smooth, ignore_index=_IGNORE, alpha=alpha, beta=beta)
    )


def lovasz(ctx: LossContext) -> nn.Module:
    """The Lovász extension of the Jaccard loss, over the batch: with a positive class of the hinge
    errors of its logits, with several classes of the errors of the softmax's probabilities, the
    mean over the classes that the batch holds. It is piecewise linear in the errors, which have to
    be sorted: n log n in the number of pixels."""
    from segmentation_models_pytorch.losses import LovaszLoss

    return Overlap(LovaszLoss(_mode(ctx), ignore_index=_IGNORE), empty=False)


class Overlap(nn.Module):
    """``measure`` in float32: the sums over a batch's pixels are too large for half precision.
    ``empty``: whether it can take a batch in which no pixel counts."""

    def __init__(self, measure: nn.Module, empty: bool = True) -> None:
        super().__init__()
        self.measure = measure
        self.empty = empty

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        with torch.autocast(logits.device.type, enabled=False):
            if not self.empty and bool((targets == _IGNORE).all()):
                return logits.float().sum() * 0
            value: Tensor = self.measure(logits.float(), targets)
        return value


class CrossEntropyAndDice(nn.Module):
    def __init__(self, dice: nn.Module, dice_weight: float) -> None:
        super().__init__()
        self.dice = dice
        self.dice_weight = dice_weight

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        logits, counted = logits.float(), targets != _IGNORE
        if targets.is_floating_point():
            total = functional.binary_cross_entropy_with_logits(
                logits, targets, weight=counted.float(), reduction="sum"
            )
        else:
            total = functional.cross_entropy(logits, targets, ignore_index=_IGNORE, reduction="sum")
        entropy = total / counted.sum().clamp(min=1)
        overlap: Tensor = self.dice(logits, targets)
        return (1 - self.dice_weight) * entropy + self.dice_weight * overlap


def _mode(ctx: LossContext) -> str:
    """smp's name of the task."""
    return "binary" if ctx.task.outputs == 1 else "multiclass"
