"""timm's losses under the names of timm's classes, for targets in zoo's forms.

Shapes: logits (B, K); targets int64 (B,), or float (B, K) after mixup, for classes that exclude
each other; float (B, K) for binary (K = 1) and multilabel tasks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import timm
from annotated_types import Ge, Gt, Le, Lt
from timm import loss as library
from torch import Tensor, nn
from torch.nn import functional

from zoo import LossContext, TrainingError, ZooError

_Fraction = Annotated[float, Ge(0), Lt(1)]
_NotNegative = Annotated[float, Ge(0)]
_Positive = Annotated[float, Gt(0)]


def label_smoothing_cross_entropy(ctx: LossContext, *, smoothing: _Fraction = 0.1) -> nn.Module:
    """Szegedy et al. (2016), arXiv:1512.00567."""
    return _Dense(_made("SoftTargetCrossEntropy"), smoothing)


def soft_target_cross_entropy(ctx: LossContext) -> nn.Module:
    return _Dense(_made("SoftTargetCrossEntropy"), 0.0)


def poly_cross_entropy(
    ctx: LossContext, *, epsilon: float = 2.0, smoothing: _Fraction = 0.0
) -> nn.Module:
    """Leng et al. (2022), arXiv:2204.12511. With a negative ``epsilon`` it may be below 0."""
    return _Dense(_made("PolyCrossEntropy", epsilon=epsilon), smoothing)


def asymmetric_single_label(
    ctx: LossContext,
    *,
    gamma_pos: _NotNegative = 1.0,
    gamma_neg: _NotNegative = 4.0,
    smoothing: _Fraction = 0.1,
) -> nn.Module:
    """Ridnik et al. (2021), arXiv:2009.14119, over a softmax."""
    return _Indices(
        _made("AsymmetricLossSingleLabel", gamma_pos=gamma_pos, gamma_neg=gamma_neg, eps=smoothing)
    )


def asymmetric_multi_label(
    ctx: LossContext,
    *,
    gamma_pos: _NotNegative = 1.0,
    gamma_neg: _NotNegative = 4.0,
    clip: _Fraction = 0.05,
    smoothing: _Fraction = 0.0,
) -> nn.Module:
    """Ridnik et al. (2021), arXiv:2009.14119: the sum over classes, the mean over images."""
    return _made(
        "AsymmetricLossMultiLabel",
        gamma_pos=gamma_pos,
        gamma_neg=gamma_neg,
        clip=clip,
        smoothing=smoothing,
    )


def poly_binary_cross_entropy(
    ctx: LossContext,
    *,
    epsilon: float = 2.0,
    gamma: _NotNegative = 0.0,
    smoothing: _Fraction = 0.0,
) -> nn.Module:
    """Leng et al. (2022), arXiv:2204.12511."""
    return _made("PolyBinaryCrossEntropy", epsilon=epsilon, gamma=gamma, smoothing=smoothing)


def zlpr(ctx: LossContext) -> nn.Module:
    """Su et al. (2022), arXiv:2208.02955: every positive above 0, every negative below."""
    return _made("ZlprLoss")


def distribution_balanced(
    ctx: LossContext,
    *,
    map_alpha: _NotNegative = 0.1,
    map_beta: _Positive = 10.0,
    map_mu: float = 0.2,
    neg_scale: _Positive = 2.0,
    init_bias: float = 0.05,
    focal_gamma: _NotNegative = 2.0,
    smoothing: _Fraction = 0.0,
) -> nn.Module:
    """Wu et al. (2020), arXiv:2007.09654, with the counts of the training split."""
    counts = ctx.class_counts
    if ctx.task.positive is not None:
        counts = (counts[ctx.task.classes.index(ctx.task.positive)],)
    if ctx.samples < 2:
        raise ZooError(
            f"loss 'timm/distribution_balanced': {ctx.samples} training samples; expected 2 or more"
        )
    return _made(
        "DistributionBalancedLoss",
        class_counts=[float(one) for one in counts],
        num_samples=ctx.samples,
        map_alpha=map_alpha,
        map_beta=map_beta,
        map_mu=map_mu,
        neg_scale=neg_scale,
        init_bias=init_bias,
        focal_gamma=focal_gamma,
        smoothing=smoothing,
    )


def binary_cross_entropy(
    ctx: LossContext,
    *,
    smoothing: _Fraction = 0.1,
    target_threshold: Annotated[float, Ge(0), Le(1)] = 1.0,
    sum_classes: bool = False,
) -> nn.Module:
    """Of one class against the rest, as in Wightman et al. (2021), arXiv:2110.00476.

    ``target_threshold``: targets above it, mixed ones too, count as 1 and others as 0; 1.0: as they
    are. ``sum_classes``: the sum over classes instead of their mean."""
    threshold = None if target_threshold == 1.0 else target_threshold
    loss = _made(
        "BinaryCrossEntropy", smoothing=0.0, target_threshold=threshold, sum_classes=sum_classes
    )
    towards_half = ctx.task.kind != "multiclass"
    return _Dense(loss, smoothing, towards_half=towards_half)


_BUILDERS: dict[str, Callable[..., nn.Module]] = {
    one.__name__: one
    for one in (
        label_smoothing_cross_entropy,
        soft_target_cross_entropy,
        poly_cross_entropy,
        asymmetric_single_label,
        asymmetric_multi_label,
        poly_binary_cross_entropy,
        zlpr,
        distribution_balanced,
        binary_cross_entropy,
    )
}


def options(name: str) -> inspect.Signature:
    return inspect.signature(_BUILDERS[name], eval_str=True)


def build(ctx: LossContext, name: str, **options: Any) -> nn.Module:
    return _BUILDERS[name](ctx, **options)


def _made(name: str, **given: Any) -> nn.Module:
    """timm's class of that name, which an older timm may not have."""
    found = vars(library).get(name)
    if found is None:
        raise ZooError(
            f"timm {timm.__version__} has no loss {name!r}; install a newer one: "
            f"pip install -U timm"
        )
    made: nn.Module = found(**given)
    return made


class _Dense(nn.Module):
    """``loss`` of targets as shares of classes, smoothed first: towards all classes alike or,
    where each class is a question of its own, towards a half."""

    def __init__(self, loss: nn.Module, smoothing: float, towards_half: bool = False) -> None:
        super().__init__()
        self.loss, self.smoothing, self.towards_half = loss, smoothing, towards_half

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        logits = logits.float()
        if targets.ndim == 1:
            targets = functional.one_hot(targets, logits.shape[1])
        shares = targets.to(logits.dtype)
        if self.smoothing:
            level = 0.5 if self.towards_half else 1 / logits.shape[1]
            shares = shares * (1 - self.smoothing) + self.smoothing * level
        found: Tensor = self.loss(logits, shares)
        return found


class _Indices(nn.Module):
    """``loss`` of targets that name one class each."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        if targets.ndim != 1:
            raise TrainingError(
                "loss 'timm/asymmetric_single_label' takes no mixed targets; leave out "
                "augmentations that mix, or use loss 'timm/poly_cross_entropy'"
            )
        found: Tensor = self.loss(logits.float(), targets)
        return found
