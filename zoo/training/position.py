"""Where a training stands, and what asks it to pause."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass
from typing import Any

from zoo.training import peak
from zoo.training.tally import Tally

_TICK = 0.2  # seconds between signs of life
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass
class Position:
    """``epoch``: the one under way, from 1; ``done``: its updates so far; ``step``: all updates so
    far; ``rate``: the learning rate with which the epoch began; ``seconds``: what training took so
    far, other sessions included."""

    epoch: int = 1
    done: int = 0
    step: int = 0
    rate: float = 0.0
    seconds: float = 0.0

    def begin(self, rate: float) -> None:
        """An epoch, or the rest of one."""
        if self.done == 0:
            self.rate = rate

    def next_epoch(self) -> None:
        self.epoch += 1
        self.done = 0

    def state_dict(self) -> dict[str, Any]:
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epoch, self.done, self.step = state["epoch"], state["done"], state["step"]
        self.rate, self.seconds = state["rate"], state["seconds"]


class Pause:
    """Asks the loop to save and end at the next step: on a signal, or when ``limit`` seconds of
    training (0: no limit) are over. Counts the time of this session from :meth:`start`."""

    def __init__(self, limit: float = 0.0) -> None:
        self.limit = limit
        self.signal = 0  # the number of the signal that came; set by its handler
        self.reason: str | None = None  # once all processes know
        self._began = time.perf_counter()
        self._before = 0.0

    def start(self, before: float) -> None:
        """``before``: seconds of training in earlier sessions."""
        self._began, self._before = time.perf_counter(), before

    @property
    def seconds(self) -> float:
        return self._before + time.perf_counter() - self._began

    @property
    def asked(self) -> int:
        """The number of a signal, 1 when the time is over, else 0."""
        return self.signal or int(bool(self.limit) and self.seconds >= self.limit)

    def heard(self, asked: int) -> str | None:
        """``asked``: the largest over the processes; one may have got the signal of all."""
        if asked > 1:
            self.signal = asked
        self.reason = ("interrupted" if asked > 1 else "time") if asked else None
        return self.reason


class EpochClock:
    """The time of this session's part of an epoch, and what memory it takes."""

    def __init__(self, tally: Tally) -> None:
        self._tally, self._before = tally, tally.samples
        self._began = self._ticked = time.perf_counter()
        self.seconds = 0.0
        peak.restart(tally.device)

    def ticks(self) -> bool:
        """Whether it is time for a sign of life."""
        now = time.perf_counter()
        if now - self._ticked <= _TICK:
            return False
        self._ticked, self.seconds = now, now - self._began
        return True

    def stop(self) -> tuple[float, float]:
        """(seconds, samples a second). Waits for the device. Raises :class:`TrainingError` when a
        loss was not finite."""
        self._tally.settle()
        self.seconds = time.perf_counter() - self._began
        return self.seconds, (self._tally.samples - self._before) / self.seconds

    def memory(self) -> int | None:
        """Bytes, at most."""
        return peak.peak(self._tally.device)


def seconds_of(duration: str) -> float:
    """``"90m"`` -> 5400.0; 0.0 for ``""``."""
    match = re.fullmatch(r"([\d.]+)([smh])", duration)
    return float(match[1]) * _UNITS[match[2]] if match else 0.0
