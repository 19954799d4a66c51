"""The focal loss: cross-entropy in which what is right already counts for little.

Shapes: B images, O outputs, H by W pixels. Lin, Goyal, Girshick, He, Dollár 2017, arXiv:1708.02002,
equations 4 and 5: FL(p_t) = -alpha_t (1 - p_t)^gamma log(p_t).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn
from torch.nn import functional

from zoo import LossContext, ZooError

_Positive = Annotated[float, Gt(0)]
_IGNORE = 255


def focal(
    ctx: LossContext,
    *,
    gamma: Annotated[float, Ge(0), Le(10)] = 2.0,
    alpha: Literal["none", "balanced"] | _Positive | list[_Positive] = "none",
) -> nn.Module:
    """With a positive class, and for multilabel tasks: logits and targets float (B, O, ...), each
    output for itself, as in the paper. Otherwise the softmax's: logits (B, K, ...) and targets
    int64 (B, ...), or probabilities (B, K). The mean over all samples, outputs and pixels; pixels
    of target 255 are left out, and a batch that has no other gives 0.

    ``alpha``: for single outputs the positives' weight, below 1; the negatives' is 1 - alpha; the
    paper found 0.25 best with ``gamma`` 2, where nearly all is background. With a softmax a list,
    one weight a class. "balanced": from the training split, the negatives' share, or n / (K *
    count).

    Deviations: the paper divides by the number of objects, here it is the mean, as for every loss.
    Targets that were mixed count in their shares: the loss is linear in them.
    """
    if ctx.task.positive is not None or ctx.task.kind == "multilabel":
        weights = _positive_weights(ctx, alpha)
        return SigmoidFocal(gamma, weights, _by_class(ctx, weights))
    return SoftmaxFocal(gamma, _class_weights(ctx, alpha))


class SigmoidFocal(nn.Module):
    def __init__(
        self, gamma: float, alpha: list[float] | None, class_weights: list[float] | None
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.class_weights = class_weights
        self.register_buffer("alpha", None if alpha is None else torch.tensor(alpha))

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        logits, counted = logits.float(), targets != _IGNORE
        targets = targets * counted
        log_yes, log_no = functional.logsigmoid(logits), functional.logsigmoid(-logits)
        # As exp(gamma log(1 - p)), since the gradient of (1 - p)^gamma is not finite at p = 1.
        yes = targets * torch.exp(self.gamma * log_no) * -log_yes
        no = (1 - targets) * torch.exp(self.gamma * log_yes) * -log_no
        if self.alpha is not None:
            alpha = self.alpha.view(-1, *[1] * (logits.ndim - 2))
            yes, no = alpha * yes, (1 - alpha) * no
        return ((yes + no) * counted).sum() / counted.sum().clamp(min=1)


class SoftmaxFocal(nn.Module):
    def __init__(self, gamma: float, weights: list[float]) -> None:
        super().__init__()
        self.gamma = gamma
        self.class_weights = None if set(weights) == {1.0} else weights
        self.register_buffer("weights", torch.tensor(weights))

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        log_p = functional.log_softmax(logits.float(), dim=1)
        if targets.is_floating_point():
            return (self._focal(log_p) * targets * self.weights).sum(1).mean()
        counted = targets != _IGNORE
        labels = targets.masked_fill(~counted, 0)
        log_p_true = log_p.gather(1, labels.unsqueeze(1)).squeeze(1)
        each = self._focal(log_p_true) * self.weights[labels]
        return (each * counted).sum() / counted.sum().clamp(min=1)

    def _focal(self, log_p: Tensor) -> Tensor:
        # expm1 keeps 1 - p exact near p = 1; the least number keeps the logarithm finite there.
        rest = (-torch.expm1(log_p)).clamp(min=torch.finfo(log_p.dtype).tiny)
        return torch.exp(self.gamma * rest.log()) * -log_p


def _positive_weights(ctx: LossContext, given: str | float | list[float]) -> list[float] | None:
    """One number an output, or None."""
    if given == "none":
        return None
    task = ctx.task
    if given == "balanced":
        kept = [task.positive_index] if task.outputs == 1 else range(len(task.classes))
        _check_present([task.classes[i] for i in kept], [ctx.class_counts[i] for i in kept])
        return [1 - ctx.class_counts[i] / ctx.samples for i in kept]
    numbers = given if isinstance(given, list) else [float(given)] * task.outputs
    if len(numbers) != task.outputs or max(numbers) >= 1:
        raise ZooError(
            f"alpha {given!r}: expected numbers below 1, one for each of {task.outputs} outputs"
        )
    return numbers


def _by_class(ctx: LossContext, alpha: list[float] | None) -> list[float] | None:
    """What each class weighs: the positive one and the other; for multilabel each as against its
    absence."""
    if alpha is None:
        return None
    if ctx.task.kind == "multilabel":
        return [one / (1 - one) for one in alpha]
    place = ctx.task.positive_index
    return [alpha[0] if i == place else 1 - alpha[0] for i in range(len(ctx.task.classes))]


def _class_weights(ctx: LossContext, given: str | float | list[float]) -> list[float]:
    classes = ctx.task.classes
    if given == "none":
        return [1.0] * len(classes)
    if given == "balanced":
        _check_present(classes, ctx.class_counts)
        return [ctx.samples / (len(classes) * count) for count in ctx.class_counts]
    if not isinstance(given, list) or len(given) != len(classes):
        raise ZooError(
            f"alpha {given!r}: expected 'balanced', 'none', or a list of {len(classes)} numbers, "
            f"one a class"
        )
    return given


def _check_present(names: Sequence[str], counts: Sequence[int]) -> None:
    absent = [repr(name) for name, count in zip(names, counts, strict=True) if count == 0]
    if absent:
        raise ZooError(
            f"alpha cannot be 'balanced': the training split has none of {', '.join(absent)}; give "
            f"numbers, or 'none'"
        )
