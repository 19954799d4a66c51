"""The losses of an epoch's steps, on the host: their mean, and whether they stay finite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zoo.errors import DivergedError

PATIENCE = 20  # so many steps in a row without a finite loss end even a run that skips them
# Loss scaling begins at 2^16 and halves with each step that it leaves out: below 1 it cannot help.
HALVINGS = 17


@dataclass
class Watch:
    """``skip``: steps whose loss or gradients are not finite were dropped, and are only counted;
    otherwise the first one ends the training. The sum runs in the order of the steps, so that a
    resumed epoch has the same mean to the last bit.

    Steps that loss scaling left out, their loss being finite, are normal. ``PATIENCE`` +
    ``HALVINGS`` in a row are not: then it is not the scale that makes the gradients overflow."""

    skip: bool = False
    samples: int = 0
    total: float = 0.0
    dropped: int = 0
    in_a_row: int = 0  # without a finite loss
    left_out: int = 0  # in a row without an update, for whatever reason
    bad: str = ""

    def see(
        self,
        losses: Sequence[float],
        left_out: Sequence[float],
        about: Sequence[tuple[int, int, float]],
    ) -> None:
        """``left_out``: 1 where a step is known to have made no update; ``about``: (samples, step,
        learning rate) of each, in order."""
        for loss, without, (samples, step, rate) in zip(losses, left_out, about, strict=True):
            finite = math.isfinite(loss)
            self.left_out = self.left_out + 1 if without or not finite else 0
            if finite:
                self.samples += samples
                self.total += loss * samples
                self.in_a_row = 0
            else:
                self.dropped += 1
                self.in_a_row += 1
            if not self.bad:
                self.bad = self._problem(loss, f"in step {step} at learning rate {rate:g}")

    def _problem(self, loss: float, where: str) -> str:
        if math.isfinite(loss):
            if self.left_out < PATIENCE + HALVINGS:
                return ""
            return (
                f"the gradients were not finite {where}, the last of {self.left_out} steps in a "
                f"row that loss scaling left out; the last checkpoint is kept; lower optimizer.lr, "
                f"or train anew with --precision bf16 or fp32"
            )
        became = f"the loss became {loss} {where}"
        if not self.skip:
            return (
                f"{became}; the last checkpoint is kept; lower optimizer.lr, or leave such steps "
                f"out with --set training.on_nonfinite=skip"
            )
        if self.in_a_row < PATIENCE:
            return ""
        return (
            f"{became}, the last of {PATIENCE} steps in a row without a finite loss and gradients; "
            f"the last checkpoint is kept; lower optimizer.lr"
        )

    @property
    def mean(self) -> float | None:
        return self.total / self.samples if self.samples else None

    def require_finite(self) -> None:
        """Raises :class:`DivergedError` naming the step."""
        if self.bad:
            raise DivergedError(self.bad)

    def require_update(self, steps: int) -> None:
        """Raises :class:`DivergedError` when none of a run's ``steps`` changed the weights."""
        if 0 < steps <= self.left_out:
            raise DivergedError(
                f"not one update was made in {steps} steps: the loss or the gradients of each were "
                f"not finite; lower optimizer.lr, or with precision fp16 train anew with "
                f"--precision bf16 or fp32"
            )

    def new_epoch(self) -> None:
        """What is counted in a row goes on."""
        self.samples, self.total, self.dropped = 0, 0.0, 0

    def state_dict(self) -> dict[str, Any]:
        """The sums, which differ from process to process, are kept by who owns them."""
        return {"dropped": self.dropped, "in_a_row": self.in_a_row, "left_out": self.left_out}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.dropped, self.in_a_row = state["dropped"], state["in_a_row"]
        self.left_out = state["left_out"]
