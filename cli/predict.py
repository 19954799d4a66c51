"""``zoo predict``: what a run or a model says of images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .bars import counting
from .completion import complete_component, complete_runs_and_models, complete_words


def predict(
    subject: Annotated[
        str,
        typer.Argument(
            help="A run (its folder, or its name in runs/) or a model (name, name@3).",
            metavar="RUN|MODEL",
            autocompletion=complete_runs_and_models,
        ),
    ],
    images: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Images, and folders, whose images are taken at any depth.",
            metavar="IMAGE|FOLDER",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", help="A file for the table, '-' for stdout; a folder for masks."
        ),
    ] = "-",
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv, json (an object a line), kaggle or masks "
            "[default: as the output's suffix says, else csv; masks for segmentation].",
            metavar="FORMAT",
            autocompletion=complete_words("csv", "json", "kaggle", "masks"),
        ),
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option(
            help="What of a file stands as its id: path, name or stem (no suffix).",
            metavar="WHAT",
            show_default="path",
            autocompletion=complete_words("path", "name", "stem"),
        ),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(help="Of --format kaggle.", metavar="NAME", show_default="id"),
    ] = None,
    label_column: Annotated[
        str | None,
        typer.Option(help="Of --format kaggle.", metavar="NAME", show_default="label"),
    ] = None,
    values: Annotated[
        str | None,
        typer.Option(
            help="Of --format kaggle: class (its name), index (from 0) or probability.",
            metavar="WHAT",
            show_default="class",
            autocompletion=complete_words("class", "index", "probability"),
        ),
    ] = None,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Beside each mask, the image with it in colour.")
    ] = False,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Instead of files, the images of a dataset.",
            metavar="NAME",
            autocompletion=complete_component("dataset"),
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Of the dataset.", metavar="NAME", show_default="test")
    ] = None,
    root: Annotated[
        str | None, typer.Option(help="The folder with the dataset's files.", metavar="FOLDER")
    ] = None,
    skip_bad: Annotated[
        bool,
        typer.Option("--skip-bad", help="Exit 0 where only some images could not be read."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    registry: Annotated[
        str | None, typer.Option(help="Where the model is [default: as registry.toml says].")
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", metavar="DEVICE")
    ] = "auto",
) -> None:
    """Write the class of each image, with its probabilities, or its mask.

    An image that cannot be read is named and left out, and the exit code is then 1.

    \b
    Examples:
      zoo predict digits@1 three.png
      zoo predict digits@1 scans/ --output digits.csv
      zoo predict digits@1 scans/ -o scans.jsonl --ids name
      zoo predict nuclei@best slides/ -o masks/ --overlay
      zoo predict digits@1 test/ -o submission.csv --format kaggle --ids stem \\
        --id-column ImageId --label-column Label --values index
      zoo predict digits@1 --dataset mnist --split test -o mnist.csv
    """
    from zoo.runs.predicting import predict as answer

    with counting() as step:
        done = answer(
            subject,
            images or (),
            output,
            format=format_,
            ids=ids,
            id_column=id_column,
            label_column=label_column,
            values=values,
            overlay=overlay,
            dataset=dataset,
            split=split,
            root=root,
            skip_bad=skip_bad,
            force=force,
            registry=registry,
            device=device,
            step=step,
        )
    if done.output is not None:
        left_out = f"; {len(done.left_out):,} left out" if done.left_out else ""
        count = "1 image" if done.images == 1 else f"{done.images:,} images"
        typer.echo(f"{done.output}: {count}{left_out}")
