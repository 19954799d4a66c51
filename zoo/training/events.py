"""What the loop reports, as it happens: the terminal, a file and trackers take what they want."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zoo.predictions.counts import Number


@dataclass(frozen=True)
class Event:
    def as_json(self) -> dict[str, Any]:
        """``{"event": "epoch_ended", ...}``; numbers that are not finite, which JSON has not, are
        None."""
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
        return {"event": name, **_finite(dataclasses.asdict(self))}


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(frozen=True)
class Notice(Event):
    """Something worth knowing before or during training, in one line."""

    text: str


@dataclass(frozen=True)
class Decoding(Event):
    """Images are being decoded, once, before training. ``seconds``: since it began."""

    what: str
    done: int
    total: int
    seconds: float


@dataclass(frozen=True)
class TrainingStarted(Event):
    epochs: int
    steps_per_epoch: int
    samples_per_epoch: int
    parameters: int
    device: str


@dataclass(frozen=True)
class StepsDone(Event):
    """A sign of life, at most five a second. ``loss``: the epoch's mean so far; ``seconds``: since
    the epoch began."""

    epoch: int
    steps: int
    samples: int
    seconds: float
    loss: float


@dataclass(frozen=True)
class EpochEnded(Event):
    """Epochs count from 1. ``train`` and ``val``: loss and metrics; ``train`` is measured during
    the pass, with augmentation and dropout on, while the weights change. ``seconds`` holds the
    training pass alone, ``samples_per_second`` likewise."""

    epoch: int
    train: Mapping[str, Number]
    val: Mapping[str, Number]
    learning_rate: float
    seconds: float
    samples_per_second: float
    improved: bool


@dataclass(frozen=True)
class TrainingEnded(Event):
    """``reason``: ``"epochs"`` (the budget is spent) or ``"early stopping"``."""

    reason: str
    epochs: int
    seconds: float
    best_epoch: int
    best_value: Number
    monitor: str


Subscriber = Callable[[Event], None]
