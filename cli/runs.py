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

_MAIN = ("dice", "accuracy", "auroc", "f1", "loss")  # the first there is stands in a list

# What a list says of a run, as run.json holds it.
_TYPES: dict[str, type | tuple[type, ...]] = {
    "status": str, "created": str, "dataset": str, "architecture": str, "task": dict,
    "epochs_done": int, "best": dict, "seconds": (int, float),
}  # fmt: skip

# What is asked for first; anything else follows by its name.
_FIRST = (
    "run", "status", "reason", "task", "dataset", "architecture", "epochs_done", "steps", "seconds",
    "created", "ended",
)  # fmt: skip

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
                (row["created"] or "")[:16].replace("T", " "),
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
    from zoo.runs.naming import as_argument

    found = find_run(run)
    info, metrics = _info(found), _metrics(found)
    if json:
        show_json({"run": str(found.path), **info, "metrics": metrics})
        return
    plain = {key: value for key, value in info.items() if not isinstance(value, Mapping)}
    task = info.get("task")
    told = {"run": found.path, **plain, "task": dict(task or {}).get("kind")}
    show_fields({key: told[key] for key in (*_FIRST, *sorted(told)) if key in told})
    best = info.get("best")
    if isinstance(best, Mapping):
        _show_figures(f"val, epoch {best.get('epoch')}", best.get("metrics"))
    for name, figures in metrics.items():
        _show_figures(name, figures)
    if not metrics:
        data = info.get("data")
        splits = data.get("splits") if isinstance(data, Mapping) else None
        split = "val" if isinstance(splits, Mapping) and "test" not in splits else "test"
        print(f"not evaluated yet; type: zoo eval {as_argument(found.path)} --split {split}")


def _row(run: RunFolder) -> dict[str, Any]:
    """What a list says of a run. A damaged one is listed as such: the others matter too."""
    from zoo.errors import RunError

    try:
        info = _info(run)
    except RunError as error:
        damaged = {"run": str(run.path), "status": "damaged", "problem": str(error)}
        return damaged | {key: None for key in _TYPES if key != "status"}
    return {"run": str(run.path)} | {key: info.get(key) for key in _TYPES}


def _info(run: RunFolder) -> dict[str, Any]:
    """What ``run.json`` says. Raises :class:`RunError` when something has another type than zoo
    writes."""
    from zoo.errors import RunError
    from zoo.runs.folder import INFO

    info = run.info
    for key, expected in _TYPES.items():
        value = info.get(key)
        if value is not None and not isinstance(value, expected):
            raise RunError(f"run {str(run.path)!r}: its {INFO} is damaged: {key} is {value!r:.80}")
    return info


def _best(best: object) -> str | None:
    """``epoch 7, accuracy 0.98``, of the ``best`` in a run's information."""
    if not isinstance(best, Mapping):
        return None
    metrics = best.get("metrics")
    figures = metrics if isinstance(metrics, Mapping) else {}
    main = next((name for name in _MAIN if isinstance(figures.get(name), float)), None)
    return f"epoch {best.get('epoch')}" + (f", {main} {figures[main]:.4f}" if main else "")


def _show_figures(name: str, figures: object) -> None:
    given = figures.items() if isinstance(figures, Mapping) else ()
    rows = [(key, value) for key, value in given if type(value) in (int, float)]
    print()
    show_table((name, "value"), rows, empty=f"{name}: no figures")


def _metrics(run: RunFolder) -> dict[str, Any]:
    """Everything measured, by the name of its file."""
    return {path.stem: run.metrics(path.stem) for path in sorted(run.path.glob("metrics/*.json"))}
