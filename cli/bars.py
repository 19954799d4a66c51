"""Bars that show how far a long command is."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

Report = Callable[[str, int, int | None], None]  # a file, its bytes so far, and in all if known
Step = Callable[[str, int, int], None]  # what is done, how many, and of how many


@contextlib.contextmanager
def counting() -> Iterator[Step | None]:
    """A bar for each thing done, on stderr where it is a terminal; else None."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bars: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24))
    with Progress(
        *columns,
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:

        def step(what: str, done: int, of: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=of)
            progress.update(bars[what], completed=done)

        yield step


@contextlib.contextmanager
def transferring() -> Iterator[Report]:
    """A bar a file that comes over the network, on stderr where it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda name, done, total: None
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn())
    bars: dict[str, Any] = {}
    with Progress(
        *Progress.get_default_columns()[1:2], *columns, console=Console(stderr=True)
    ) as bar:

        def report(name: str, done: int, total: int | None) -> None:
            if name not in bars:
                bars[name] = bar.add_task(name, total=total)
            bar.update(bars[name], completed=done, total=total)

        yield report
