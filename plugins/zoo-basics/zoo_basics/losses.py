"""torch's cross-entropies, with weights that can be computed from the training split.

Both are modules that hold their weights as buffers: ``.to(device)`` moves them.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    _check_present("of", ctx.task.classes, ctx.class_counts)
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
    """One ratio an output: a binary task's only output stands for its positive class."""
    task = ctx.task
    kept = [task.positive_index] if task.kind == "binary" else range(len(task.classes))
    names = [task.classes[i] for i in kept]
    positives = [ctx.class_counts[i] for i in kept]
    negatives = [ctx.samples - count for count in positives]
    _check_present("of", names, positives)
    _check_present("without", names, negatives)
    return [below / above for below, above in zip(negatives, positives, strict=True)]


def _check_length(option: str, given: list[float], expected: int) -> None:
    if len(given) != expected:
        raise ZooError(f"{option} {given!r}: {len(given)} numbers; expected {expected}")


def _check_present(how: str, names: Sequence[str], counts: Sequence[int]) -> None:
    """Raise when some class has nothing to be balanced by."""
    absent = [repr(name) for name, count in zip(names, counts, strict=True) if count == 0]
    if absent:
        raise ZooError(
            f"weights cannot be 'balanced': the training split has no sample {how} "
            f"{', '.join(absent)}; give numbers, or 'none'"
        )
