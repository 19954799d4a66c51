"""torch's cross-entropies, with weights that can be computed from the training split.

All are modules that hold their weights as buffers: ``.to(device)`` moves them. Pixels whose target
is 255 are left out, and a batch that has no other pixel gives 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor, nn
from torch.nn import functional

from zoo import LossContext, ZooError

_Positive = Annotated[float, Gt(0)]
_IGNORE = 255


def cross_entropy(
    ctx: LossContext,
    *,
    label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.0,
    class_weights: Literal["none", "balanced"] | list[_Positive] = "none",
) -> nn.Module:
    """Logits (B, K) and targets int64 (B,), or probabilities (B, K); for segmentation, logits
    (B, K, H, W) and targets int64 (B, H, W).

    ``class_weights``: one number a class, in class order; "balanced" is n / (K * count), so that
    every class weighs the same in sum. As in torch, a weighted mean is divided by the sum of the
    weights of the batch's targets.
    """
    if ctx.task.outputs == 1:
        raise ZooError("loss 'cross_entropy': the network has one output; use loss 'bce'")
    weights = _class_weights(ctx, class_weights)
    form = PixelCrossEntropy if ctx.task.kind == "segmentation" else nn.CrossEntropyLoss
    return form(weight=weights, label_smoothing=label_smoothing)


def bce(
    ctx: LossContext,
    *,
    pos_weight: Literal["none", "balanced"] | _Positive | list[_Positive] = "none",
) -> nn.Module:
    """Logits and targets float (B, 1), or (B, K) for multilabel; the mean over all of them. For
    segmentation with a positive class both are (B, 1, H, W).

    ``pos_weight`` multiplies the positives' part: one number, or one a class for multilabel;
    "balanced" is negatives / positives of the training split.
    """
    if ctx.task.kind != "segmentation":
        return nn.BCEWithLogitsLoss(pos_weight=_positive_weights(ctx, pos_weight))
    if ctx.task.outputs > 1:
        raise ZooError(
            f"loss 'bce': the network has {ctx.task.outputs} outputs for classes that exclude each "
            f"other; use loss 'cross_entropy'"
        )
    return PixelBCE(pos_weight=_positive_weights(ctx, pos_weight))


class PixelCrossEntropy(nn.CrossEntropyLoss):
    """The mean over the pixels that count. torch's own is NaN where none does."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        counted = targets != _IGNORE
        total = functional.cross_entropy(
            logits.float(),  # half precision cannot hold the sum
            targets,
            self.weight,
            ignore_index=_IGNORE,
            reduction="sum",
            label_smoothing=self.label_smoothing,
        )
        if self.weight is None:
            return total / counted.sum().clamp(min=1)
        whole = (self.weight[targets.masked_fill(~counted, 0)] * counted).sum()
        return total / torch.where(whole > 0, whole, 1)


class PixelBCE(nn.BCEWithLogitsLoss):
    """The mean over the pixels that count."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        counted = targets != _IGNORE
        total = functional.binary_cross_entropy_with_logits(
            logits.float(),
            targets,
            weight=counted.float(),
            pos_weight=self.pos_weight,
            reduction="sum",
        )
        return total / counted.sum().clamp(min=1)


def _class_weights(ctx: LossContext, given: str | list[float]) -> torch.Tensor | None:
    if given == "none":
        return None
    if isinstance(given, list):
        _check_length("class_weights", given, len(ctx.task.classes))
        return torch.tensor(given, dtype=torch.float32)
    _check_present(ctx, "of", ctx.task.classes, ctx.class_counts)
    share = [ctx.samples / (len(ctx.class_counts) * count) for count in ctx.class_counts]
    return torch.tensor(share, dtype=torch.float32)


def _positive_weights(ctx: LossContext, given: str | float | list[float]) -> torch.Tensor | None:
    if given == "none":
        return None
    if isinstance(given, list):
        _check_length("pos_weight", given, ctx.task.outputs)
        return torch.tensor(given, dtype=torch.float32)
    if isinstance(given, str):
        return torch.tensor(_negatives_per_positive(ctx), dtype=torch.float32)
    return torch.full((ctx.task.outputs,), float(given))


def _negatives_per_positive(ctx: LossContext) -> list[float]:
    """One ratio an output: a single output stands for the positive class."""
    task = ctx.task
    kept = [task.positive_index] if task.outputs == 1 else range(len(task.classes))
    names = [task.classes[i] for i in kept]
    positives = [ctx.class_counts[i] for i in kept]
    negatives = [ctx.samples - count for count in positives]
    _check_present(ctx, "of", names, positives)
    _check_present(ctx, "without", names, negatives)
    return [below / above for below, above in zip(negatives, positives, strict=True)]


def _check_length(option: str, given: list[float], expected: int) -> None:
    if len(given) != expected:
        raise ZooError(f"{option} {given!r}: {len(given)} numbers; expected {expected}")


def _check_present(ctx: LossContext, how: str, names: Sequence[str], counts: Sequence[int]) -> None:
    """Raise when some class has nothing to be balanced by."""
    what = "pixel" if ctx.task.kind == "segmentation" else "sample"
    absent = [repr(name) for name, count in zip(names, counts, strict=True) if count == 0]
    if absent:
        raise ZooError(
            f"weights cannot be 'balanced': the training split has no {what} {how} "
            f"{', '.join(absent)}; give numbers, or 'none'"
        )
