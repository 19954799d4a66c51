"""``zoo runs``: what was trained, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import completion
from .choices import Json
from .lazy import WordCommand, group
from .tables import show_fields, show_json, show_table

if TYPE_CHECKING:
    from zoo.runs.folder import RunFolder

app = group("Runs in a folder: what was trained, and how it went.")


@app.command("list", cls=WordCommand)
def list_(
    folder: Annotated[str, typer.Argument(help="The folder that holds the runs.")] = "runs",
    json: Json = False,
) -> None:
    """List the runs in a folder, oldest first.

    \b
    Examples:
      zoo runs list
      zoo runs list experiments --json
    """
    from zoo.errors import RunError, missing_path
    from zoo.runs.folder import RUNS, list_runs

    path = Path(folder)
    if path != RUNS and not path.is_dir():
        raise RunError(missing_path("folder", path))
    rows = [_row(run) for run in list_runs(path)]
    if json:
        show_json(rows)
        return
    show_table(
        ("run", "status", "created", "dataset", "architecture", "epochs", "best"),
        [
            (
                row["run"],
                row["status"],
                row["created"],
                row["dataset"],
                row["architecture"],
                row["epochs_done"],
                _best(row["best"]),
            )
            for row in rows
        ],
        empty=f"no runs in {folder!r}; make one with: zoo train",
    )


@app.command("show", cls=WordCommand)
def show(
    run: Annotated[
        str,
        typer.Argument(
            help="A run's folder, or its name in runs/.", autocompletion=completion.complete_runs
        ),
    ],
    json: Json = False,
) -> None:
    """Show a run: its state, its best epoch, what was measured.

    \b
    Examples:
      zoo runs show runs/digits-simple_cnn-1
      zoo runs show digits-simple_cnn-1 --json
    """
    from zoo.runs.folder import find_run

    found = find_run(run)
    info, metrics = found.info, _metrics(found)
    if json:
        show_json({"run": str(found.path), **info, "metrics": metrics})
        return
    plain = {key: value for key, value in info.items() if not isinstance(value, Mapping)}
    show_fields({"run": found.path, **plain, "best": _best(info.get("best"))})
    for name, values in metrics.items():
        print()
        rows = [(key, value) for key, value in values.items() if isinstance(value, int | float)]
        show_table((name, "value"), rows, empty=f"{name}: no figures")
    if not metrics:
        print(f"not evaluated yet; type: zoo eval {found.path} --split test")


def _row(run: RunFolder) -> dict[str, Any]:
    """What a list says of a run. A damaged one is listed as such: the others matter too."""
    from zoo.errors import RunError

    keys = ("created", "dataset", "architecture", "task", "epochs_done", "best", "seconds")
    try:
        info = run.info
    except RunError as error:
        return {"run": str(run.path), "status": "damaged", "problem": str(error)} | dict.fromkeys(
            keys
        )
    return {"run": str(run.path), "status": info.get("status")} | {
        key: info.get(key) for key in keys
    }


def _best(best: object) -> str | None:
    """``epoch 7: accuracy 0.98``, of the ``best`` in a run's information."""
    if not isinstance(best, Mapping):
        return None
    metrics = best.get("metrics")
    figures = metrics.items() if isinstance(metrics, Mapping) else ()
    text = ", ".join(f"{key} {value:.4g}" for key, value in figures if isinstance(value, float))
    return f"epoch {best.get('epoch')}" + (f": {text}" if text else "")


def _metrics(run: RunFolder) -> dict[str, Any]:
    """Everything measured, by the name of its file."""
    return {path.stem: run.metrics(path.stem) for path in sorted(run.path.glob("metrics/*.json"))}
