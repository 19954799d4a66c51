"""The learning-rate schedule as the loop sees it: two moments, whatever the scheduler wants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from zoo.errors import PluginError
from zoo.predictions.counts import Number


@dataclass
class Schedule:
    """``scheduler``: a torch scheduler, or None for a constant rate; ``interval``: whether it steps
    after each ``"step"`` or each ``"epoch"``."""

    optimizer: Optimizer
    scheduler: Any = None
    interval: str = "epoch"

    def __post_init__(self) -> None:
        if self.interval not in ("step", "epoch"):
            raise PluginError(
                f"the scheduler's interval is {self.interval!r}; expected 'step' or 'epoch'"
            )
        # torch warns of a scheduler that steps before the optimizer did, as the first step of a
        # resumed run may, or one that a loss scaler left out.
        self.optimizer._opt_called = True  # type: ignore[attr-defined]

    @property
    def learning_rate(self) -> float:
        """Of the first parameter group."""
        return float(self.optimizer.param_groups[0]["lr"])

    def after_step(self) -> None:
        if self.scheduler is not None and self.interval == "step":
            self.scheduler.step()

    def after_epoch(self, monitored: Number) -> None:
        if self.scheduler is None or self.interval != "epoch":
            return
        if not isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step()
        elif monitored is not None and math.isfinite(monitored):
            self.scheduler.step(monitored)

    def state_dict(self) -> dict[str, Any]:
        return {} if self.scheduler is None else dict(self.scheduler.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state)
