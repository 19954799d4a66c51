"""``zoo resume``: go on with a run that was killed, paused, or is to be longer."""

from __future__ import annotations

from typing import Annotated

import typer

from .completion import complete_runs
from .train import finish


def resume(
    run: Annotated[
        str,
        typer.Argument(help="A run's folder, or its name in runs/.", autocompletion=complete_runs),
    ],
    epochs: Annotated[
        int | None, typer.Option(help="Make it longer: epochs in all.", min=1)
    ] = None,
    max_time: Annotated[
        str | None,
        typer.Option(help="Training time in all, as 45s, 90m or 2h.", metavar="TIME"),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON, and no progress.")
    ] = False,
) -> None:
    """Go on with a run from its last checkpoint, as if nothing had come between.

    \b
    Examples:
      zoo resume runs/digits-simple_cnn-1
      zoo resume digits-simple_cnn-1 --epochs 80     a finished run made longer
    """
    from zoo.runs.resume import resume as carry_out

    if json:
        done = carry_out(run, epochs=epochs, max_time=max_time)
        finish(done, json=True)
        return
    from rich.console import Console

    from zoo.runs.progress import TerminalProgress

    with TerminalProgress(Console()) as progress:
        done = carry_out(run, epochs=epochs, max_time=max_time, subscribers=[progress])
    finish(done)
