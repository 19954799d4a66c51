"""Learning-rate schedules. All but ``plateau`` are functions of the step's number: what was resumed
cannot stray, since no rate is computed from the one before."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

import zoo
from zoo import SchedulerContext

Schedule = tuple[LRScheduler | None, Literal["step", "epoch"]]
_Factor = Annotated[float, Gt(0), Lt(1)]
_NotNegative = Annotated[float, Ge(0)]
_Steps = Annotated[int, Ge(0)]
_MILESTONES: list[int] = [30, 60, 80]  # of 90 epochs of ImageNet, in Goyal et al. 2017


class Curve(LRScheduler):
    """``rate(base, t)``: from a group's own rate and the steps made so far, the next step's rate.
    Over the first ``warmup`` steps it is multiplied by what climbs evenly, from 1 / (warmup + 1).
    """

    def __init__(
        self, optimizer: Optimizer, rate: Callable[[float, int], float], warmup: int = 0
    ) -> None:
        self._rate = rate
        self._warmup = warmup
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        t = self.last_epoch
        climbed = min(1.0, (t + 1) / (self._warmup + 1))
        return [self._rate(base, t) * climbed for base in self.base_lrs]

    def state_dict(self) -> dict[str, Any]:
        kept = ("base_lrs", "last_epoch", "_step_count", "_last_lr")
        return {name: getattr(self, name) for name in kept}


class OneCycle(Curve):
    """A curve with which momentum, or Adam's beta1, falls and rises again: ``momentum(t)``. An
    optimizer without momentum is left without."""

    def __init__(
        self,
        optimizer: Optimizer,
        rate: Callable[[float, int], float],
        momentum: Callable[[int], float],
    ) -> None:
        self._momentum = momentum
        super().__init__(optimizer, rate)

    def step(self, epoch: int | None = None) -> None:
        super().step(epoch)
        momentum = self._momentum(self.last_epoch)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            elif group.get("momentum"):
                group["momentum"] = momentum


def none(ctx: SchedulerContext) -> Schedule:
    return None, "epoch"


def plateau(
    ctx: SchedulerContext,
    *,
    factor: _Factor = 0.1,
    patience: Annotated[int, Ge(0)] = 10,
    min_lr: _NotNegative = 0.0,
) -> Schedule:
    """Multiply by ``factor`` after ``patience`` + 1 epochs without improvement of the value that
    the recipe's ``stopping.monitor`` names."""
    made = ReduceLROnPlateau(
        ctx.optimizer,
        mode="max" if ctx.mode == "max" else "min",
        factor=factor,
        patience=patience,
        min_lr=min_lr,
    )
    return made, "epoch"


def cosine(
    ctx: SchedulerContext,
    *,
    min_lr: _NotNegative = 0.0,
    warmup_epochs: _NotNegative = 0.0,
    warmup_steps: _Steps = 0,
) -> Schedule:
    """From the optimizer's rate, which warmup reaches, to ``min_lr``, reached with the budget's
    last step."""
    warmup = _warmup(ctx, warmup_epochs, warmup_steps)
    span = ctx.epochs * ctx.steps_per_epoch - warmup

    def rate(base: float, t: int) -> float:
        return _half_cosine(base, min_lr, _part(t - warmup, span))

    return Curve(ctx.optimizer, rate, warmup), "step"


def cosine_restarts(
    ctx: SchedulerContext,
    *,
    period: Annotated[float, Gt(0)] = 10.0,
    growth: Annotated[int, Ge(1)] = 2,
    min_lr: _NotNegative = 0.0,
    warmup_epochs: _NotNegative = 0.0,
    warmup_steps: _Steps = 0,
) -> Schedule:
    """Cosines, each from the optimizer's rate to ``min_lr``: the first takes ``period`` epochs,
    each one after it ``growth`` times the one before."""
    warmup = _warmup(ctx, warmup_epochs, warmup_steps)
    first = max(1, round(period * ctx.steps_per_epoch))

    def rate(base: float, t: int) -> float:
        since, length = max(0, t - warmup), first
        if growth == 1:
            since %= length
        while since >= length:
            since -= length
            length *= growth
        return _half_cosine(base, min_lr, since / length)

    return Curve(ctx.optimizer, rate, warmup), "step"


