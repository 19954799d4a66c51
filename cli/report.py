"""``zoo report``: a run or a model as one page of figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .completion import complete_runs_and_models, complete_words


def report(
    subject: Annotated[
        str,
        typer.Argument(
            help="A run (its folder, or its name in runs/) or a model (name, name@3).",
            metavar="RUN|MODEL",
            autocompletion=complete_runs_and_models,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The page [default: report.html in the run, or reports/NAME-N.html].",
            metavar="FILE.html",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="What it was measured on: train, val or test.",
            show_default="test",
            autocompletion=complete_words("train", "val", "test"),
        ),
    ] = None,
    root: Annotated[
        str | None,
        typer.Option(
            help="The folder with the images, if not where the recipe says.", metavar="FOLDER"
        ),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(help="A folder for the figures as SVG and PNG, too.", metavar="FOLDER"),
    ] = None,
    registry: Annotated[
        str | None, typer.Option(help="Where the model is [default: as registry.toml says].")
    ] = None,
) -> None:
    """Write one HTML file that needs nothing else: figures, curves, samples, data, recipe.

    It is made of what zoo train and zoo eval left; what is missing is said, with the command that
    makes it.

    \b
    Examples:
      zoo report runs/digits-simple_cnn-1
      zoo report digits-simple_cnn-1 --split val --output val.html
      zoo report digits-simple-cnn@1 --root scans
      zoo report runs/digits-simple_cnn-1 --figures figures
    """
    from zoo.errors import printable
    from zoo.reports.building import report as build

    made = build(subject, output=output, split=split, root=root, registry=registry, figures=figures)
    typer.echo(printable(f"report: {made.path} ({made.source} on {made.split})"))
    if made.figures:
        typer.echo(printable(f"figures: {made.figures[0].parent} ({len(made.figures)} files)"))
