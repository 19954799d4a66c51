"""The terminal as a subscriber: a bar within the epoch, a line after it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from zoo.errors import clipped, printable
from zoo.predictions.counts import Number
from zoo.training import events

_ENDINGS = {
    "epochs": "as many as asked for",
    "early stopping": "stopped early",
    "time": "its time is over",
    "interrupted": "interrupted",
}
_MOST_CLASSES = 12  # shown one by one
_WIDE = 1e4


class TerminalProgress:
    """Shows a training run on ``console``: where it is a terminal a bar with loss, images/s and
    the time left of the whole run; everywhere one line an epoch. A context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            refresh_per_second=2,  # drawing takes 2 ms: at rich's ten a second 2 % of a processor
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task("starting", total=None, detail="")
        self._epochs = self._steps = 0
        self._figure = "accuracy"

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.TrainingStarted):
            self._started(event)
        elif isinstance(event, events.Notice):
            self._print(f"note: {event.text}")
        elif isinstance(event, events.Resumed):
            self._print(f"goes on in epoch {event.epoch}, after step {event.step}")
        elif isinstance(event, events.Initialized):
            self._print(*initialized_lines(event))
        elif isinstance(event, events.ClassShares):
            self._print(*share_lines(event))
        elif isinstance(event, events.Decoding):
            self._decoding(event)
        elif isinstance(event, events.Downloading):
            self._downloading(event)
        elif isinstance(event, events.StepsDone):
            speed = event.samples / event.seconds
            self._progress.update(
                self._bar,
                completed=(event.epoch - 1) * self._steps + event.steps,
                description=f"epoch {event.epoch}/{self._epochs}",
                detail=f"loss {event.loss:.4f}  {speed:,.0f} images/s",
            )
        elif isinstance(event, events.EpochEnded):
            self._epoch(event)
        elif isinstance(event, events.TrainingEnded):
            self._ended(event)

    def _decoding(self, event: events.Decoding) -> None:
        speed = f"{event.done / max(event.seconds, 1e-9):,.0f} images/s"
        self._progress.update(
            self._bar,
            total=event.total,
            completed=event.done,
            description="decoding",
            detail=speed,
        )
        if event.done == event.total:
            self._print(f"{event.what}: {event.total:,} images decoded at {speed}")

    def _downloading(self, event: events.Downloading) -> None:
        done, speed = event.done / 1e6, event.done / 1e6 / max(event.seconds, 1e-9)
        self._progress.update(
            self._bar,
            total=event.total,
            completed=event.done,
            description=f"downloading {clipped(event.what, 40)}",
            detail=f"{done:,.0f} MB  {speed:,.1f} MB/s",
        )
        if event.done == event.total:
            self._print(f"{clipped(event.what)}: {done:,.1f} MB downloaded at {speed:,.1f} MB/s")

    def _started(self, event: events.TrainingStarted) -> None:
        self._epochs, self._steps = event.epochs, event.steps_per_epoch
        self._figure = event.figure
        self._progress.update(self._bar, total=event.epochs * event.steps_per_epoch)
        frozen = event.trained not in (None, event.parameters)
        trained = f", {event.trained:,} of them trained," if frozen else ""
        self._print(
            f"{event.parameters:,} parameters{trained} on {event.device}; "
            f"{_epochs(event.epochs)} of {event.samples_per_epoch:,} images in "
            f"{event.steps_per_epoch:,} steps",
            f"{'epoch':>5}  {'train loss':>10} {event.figure:>8}  {'val loss':>8} "
            f"{event.figure:>8}  "
            f"{'learning rate':>13}  {'images/s':>8}",
        )

    def _epoch(self, event: events.EpochEnded) -> None:
        self._progress.update(self._bar, completed=event.epoch * self._steps)
        self._print(
            f"{event.epoch:>5}  {number(event.train['loss']):>10} "
            f"{number(event.train[self._figure]):>8}  {number(event.val['loss']):>8} "
            f"{number(event.val[self._figure]):>8}  {event.learning_rate:>13.2e}  "
            f"{event.samples_per_second:>8,.0f}{'  best' if event.improved else ''}"
        )

    def _ended(self, event: events.TrainingEnded) -> None:
        best = "; no epoch was completed"
        if event.epochs:
            best = f"; no epoch has a {event.monitor} that is a finite number"
        if event.best_epoch:
            value = number(event.best_value)
            best = f"; best is epoch {event.best_epoch} with {event.monitor} {value}"
        ending = _ENDINGS[event.reason]
        self._print(f"{_epochs(event.epochs)} in {event.seconds:.1f} s ({ending}){best}")

    def _print(self, *lines: str) -> None:
        """All at once: each call draws the bar anew."""
        text = "\n".join(map(printable, lines))  # run.json and weights may be a stranger's
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def initialized_lines(event: events.Initialized) -> list[str]:
    """What of other weights was loaded, as a table."""
    counts = ", ".join(f"{count} {what}" for what, count in event.counts.items() if count)
    rows = [
        (clipped(part["name"]), part["tensors"], part["values"], part["what"], part["why"])
        for part in event.parts
    ]
    width = max(len(row[0]) for row in rows)
    lines = [f"weights from {printable(event.source)}: {counts} tensors"]
    lines.append(f"  {'part':<{width}}  {'tensors':>7}  {'values':>11}")
    for name, count, values, what, why in rows:
        said = f"{what}: {printable(why)}" if why else what
        lines.append(f"  {name:<{width}}  {count:>7}  {values:>11,}  {said}")
    return lines


def share_lines(event: events.ClassShares) -> list[str]:
    """A line a class, with what the sampler and the loss make of it; for many classes the range."""
    columns = [("share", event.shares)]
    if event.drawn is not None and tuple(event.drawn) != tuple(event.shares):
        columns.append(("drawn", event.drawn))
    if event.weights is not None and event.effective is not None:
        columns.append(("effective", event.effective))
    if len(event.classes) > _MOST_CLASSES:
        ranges = [f"{name} {min(one):.2%} to {max(one):.2%}" for name, one in columns]
        counts = f"{min(event.counts):,} to {max(event.counts):,} {event.unit} each"
        return [f"{len(event.classes)} classes: {', '.join([counts, *ranges])}"]
    width = max(len("class"), *(len(printable(name)) for name in event.classes))
    heading = f"{'class':<{width}}  {event.unit:>13}"
    lines = [heading + "".join(f"  {name:>9}" for name, _ in columns)]
    for place, name in enumerate(event.classes):
        cells = "".join(f"  {one[place]:>9.1%}" for _, one in columns)
        lines.append(f"{printable(name):<{width}}  {event.counts[place]:>13,}{cells}")
    return lines


def _epochs(number: int) -> str:
    return f"{number} {'epoch' if number == 1 else 'epochs'}"


def number(value: Number) -> str:
    """Four decimals, an exponent where they would not fit their column, or ``undefined``."""
    if value is None:
        return "undefined"
    return f"{value:.4f}" if abs(value) < _WIDE else f"{value:.3e}"
