"""What ``events.jsonl`` tells of a training, as arrays. Shapes: E epochs, P points in time.

The file may be a stranger's, and a kill may have torn its last line: what is no event of zoo's is
passed over.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo.reports.wording import is_number
from zoo.storage import reading

EVENTS_BYTES = 256 << 20  # a week of training leaves a quarter of that
_POINTS = 60  # of the speed over time
_MOST = 1 << 40  # of a count


@dataclass(frozen=True)
class History:
    """``epochs``: int (E,), ascending; ``train`` and ``val``: figures by name, float (E,), NaN
    where there is none; ``rate``, ``seconds``, ``speed`` (samples a second) and ``memory`` (bytes):
    float (E,). ``minutes`` and ``speeds``: float (P,), the speed over the time of training.
    ``began`` and ``ended``: the events ``training_started`` and ``training_ended``; ``resumed``:
    how often a run went on."""

    epochs: np.ndarray
    train: Mapping[str, np.ndarray]
    val: Mapping[str, np.ndarray]
    rate: np.ndarray
    seconds: np.ndarray
    speed: np.ndarray
    memory: np.ndarray
    minutes: np.ndarray
    speeds: np.ndarray
    began: Mapping[str, Any] = field(default_factory=dict)
    ended: Mapping[str, Any] = field(default_factory=dict)
    resumed: int = 0

    def __len__(self) -> int:
        return len(self.epochs)


def read_history(path: Path) -> History:
    """Raises :class:`zoo.errors.StorageError` when the file cannot be read, or is no log of zoo's
    by its size."""
    epochs: dict[int, Mapping[str, Any]] = {}
    steps: dict[int, list[tuple[float, float]]] = {}
    about: dict[str, Mapping[str, Any]] = {}
    resumed = 0
    for event in read_events(path):
        kind, epoch = event.get("event"), _epoch(event.get("epoch"))
        if kind == "epoch_ended" and epoch:
            epochs[epoch] = event
        elif kind == "steps_done" and epoch:
            steps.setdefault(epoch, []).append(
                (_number(event.get("seconds")), _number(event.get("samples")))
            )
        elif kind in ("training_started", "training_ended"):
            about[kind] = event
        elif kind == "resumed":
            resumed += 1
    ordered = [epochs[one] for one in sorted(epochs)]
    seconds = _column(ordered, "seconds")
    minutes, speeds = _speeds(sorted(epochs), seconds, steps)
    return History(
        epochs=np.array(sorted(epochs), np.int64),
        train=_figures(ordered, "train"),
        val=_figures(ordered, "val"),
        rate=_column(ordered, "learning_rate"),
        seconds=seconds,
        speed=_column(ordered, "samples_per_second"),
        memory=_column(ordered, "memory"),
        minutes=minutes,
        speeds=speeds,
        began=about.get("training_started", {}),
        ended=about.get("training_ended", {}),
        resumed=resumed,
    )


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines. Raises as :func:`read_history` does."""
    for line in reading.read(path, EVENTS_BYTES, what="event log").split(b"\n"):
        try:
            event = json.loads(line.decode("utf-8", errors="replace"))
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            yield event


def _epoch(value: object) -> int:
    """0 for what is none."""
    return value if type(value) is int and 0 < value < _MOST else 0


def _number(value: object) -> float:
    """NaN for what is none."""
    return float(value) if is_number(value) else math.nan  # type: ignore[arg-type]


def _column(events: list[Mapping[str, Any]], key: str) -> np.ndarray:
    return np.array([_number(one.get(key)) for one in events], np.float64)


def _figures(events: list[Mapping[str, Any]], part: str) -> dict[str, np.ndarray]:
    tables = [one[part] if isinstance(one.get(part), Mapping) else {} for one in events]
    names = list(dict.fromkeys(name for one in tables for name in one))
    return {name: _column(tables, name) for name in names}


def _speeds(
    epochs: list[int], seconds: np.ndarray, steps: Mapping[int, list[tuple[float, float]]]
) -> tuple[np.ndarray, np.ndarray]:
    """(minutes, samples a second) of pieces of equal time, from the signs of life in between."""
    pieces = []  # (when it ended, how long it took, samples)
    before = 0.0
    for epoch, whole in zip(epochs, seconds, strict=True):
        last, done = 0.0, 0.0
        for at, samples in steps.get(epoch, ()):
            if at > last and samples >= done:
                pieces.append((before + at, at - last, samples - done))
            last, done = at, samples
        before += whole if whole > 0 else 0.0
    if not pieces:
        return np.empty(0), np.empty(0)
    ends, took, samples = np.array(pieces).T
    place = np.minimum((ends / ends.max() * _POINTS).astype(np.int64), _POINTS - 1)
    sums = np.bincount(place, took, _POINTS), np.bincount(place, samples, _POINTS)
    kept = sums[0] > 0
    middle = (np.arange(_POINTS) + 0.5) / _POINTS * ends.max() / 60
    return middle[kept], sums[1][kept] / sums[0][kept]
