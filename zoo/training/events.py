"""What the loop reports, as it happens: the terminal, a file and trackers take what they want."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
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
class Downloading(Event):
    """Published weights come over the network: ``done`` bytes of ``total``, None where the server
    does not say. ``seconds``: since it began."""

    what: str
    done: int
    total: int | None
    seconds: float


@dataclass(frozen=True)
class Initialized(Event):
    """The first weights came from ``source``. ``digest``: sha256 of its file; ``counts``: how many
    tensors were loaded, adapted, left new, and of the source unused; ``parts``: the same by parts
    of the network, each with ``name``, ``tensors``, ``values``, ``what`` and ``why``; ``parent``:
    the published version that it was, by ``model``, ``version`` and its record's ``digest``; or an
    architecture's published weights, by ``architecture``, ``tag`` and ``sha256``."""

    source: str
    digest: str
    counts: Mapping[str, int]
    parts: Sequence[Mapping[str, Any]]
    parent: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ClassShares(Event):
    """One number a class, in class order. ``counts``: samples of the training split, or pixels
    (``unit``); ``shares``: of all of them; ``drawn``: the share in what the first epoch draws, None
    where only a pass over streamed masks could tell; ``weights``: the loss's, None where it has
    none; ``effective``: the share in the loss, drawn times weight. Multilabel shares are those of
    samples that carry the class, and do not sum up to one; a weight there favours the class over
    its absence, so that there is no ``effective``."""

    unit: str
    classes: Sequence[str]
    counts: Sequence[int]
    shares: Sequence[float]
    drawn: Sequence[float] | None
    weights: Sequence[float] | None
    effective: Sequence[float] | None

    def by_class(self) -> dict[str, dict[str, float]]:
        """``{"class": {"count": .., "share": .., ..}}``, without what is not known."""
        columns = {
            "count": self.counts,
            "share": self.shares,
            "drawn": self.drawn,
            "weight": self.weights,
            "effective": self.effective,
        }
        known = {name: column for name, column in columns.items() if column is not None}
        return {
            one: {name: column[place] for name, column in known.items()}
            for place, one in enumerate(self.classes)
        }


@dataclass(frozen=True)
class TrainingStarted(Event):
    """``figure``: the one that people follow (``zoo.predictions.counts.headline``); ``trained``:
    how many parameters are not frozen in the epoch that comes, None where nobody counted."""

    epochs: int
    steps_per_epoch: int
    samples_per_epoch: int
    parameters: int
    device: str
    figure: str = "accuracy"
    trained: int | None = None


@dataclass(frozen=True)
class Resumed(Event):
    """A run goes on from a checkpoint: in ``epoch``, after ``step`` updates of all epochs."""

    epoch: int
    step: int
    path: str


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
    training pass alone, ``samples_per_second`` likewise; ``dropped``: the updates left out because
    their loss or gradients were not finite; ``memory``: bytes at most, see
    :func:`zoo.training.peak.peak`."""

    epoch: int
    train: Mapping[str, Number]
    val: Mapping[str, Number]
    learning_rate: float
    seconds: float
    samples_per_second: float
    improved: bool
    dropped: int = 0
    memory: int | None = None


@dataclass(frozen=True)
class TrainingEnded(Event):
    """``reason``: ``"epochs"`` (the budget is spent), ``"early stopping"``, ``"time"``, or
    ``"interrupted"`` by a signal. ``epochs``: those completed; ``seconds``: of all sessions;
    ``steps``: updates made."""

    reason: str
    epochs: int
    seconds: float
    best_epoch: int
    best_value: Number
    monitor: str
    steps: int = 0


Subscriber = Callable[[Event], None]
