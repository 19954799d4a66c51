"""``zoo eval``: measure a run or a published model on a split, or what either has predicted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zoo.errors import printable

from .completion import complete_component, complete_runs_and_models
from .figures import show_calibration, show_figures
from .tables import show_json


def evaluate(
    subject: Annotated[
        str,
        typer.Argument(
            help="A run (its folder, or its name in runs/), a model (name, name@3), or a "
            "predictions file (.npz).",
            metavar="RUN|MODEL|FILE",
            autocompletion=complete_runs_and_models,
        ),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Another dataset than it was trained on; of the same classes.",
            metavar="NAME",
            autocompletion=complete_component("dataset"),
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="train, val or test.", show_default="test")
    ] = None,
    root: Annotated[
        str | None, typer.Option(help="The folder with the dataset's files.", metavar="FOLDER")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The predictions file [default: in the run, or predictions/]."
        ),
    ] = None,
    registry: Annotated[
        str | None, typer.Option(help="Where the model is [default: as registry.toml says].")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="auto, cpu, cuda, cuda:N or mps.", metavar="DEVICE", show_default="auto"),
    ] = None,
    calibrate: Annotated[
        bool | None,
        typer.Option(
            "--calibrate/--no-calibrate",
            help="First fit a temperature on val and keep it in the run, or forget it.",
            show_default=False,
        ),
    ] = None,
    sensitivity: Annotated[
        float | None,
        typer.Option(help="A threshold that reaches this on val, and its figures.", metavar="X"),
    ] = None,
    specificity: Annotated[
        float | None,
        typer.Option(help="A threshold that reaches this on val, and its figures.", metavar="X"),
    ] = None,
    val: Annotated[
        Path | None,
        typer.Option(help="Of a predictions file, that on val, for such thresholds."),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Draws of the bootstrap behind the intervals; 0 for none.",
            show_default="2,000, where they take seconds",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The seed of these draws.")] = 0,
    level: Annotated[
        float, typer.Option(help="In how many cases an interval holds the true value.")
    ] = 0.95,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Write the predictions on a split, and print the figures computed from them.

    Of a predictions file they are computed without the model or the data. All of them, curves too,
    are in the JSON; docs/metrics.md defines each.

    \b
    Examples:
      zoo eval runs/digits-simple_cnn-1
      zoo eval digits-simple_cnn-1 --split val     a run in runs/, by its name
      zoo eval digits-simple-cnn@1 --split val --json
      zoo eval runs/digits-simple_cnn-1 --calibrate
      zoo eval runs/pneumonia-1 --sensitivity 0.95
      zoo eval predictions/digits-simple-cnn-1/test.npz
    """
    from zoo.predictions.measuring import evaluate_file, is_file
    from zoo.predictions.operating_points import wanted

    asked: Any = {"dataset": dataset, "split": split, "root": root, "output": output}
    asked |= {"registry": registry, "device": device, "calibrate": calibrate, "val": val}
    certainty: Any = {"draws": draws, "seed": seed, "level": level}
    if is_file(subject):  # spares the start of torch
        wants = wanted(sensitivity, specificity)
        done = evaluate_file(subject, **certainty, wants=wants, **asked)
    else:
        from zoo.runs.evaluate import evaluate as measure

        reached: Any = {"sensitivity": sensitivity, "specificity": specificity}
        done = measure(subject, **certainty, **reached, **asked)
    if json:
        about = {"source": done.source, "dataset": done.dataset, "split": done.split}
        files: dict[str, Any] = {"predictions": str(done.path), "differs": done.differs}
        files |= {} if done.calibration is None else {"calibration": done.calibration}
        figures = {"samples": done.samples, "labelled": bool(done.metrics), **done.metrics}
        show_json({**about, **files, **figures})
        return
    what = f"{done.source} on {done.dataset}, split {done.split}, {done.samples:,} samples"
    typer.echo(printable(what))
    if done.differs:
        typer.echo(f"not the data it was trained with: {done.differs}")
    if done.calibration is not None:
        show_calibration(done.calibration)
    if not done.metrics:
        typer.echo(f"predictions: {done.path}; there are no labels to measure them against")
        return
    typer.echo("")
    show_figures(done.metrics)
    if done.notice:
        typer.echo(f"\n{done.notice}")
    typer.echo(f"\npredictions: {done.path}")
