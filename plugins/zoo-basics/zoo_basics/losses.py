"""torch's cross-entropies, with weights that can be computed from the training split.

Both are modules that hold their weights as buffers: ``.to(device)`` moves them.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Lt
from torch import nn
from zoo import LossContext, ZooError

_Positive = Annotated[float, Gt(0)]


def cross_entropy(
    ctx: LossContext,
    *,
    label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.0,
    class_weights: Literal["none", "balanced"] | list[_Positive] = "none",
) -> nn.Module:
    """Logits (B, K), targets int64 (B,).

    ``class_weights``: one number a class, in class order; "balanced" is n / (K * count), so that
    every class weighs the same in sum. As in torch, a weighted mean is divided by the sum of the
    weights of the batch's targets.
    """
    weights = _class_weights(ctx, class_weights)
    return nn.CrossEntropyLoss(weight=weights, label_smoothing=label_smoothing)


def bce(
    ctx: LossContext,
    *,
    pos_weight: Literal["none", "balanced"] | _Positive | list[_Positive] = "none",
) -> nn.Module:
    """Logits and targets float (B, 1), or (B, K) for multilabel; the mean over all of them.

    ``pos_weight`` multiplies the positives' part: one number, or one a class for multilabel;
    "balanced" is negatives / positives of the training split.
    """
    return nn.BCEWithLogitsLoss(pos_weight=_positive_weights(ctx, pos_weight))


def _class_weights(ctx: LossContext, given: str | list[float]) -> torch.Tensor | None:
    if given == "none":
        return None
    if isinstance(given, list):
        _check_length("class_weights", given, len(ctx.task.classes))
        return torch.tensor(given, dtype=torch.float32)
    _check_present(ctx, ctx.class_counts)
    share = [ctx.samples / (len(ctx.class_counts) * count) for count in ctx.class_counts]
    return torch.tensor(share, dtype=torch.float32)


def _positive_weights(ctx: LossContext, given: str | float | list[float]) -> torch.Tensor | None:
    if given == "none":
        return None
    if isinstance(given, list):
        _check_length("pos_weight", given, ctx.task.outputs)
        return torch.tensor(given, dtype=torch.float32)
    if not isinstance(given, str):
        return torch.full((ctx.task.outputs,), float(given))
    positives = list(ctx.class_counts)
    if ctx.task.kind == "binary":
        _check_present(ctx, ctx.class_counts)
        positives = [ctx.class_counts[ctx.task.positive_index]]
    else:
        negatives = [ctx.samples - count for count in ctx.class_counts]
        _check_present(ctx, ctx.class_counts)
        _check_present(ctx, negatives, "without")
    weights = [(ctx.samples - count) / count for count in positives]
    return torch.tensor(weights, dtype=torch.float32)


def _check_length(option: str, given: list[float], expected: int) -> None:
    if len(given) != expected:
        raise ZooError(f"{option} {given!r}: {len(given)} numbers; expected {expected}")


def _check_present(ctx: LossContext, counts: list[int] | tuple[int, ...], how: str = "of") -> None:
    """Raise when some class has nothing to be balanced by."""
    absent = [name for name, count in zip(ctx.task.classes, counts, strict=True) if count == 0]
    if absent:
        raise ZooError(
            f"weights cannot be 'balanced': the training split has no sample {how} "
            f"{', '.join(repr(name) for name in absent)}; give numbers, or 'none'"
        )
