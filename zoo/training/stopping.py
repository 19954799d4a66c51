"""The monitored value: which epoch is best, and when to stop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from zoo.predictions.counts import Number


@dataclass
class Stopping:
    """``monitor``: ``train/NAME`` or ``val/NAME``; ``mode``: ``min`` or ``max``; ``patience``: how
    many epochs in a row without an improvement of more than ``min_delta`` end the training, 0 for
    never."""

    monitor: str
    mode: str
    patience: int = 0
    min_delta: float = 0.0
    best: Number = None
    best_epoch: int = 0
    waited: int = 0

    def update(self, epoch: int, value: Number) -> bool:
        """Whether ``value`` is the best so far. A value that is missing or not finite never is,
        and never bars a later one."""
        good = value is not None and math.isfinite(value)
        if good and (self.best is None or self._gain(value) > self.min_delta):
            self.best = value
            self.best_epoch = epoch
            self.waited = 0
            return True
        self.waited += 1
        return False

    @property
    def exhausted(self) -> bool:
        return 0 < self.patience <= self.waited

    def _gain(self, value: Number) -> float:
        if value is None or self.best is None:
            return math.inf
        return self.best - value if self.mode == "min" else value - self.best

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.waited = state["waited"]
