"""``zoo study``: carry out a study, many runs that become tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .tables import show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zoo.studies.executing import Executor
    from zoo.studies.planning import Plan
    from zoo.studies.studying import Begin, Place, Studied

_LISTED = 40  # runs of a dry run, unless as JSON


def study(
    file: Annotated[Path, typer.Argument(help="A study (TOML).")],
    profile: Annotated[
        str, typer.Option(help="One of its profiles, as smoke.", show_default=False)
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="Where everything is kept [default: runs/study-NAME[-PROFILE]]."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Runs at once, each in a process of its own.")
    ] = 1,
    table: Annotated[
        list[str] | None,
        typer.Option(help="Only this table; may be given several times.", metavar="NAME"),
    ] = None,
    row: Annotated[
        list[str] | None,
        typer.Option(help="Only this row; may be given several times.", metavar="NAME"),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Instead of the study's: 0,1,2.", metavar="N,N,..")
    ] = None,
    root: Annotated[
        str | None, typer.Option(help="The folder with the dataset's files.", metavar="FOLDER")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any key of all recipes: training.epochs=1.", metavar="KEY=.."),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Workers on a Ray cluster instead: auto, HOST:PORT, or local to begin one.",
            metavar="ADDRESS",
        ),
    ] = None,
    slurm: Annotated[
        str | None,
        typer.Option(
            help="Runs as Slurm jobs instead, with submitit's options: "
            "slurm_partition=gpu,timeout_min=240.",
            metavar="KEY=..,KEY=..",
        ),
    ] = None,
    train: Annotated[
        bool, typer.Option("--train/--no-train", help="No: the tables of what is there.")
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the runs, and how long they may take.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON, and no progress.")
    ] = False,
) -> None:
    """Train every run of a study that is not there yet; write its tables and figures.

    A study that was interrupted, or killed, goes on where it was: type the same again.

    \b
    Examples:
      zoo study studies/mnist-simple-cnn/study.toml --profile smoke
      zoo study study.toml --workers 2 --dry-run
      zoo study study.toml --table table-5 --row "learning rate=0.1"
      zoo study study.toml --seeds 0,1,2,3     one more seed trains only that
    """
    from zoo.recipes.flags import flag_overrides
    from zoo.studies.planning import planned
    from zoo.studies.studying import study as carry_out

    asked: Any = {"profile": profile, "out": out, "tables": table or (), "rows": row or ()}
    asked |= {"seeds": _numbers(seeds), "overrides": flag_overrides(sets or (), root=root)}
    if dry_run:
        _show_plan(planned(file, **asked), workers, json=json)
        return
    asked |= {"workers": workers, "train": train, "begin": _elsewhere(workers, ray, slurm)}
    if json:
        done = carry_out(file, **asked)
        show_json(done.data)
    else:
        from rich.console import Console

        from zoo.studies.watching import TerminalWatcher

        with TerminalWatcher(Console()) as watcher:
            done = carry_out(file, watcher=watcher, **asked)
        _show(done, table or (), row or ())
    if train:
        _end(done, table or (), row or ())


def _end(done: Studied, tables: Sequence[str], rows: Sequence[str]) -> None:
    """Runs that failed, of what was asked for, are for a script to notice."""
    from zoo.errors import StudyError
    from zoo.studies import words
    from zoo.studies.carrying import FAILED

    runs = {
        run["key"]: run["status"]
        for table in _of(done, tables, rows)
        for row in table["rows"]
        if not rows or row["name"] in rows
        for run in row["runs"]
    }
    failed = sum(status == FAILED for status in runs.values())
    if failed:
        raise StudyError([words.failed(failed, len(runs))])


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        found = [int(one) for one in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 0 or len(set(found)) < len(found):
        raise typer.BadParameter(
            f"{text!r}: expected whole numbers from 0, each once, as in --seeds 0,1,2"
        )
    return found


def _elsewhere(workers: int, ray: str | None, slurm: str | None) -> Begin | None:
    """What carries out runs; None for processes of this machine."""
    if ray is not None and slurm is not None:
        raise typer.BadParameter("--ray and --slurm: expected one of them")
    if ray is not None:
        return lambda place: _on_ray(place, workers, ray)
    if slurm is not None:
        return lambda place: _on_slurm(place, workers, _options(slurm))
    return None


def _on_ray(place: Place, workers: int, address: str) -> Executor:
    from zoo.studies.executing_ray import RayWorkers
    from zoo.studies.studying import LOGS

    return RayWorkers(workers, address, place.out, place.out / LOGS, place.threads)


def _on_slurm(place: Place, workers: int, options: dict[str, Any]) -> Executor:
    from zoo.studies.executing_slurm import SlurmJobs
    from zoo.studies.studying import LOGS

    options = {"cpus_per_task": place.threads, **options}
    return SlurmJobs(workers, place.out / LOGS, options)


def _options(text: str) -> dict[str, Any]:
    from zoo.recipes.flags import parse_value

    pairs = [one.partition("=") for one in text.split(",") if one.strip()]
    if not all(key.strip() and equals for key, equals, _ in pairs):
        raise typer.BadParameter(
            f"{text!r}: expected options as in --slurm slurm_partition=gpu,timeout_min=240"
        )
    return {key.strip(): parse_value(value.strip()) for key, _, value in pairs}


def _show_plan(plan: Plan, workers: int, *, json: bool) -> None:
    from zoo.errors import printable
    from zoo.studies.datasets import missing_datasets
    from zoo.studies.estimating import estimated, left
    from zoo.studies.watching import duration

    runs, missing = estimated(plan), missing_datasets(plan)
    seconds = left(runs, workers)
    if json:
        told = [
            {"name": one.name, "key": one.job.key, "status": one.status, "seconds": one.seconds,
             "source": one.source or None}
            for one in runs
        ]  # fmt: skip
        show_json({"out": str(plan.out), "runs": told, "seconds_left": seconds, "missing": missing})
        return
    show_table(
        ("run", "key", "status", "seconds"),
        [
            (
                one.name,
                one.job.key,
                one.status,
                None if one.seconds is None else f"{one.seconds:.1f}",
            )
            for one in runs[:_LISTED]
        ],
        empty="no runs",
        right=("seconds",),
    )
    if len(runs) > _LISTED:
        typer.echo(f"... and {len(runs) - _LISTED} more; all of them: --json")
    there = sum(one.status == "done" for one in runs)
    trials = sum(table.part.search.head.trials for table in plan.chosen if table.part.search)
    if trials:
        typer.echo(f"and up to {trials} trials of searches, with the runs of the best")
    if there == len(runs):
        time = "nothing is left to train" + (" beside the searches" if trials else "")
    elif seconds is None:
        time = "how long the rest takes is not known before one run is done"
    else:
        time = f"the rest trains for about {duration(seconds)} with {workers} at once"
    typer.echo(f"{len(runs)} runs, {there} of them done; {time}")
    for line in missing:
        typer.echo(printable(f"to be put right first: {line}"))
    leave = "for its tables" if there == len(runs) and not trials else "to train"
    typer.echo(f"to be kept in {plan.out}; nothing was written; {leave} leave out --dry-run")


def _of(done: Studied, tables: Sequence[str], rows: Sequence[str]) -> list[Mapping[str, Any]]:
    """The tables that were asked for, whole: all where none was."""
    return [
        table
        for table in done.data["tables"]
        if (not tables or table["name"] in tables)
        and (not rows or any(row["name"] in rows for row in table["rows"]))
    ]


def _show(done: Studied, tables: Sequence[str], rows: Sequence[str]) -> None:
    from zoo.errors import printable
    from zoo.studies.cells import shown_table
    from zoo.studies.page import undrawn

    for table in map(shown_table, _of(done, tables, rows)):
        typer.echo(f"\n{printable(table.title or table.name)}")
        show_table(
            [one.text for one in table.head],
            [[_cell(cell.short, cell.marks) for cell in row] for row in table.rows],
            empty="no rows",
            named=True,
            right=[one.text for one in table.head if one.number],
        )
        for mark, text in table.notes:
            typer.echo(printable(f"{f'({mark}) ' if mark else ''}{text}"))
    page = next(path for path in done.files if path.suffix == ".html")
    typer.echo(f"\ntables and figures: {page}")
    missing = undrawn(done.data, {path.stem for path in done.files if path.suffix == ".svg"})
    if missing:
        typer.echo(printable(missing[:1].lower() + missing[1:].removesuffix(".")))
    if not done.data["complete"]:
        typer.echo("some runs are not there yet; to train them type the same without --no-train, "
                   "--table and --row")  # fmt: skip


def _cell(text: str, marks: tuple[str, ...]) -> str:
    return text + "".join(f" ({mark})" for mark in marks)
