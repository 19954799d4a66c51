"""What becomes of a study's runs, for people: a table that lives, or a line a run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from zoo.errors import clipped, printable
from zoo.studies.carrying import DONE, PAUSED, Outcome
from zoo.studies.executing import BEGUN

_MOST = 16  # runs under way that are shown


class Watcher(Protocol):
    """Hears what happens to each run, which ``name`` names (``table/row, seed 0``). Of ``total``
    runs ``done`` are there already; ``more`` come with the rows of a search."""

    def begin(self, total: int, done: int, workers: int) -> None: ...

    def more(self, total: int, done: int) -> None: ...

    def heard(self, key: str, name: str, event: Mapping[str, Any]) -> None: ...

    def ended(self, key: str, name: str, outcome: Outcome, detail: str) -> None: ...

    def note(self, text: str) -> None: ...


class Silent:
    def begin(self, total: int, done: int, workers: int) -> None: ...

    def more(self, total: int, done: int) -> None: ...

    def heard(self, key: str, name: str, event: Mapping[str, Any]) -> None: ...

    def ended(self, key: str, name: str, outcome: Outcome, detail: str) -> None: ...

    def note(self, text: str) -> None: ...


@dataclass
class _UnderWay:
    name: str
    begun: float
    epochs: int = 0
    epoch: int = 0
    what: str = "begins"
    figures: str = ""


@dataclass
class _Counts:
    total: int = 0
    before: int = 0
    ended: int = 0
    failed: int = 0
    workers: int = 1
    seconds: list[float] = field(default_factory=list)


class TerminalWatcher:
    """On ``console``: in a terminal the runs under way, everywhere a line for each that ended. A
    context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._counts = _Counts()
        self._under_way: dict[str, _UnderWay] = {}
        self._live = Live(
            get_renderable=self._shown, console=console, transient=True, refresh_per_second=2
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def begin(self, total: int, done: int, workers: int) -> None:
        self._counts = _Counts(total, done, workers=workers)
        if done:
            self._print(f"{done} of {total} runs are there already")

    def more(self, total: int, done: int) -> None:
        self._counts.total += total
        self._counts.before += done

    def heard(self, key: str, name: str, event: Mapping[str, Any]) -> None:
        kind = event.get("event")
        if kind == BEGUN:
            self._under_way[key] = _UnderWay(name, time.monotonic())
            return
        one = self._under_way.get(key)
        if one is None:
            return
        if kind == "training_started":
            one.epochs, one.what = int(event["epochs"]), "trains"
        elif kind == "decoding":
            one.what = f"decodes {event['done']:,}/{event['total']:,}"
        elif kind == "steps_done":
            one.epoch, one.what = int(event["epoch"]), "trains"
            one.figures = f"loss {event['loss']:.4f}" if event["loss"] is not None else ""
        elif kind == "epoch_ended":
            one.epoch, one.figures = int(event["epoch"]), _figures(event.get("val"))
        elif kind == "measuring":
            one.what = f"is measured on {event['split']}"

    def ended(self, key: str, name: str, outcome: Outcome, detail: str) -> None:
        one = self._under_way.pop(key, None)
        if outcome.status == PAUSED:  # it has not ended, and maybe not begun
            if one is not None:
                self._print(f"{name}: saved" + (f" in epoch {one.epoch}" if one.epoch else ""))
            return
        counts = self._counts
        counts.ended += 1
        counts.failed += outcome.status != DONE
        if one is not None:
            counts.seconds.append(time.monotonic() - one.begun)
        said = outcome.status if not outcome.reason else f"{outcome.status}: {outcome.reason}"
        where = f"[{counts.before + counts.ended}/{counts.total}]"
        self._print(f"{where} {name}: {detail if outcome.status == DONE else said}")

    def note(self, text: str) -> None:
        self._print(f"note: {text}")

    def _print(self, text: str) -> None:
        self._console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def _shown(self) -> Group:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for one in list(self._under_way.values())[:_MOST]:
            epoch = f"epoch {one.epoch}/{one.epochs}" if one.epochs else ""
            table.add_row(Text(clipped(one.name)), one.what, epoch, one.figures)
        # Before it is known how many runs there are, nothing is said of them.
        return Group(table, Text(self._heading() if self._counts.total else "", style="dim"))

    def _heading(self) -> str:
        counts = self._counts
        parts = [f"{counts.before + counts.ended} of {counts.total} runs"]
        parts += [f"{counts.failed} not done"] if counts.failed else []
        left = self._left()
        return ", ".join([*parts, f"about {duration(left)} left"] if left else parts)

    def _left(self) -> float | None:
        """From the runs that ended here, for nothing else is known."""
        counts = self._counts
        if not counts.seconds:
            return None
        each = sum(counts.seconds) / len(counts.seconds)
        return each * (counts.total - counts.before - counts.ended) / counts.workers


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _figures(val: Any) -> str:
    if not isinstance(val, Mapping):
        return ""
    named = [name for name in ("loss", "dice", "accuracy") if isinstance(val.get(name), float)]
    return ", ".join(f"val {name} {val[name]:.4f}" for name in named)
