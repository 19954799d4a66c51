"""The losses of an epoch's steps, on the host: their mean, and whether they stay finite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zoo.errors import TrainingError

PATIENCE = 20  # so many steps in a row without a finite loss end even a run that skips them


@dataclass
class Watch:
    """``skip``: steps whose loss or gradients are not finite were dropped, and are only counted;
    otherwise the first one ends the training. The sum runs in the order of the steps, so that a
    resumed epoch has the same mean to the last bit."""

    skip: bool = False
    samples: int = 0
    total: float = 0.0
    dropped: int = 0
    in_a_row: int = 0
    bad: str = ""

    def see(self, losses: Sequence[float], about: Sequence[tuple[int, int, float]]) -> None:
        """``about``: (samples, step, learning rate) of each loss, in order."""
        for loss, (samples, step, rate) in zip(losses, about, strict=True):
            if math.isfinite(loss):
                self.samples += samples
                self.total += loss * samples
                self.in_a_row = 0
                continue
            self.dropped += 1
            self.in_a_row += 1
            if not self.bad and (not self.skip or self.in_a_row >= PATIENCE):
                self.bad = f"the loss became {loss} in step {step} at learning rate {rate:g}"

    @property
    def mean(self) -> float | None:
        return self.total / self.samples if self.samples else None

    def require_finite(self) -> None:
        """Raises :class:`TrainingError` naming the step."""
        if not self.bad:
            return
        if self.skip:
            raise TrainingError(
                f"{self.bad}, the last of {PATIENCE} steps in a row without a finite loss and "
                f"gradients; the last checkpoint is kept; lower optimizer.lr"
            )
        raise TrainingError(
            f"{self.bad}; the last checkpoint is kept; lower optimizer.lr, or leave such steps out "
            f"with --set training.on_nonfinite=skip"
        )

    def new_epoch(self) -> None:
        """What is counted in a row goes on."""
        self.samples, self.total, self.dropped = 0, 0.0, 0

    def state_dict(self) -> dict[str, Any]:
        """The sums, which differ from process to process, are kept by who owns them."""
        return {"dropped": self.dropped, "in_a_row": self.in_a_row}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.dropped, self.in_a_row = state["dropped"], state["in_a_row"]