def step(
    ctx: SchedulerContext,
    *,
    step_size: Annotated[int, Gt(0)] = 10,
    gamma: Annotated[float, Gt(0)] = 0.1,
    warmup_epochs: _NotNegative = 0.0,
    warmup_steps: _Steps = 0,
) -> Schedule:
    """Multiply by ``gamma`` after every ``step_size`` epochs, those of warmup counted."""

    def rate(base: float, t: int) -> float:
        return base * gamma ** (t // (ctx.steps_per_epoch * step_size))

    return Curve(ctx.optimizer, rate, _warmup(ctx, warmup_epochs, warmup_steps)), "step"


def multi_step(
    ctx: SchedulerContext,
    *,
    milestones: list[Annotated[int, Gt(0)]] = _MILESTONES,
    gamma: Annotated[float, Gt(0)] = 0.1,
    warmup_epochs: _NotNegative = 0.0,
    warmup_steps: _Steps = 0,
) -> Schedule:
    """Multiply by ``gamma`` when so many epochs are done, those of warmup counted."""
    ordered = sorted(milestones)

    def rate(base: float, t: int) -> float:
        return base * gamma ** bisect.bisect(ordered, t // ctx.steps_per_epoch)

    return Curve(ctx.optimizer, rate, _warmup(ctx, warmup_epochs, warmup_steps)), "step"


def exponential(
    ctx: SchedulerContext,
    *,
    gamma: Annotated[float, Gt(0)] = 0.95,
    warmup_epochs: _NotNegative = 0.0,
    warmup_steps: _Steps = 0,
) -> Schedule:
    """Multiply by ``gamma`` after every epoch, those of warmup counted."""

    def rate(base: float, t: int) -> float:
        return base * gamma ** (t // ctx.steps_per_epoch)

    return Curve(ctx.optimizer, rate, _warmup(ctx, warmup_epochs, warmup_steps)), "step"


def one_cycle(
    ctx: SchedulerContext,
    *,
    rising: _Factor = 0.3,
    divide: Annotated[float, Ge(1)] = 25.0,
    final_divide: Annotated[float, Ge(1)] = 1e4,
    base_momentum: Annotated[float, Ge(0), Lt(1)] = 0.85,
    max_momentum: Annotated[float, Ge(0), Lt(1)] = 0.95,
) -> Schedule:
    """Along cosines from the optimizer's rate / ``divide`` up to that rate, in the share ``rising``
    of all steps, then down to ``1 / final_divide`` of where it began; momentum the other way.

    The rates are those of ``torch.optim.lr_scheduler.OneCycleLR`` whose ``max_lr`` is the
    optimizer's; where torch's shares come out empty (few steps), it starts at the top.
    """
    last = ctx.epochs * ctx.steps_per_epoch - 1
    top = max(0.0, rising * (last + 1) - 1)

    def between(start: float, peak: float, end: float, t: int) -> float:
        if t < top:
            return _half_cosine(start, peak, _part(t, top))
        return _half_cosine(peak, end, _part(t - top, last - top))

    def rate(base: float, t: int) -> float:
        return between(base / divide, base, base / divide / final_divide, t)

    def momentum(t: int) -> float:
        return between(max_momentum, base_momentum, max_momentum, t)

    return OneCycle(ctx.optimizer, rate, momentum), "step"


def _warmup(ctx: SchedulerContext, epochs: float, steps: int) -> int:
    """In steps."""
    if epochs and steps:
        raise zoo.TrainingError(
            f"warmup_epochs = {epochs} and warmup_steps = {steps}: expected one of them"
        )
    return steps or round(epochs * ctx.steps_per_epoch)


def _part(done: float, whole: float) -> float:
    """From 0 to 1, also where there is nothing to do and when it is done."""
    return min(max(done, 0.0) / whole, 1.0) if whole > 0 else float(done > 0)


def _half_cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
