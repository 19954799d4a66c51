"""``zoo train --dry-run``: what a recipe would do, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from .tables import show_json, show_table

if TYPE_CHECKING:
    from zoo.recipes.flags import Override
    from zoo.runs.dry_run import DryRun
    from zoo.training.events import ClassShares
    from zoo.training.layer_table import LayerTable

_CLASSES = 12  # of many, so many of the most frequent and so many of the rarest are shown


def run(recipe: Path | None, overrides: Sequence[Override], *, json: bool) -> None:
    from zoo.runs.dry_run import dry_run
    from zoo.training import events

    if json:
        show_json(dry_run(recipe, overrides=overrides).as_json())
        return
    from rich.console import Console

    from zoo.runs.progress import TerminalProgress

    with TerminalProgress(Console()) as progress:

        def show(event: events.Event) -> None:
            if not isinstance(event, events.ClassShares):  # they stand among the tables
                progress(event)

        done = dry_run(recipe, overrides=overrides, subscribers=[show])
    _show(done)


def _show(done: DryRun) -> None:
    from zoo.recipes.writing import write_recipe

    typer.echo(write_recipe(done.recipe))
    show_layers(done.layers)
    _show_memory(done)
    _show_classes(done.shares)
    training = done.recipe.training
    parts = f", {done.at_once:,} at once" if done.at_once < int(training.batch_size) else ""
    typer.echo(
        f"\n{training.epochs:,} epochs of {done.steps:,} steps: {done.samples:,} images an epoch, "
        f"{training.batch_size:,} a step{parts}\n"
        f"nothing was written; to train leave out --dry-run"
    )


def show_layers(table: LayerTable) -> None:
    rows = [
        (
            _name(row.name) + (f" ({row.calls} times)" if row.calls > 1 else ""),
            row.kind,
            "-" if row.output is None else form_text(row.output),
            f"{row.parameters:,}" if row.parameters else "-",
            count_text(row.flops) if row.flops else "-",
        )
        for row in table.rows
    ]
    columns = ("layer", "type", "output", "parameters", "flops")
    show_table(columns, rows, empty="no layers", right=("parameters", "flops"))
    frozen = table.parameters - table.trainable
    how = f"{table.trainable:,} of them trainable" if frozen else "all trainable"
    typer.echo(
        f"\n{table.parameters:,} parameters, {how}\n"
        f"{count_text(table.flops)}FLOPs an image of {form_text(table.image)} forward; "
        f"about {count_text(table.training_flops)}FLOPs in training\n"
    )


def _show_memory(done: DryRun) -> None:
    from zoo.training.memory import bytes_text

    sizes = {**done.memory.rows(done.at_once), "images kept": done.stored}
    rows = [(name, bytes_text(size)) for name, size in sizes.items()]
    rows.append(("in all", bytes_text(sum(sizes.values()))))
    column = f"memory, {done.at_once:,} images at once"
    show_table((column, "about"), rows, empty="", right=("about",))
    needed = bytes_text(done.memory.needed(done.at_once))
    typer.echo(f"\n{needed} still to come, {bytes_text(done.free)} free on {done.device}")
    if done.fit:
        typer.echo(f"too much: about {done.fit:,} fit, with --set training.micro_batch={done.fit}")
    elif done.fit is not None:
        typer.echo("too much: choose a smaller data.size, or a smaller network")
    typer.echo("")


def _show_classes(shares: ClassShares) -> None:
    columns = ["class", shares.unit, "share"]
    known = [("drawn", shares.drawn), ("weight", shares.weights), ("effective", shares.effective)]
    if shares.weights is None:  # then it is what is drawn
        known = known[:1]
    columns += [name for name, column in known if column is not None]
    rows: list[Sequence[str]] = []
    by_class = sorted(shares.by_class().items(), key=lambda item: -item[1]["count"])
    for name, one in by_class if len(by_class) > 2 * _CLASSES else shares.by_class().items():
        cells = [name, f"{int(one['count']):,}", _percent(one["share"])]
        for column in columns[3:]:
            cells.append(f"{one[column]:.3g}" if column == "weight" else _percent(one[column]))
        rows.append(cells)
    if len(rows) > 2 * _CLASSES:
        gap = ("...", f"{len(rows) - 2 * _CLASSES:,} more", *("" for _ in columns[2:]))
        rows = [*rows[:_CLASSES], gap, *rows[-_CLASSES:]]
    show_table(columns, rows, empty="no classes", right=columns[1:])


def _name(name: str) -> str:
    return name or "(the network itself)"


def form_text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def count_text(number: int) -> str:
    """``1.82 G``: three digits."""
    for unit, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= scale:
            return f"{number / scale:.3g} {unit}"
    return f"{number} "
