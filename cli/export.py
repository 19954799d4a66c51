"""``zoo export``: a network for people without zoo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .completion import complete_runs_and_models, complete_words


def export(
    subject: Annotated[
        str,
        typer.Argument(
            help="A run (its folder, or its name in runs/) or a model (name, name@3).",
            metavar="RUN|MODEL",
            autocompletion=complete_runs_and_models,
        ),
    ],
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="onnx or torch-export.",
            metavar="FORMAT",
            autocompletion=complete_words("onnx", "torch-export"),
        ),
    ] = "onnx",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file [default: the model's name, here]."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    registry: Annotated[
        str | None, typer.Option(help="Where the model is [default: as registry.toml says].")
    ] = None,
) -> None:
    """Write a network to one file, with its classes and preprocessing, and compare its answers.

    \b
    Examples:
      zoo export digits@1                                digits-1.onnx
      zoo export digits@1 --format torch-export          digits-1.pt2
      zoo export runs/digits-simple_cnn-1 -o net.onnx --force
    """
    from zoo.runs.exporting import export as write

    done = write(subject, output, format=format_, force=force, registry=registry)
    several = " and ".join(map(str, done.checked))
    typer.echo(
        f"{done.path}: {_size(done.path.stat().st_size)}\n"
        f"largest difference from the original: {done.difference:.2g}, of logits up to "
        f"{done.logit:.2g}; {several} images at once, by {done.runner}"
    )


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"
