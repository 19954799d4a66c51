"""torch's learning-rate schedules, and after what each steps."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, ReduceLROnPlateau, StepLR

from zoo import SchedulerContext

Schedule = tuple[LRScheduler | None, Literal["step", "epoch"]]
_Factor = Annotated[float, Gt(0), Lt(1)]


def none(ctx: SchedulerContext) -> Schedule:
    return None, "epoch"


def plateau(
    ctx: SchedulerContext,
    *,
    factor: _Factor = 0.1,
    patience: Annotated[int, Ge(0)] = 10,
    min_lr: Annotated[float, Ge(0)] = 0.0,
) -> Schedule:
    """Multiply by ``factor`` after ``patience`` + 1 epochs without improvement."""
    made = ReduceLROnPlateau(
        ctx.optimizer,
        mode="max" if ctx.mode == "max" else "min",
        factor=factor,
        patience=patience,
        min_lr=min_lr,
    )
    return made, "epoch"


def cosine(ctx: SchedulerContext, *, min_lr: Annotated[float, Ge(0)] = 0.0) -> Schedule:
    """From the optimizer's rate to ``min_lr``, reached with the budget's last step."""
    steps = ctx.epochs * ctx.steps_per_epoch
    return CosineAnnealingLR(ctx.optimizer, T_max=steps, eta_min=min_lr), "step"


def step(
    ctx: SchedulerContext,
    *,
    step_size: Annotated[int, Gt(0)] = 10,
    gamma: Annotated[float, Gt(0)] = 0.1,
) -> Schedule:
    """Multiply by ``gamma`` after every ``step_size`` epochs."""
    return StepLR(ctx.optimizer, step_size=step_size, gamma=gamma), "epoch"
