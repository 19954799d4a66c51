"""torch's optimizers with torch's defaults, fused where torch has a fused kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from annotated_types import Ge, Gt, Lt
from torch import optim

from zoo import OptimizerContext, TrainingError

_Rate = Annotated[float, Gt(0)]
_Decay = Annotated[float, Ge(0)]
_Fraction = Annotated[float, Ge(0), Lt(1)]


def sgd(
    ctx: OptimizerContext,
    *,
    lr: _Rate = 1e-3,
    momentum: _Fraction = 0.0,
    weight_decay: _Decay = 0.0,
    nesterov: bool = False,
) -> optim.Optimizer:
    """Raises :class:`zoo.TrainingError` for ``nesterov`` without momentum."""
    if nesterov and momentum == 0.0:
        raise TrainingError(f"nesterov = true needs a momentum above 0, given {momentum!r}")
    return _fused(
        optim.SGD, ctx, lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov
    )


def adam(
    ctx: OptimizerContext,
    *,
    lr: _Rate = 1e-3,
    beta1: _Fraction = 0.9,
    beta2: _Fraction = 0.999,
    eps: _Rate = 1e-8,
    weight_decay: _Decay = 0.0,
    amsgrad: bool = False,
) -> optim.Optimizer:
    """``weight_decay`` is added to the gradient, as in the paper; AdamW's is not."""
    return _fused(
        optim.Adam,
        ctx,
        lr=lr,
        betas=(beta1, beta2),
        eps=eps,
        weight_decay=weight_decay,
        amsgrad=amsgrad,
    )


def adamw(
    ctx: OptimizerContext,
    *,
    lr: _Rate = 1e-3,
    beta1: _Fraction = 0.9,
    beta2: _Fraction = 0.999,
    eps: _Rate = 1e-8,
    weight_decay: _Decay = 1e-2,
    amsgrad: bool = False,
) -> optim.Optimizer:
    return _fused(
        optim.AdamW,
        ctx,
        lr=lr,
        betas=(beta1, beta2),
        eps=eps,
        weight_decay=weight_decay,
        amsgrad=amsgrad,
    )


def nadam(
    ctx: OptimizerContext,
    *,
    lr: _Rate = 2e-3,
    beta1: _Fraction = 0.9,
    beta2: _Fraction = 0.999,
    eps: _Rate = 1e-8,
    weight_decay: _Decay = 0.0,
    momentum_decay: _Decay = 4e-3,
) -> optim.Optimizer:
    """torch has no fused kernel for it."""
    return optim.NAdam(
        _groups(ctx),
        lr=lr,
        betas=(beta1, beta2),
        eps=eps,
        weight_decay=weight_decay,
        momentum_decay=momentum_decay,
    )


def adagrad(
    ctx: OptimizerContext,
    *,
    lr: _Rate = 1e-2,
    lr_decay: _Decay = 0.0,
    weight_decay: _Decay = 0.0,
    eps: _Rate = 1e-10,
) -> optim.Optimizer:
    return _fused(
        optim.Adagrad,
        ctx,
        devices=("cpu",),  # its kernel for CUDA is recent; torch's default, foreach, serves there
        lr=lr,
        lr_decay=lr_decay,
        weight_decay=weight_decay,
        eps=eps,
    )


def _groups(ctx: OptimizerContext) -> list[dict[str, Any]]:
    return [dict(group) for group in ctx.parameters]


def _fused(
    optimizer_type: Callable[..., optim.Optimizer],
    ctx: OptimizerContext,
    *,
    devices: tuple[str, ...] = ("cpu", "cuda"),
    **options: Any,
) -> optim.Optimizer:
    groups = _groups(ctx)
    for group in groups:
        group["params"] = list(group["params"])
    parameters = [parameter for group in groups for parameter in group["params"]]
    able = all(one.device.type in devices and one.is_floating_point() for one in parameters)
    return optimizer_type(groups, fused=able or None, **options)
