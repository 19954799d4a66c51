"""Bars that show how far a long command is."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

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
