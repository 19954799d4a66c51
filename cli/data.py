"""``zoo data``: the files behind datasets."""

from __future__ import annotations

from typing import Annotated

import typer

from . import completion
from .choices import Json
from .lazy import WordCommand, group

Positive = Annotated[
    str | None, typer.Option(help="The positive class of a dataset of two.", metavar="CLASS")
]

app = group("The files behind datasets: get, check, show, split, cache.")


@app.command("get", cls=WordCommand)
def get(
    name: Annotated[
        str,
        typer.Argument(
            help="A dataset's name, such as medmnist/pathmnist.",
            autocompletion=completion.complete_component("dataset"),
        ),
    ],
    root: Annotated[
        str | None,
        typer.Option(help="The folder for its files [default: $ZOO_DATA/NAME].", metavar="FOLDER"),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="An option of the dataset: dataset.size=64.", metavar="KEY=VALUE"
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Download a dataset's files, verify and unpack them.

    Their md5 is compared with the published one. What is there already and right is not downloaded
    again.

    \b
    Examples:
      zoo data get medmnist/pathmnist --root data/pathmnist --set dataset.size=64
      zoo data get torchvision/CIFAR10 --root data/cifar10
    """
    from .data_get import run

    run(name, root, sets or [], json)


@app.command("check", cls=WordCommand)
def check(
    name: Annotated[
        str,
        typer.Argument(
            help="A dataset's name.", autocompletion=completion.complete_component("dataset")
        ),
    ],
    root: Annotated[
        str | None, typer.Option(help="The folder with the dataset's files.", metavar="FOLDER")
    ] = None,
    positive: Positive = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="dataset.KEY or split.KEY: split.seed=3.", metavar="KEY=VALUE"),
    ] = None,
    html: Annotated[
        str | None, typer.Option(help="Write a page with pictures as well.", metavar="FILE")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Hash the files behind decoded stores and compare.")
    ] = False,
    json: Json = False,
) -> None:
    """Look for what would make training wrong.

    Broken files, leaks, labels, masks: every file is decoded once. Ends with exit code 1 when there
    is an error; notices are for you to judge.

    \b
    Examples:
      zoo data check digits
      zoo data check image_folder --root photos --positive cat --html photos.html
    """
    from .data_check import run

    run(name, root, positive, sets or [], json, html, verify)


@app.command("show")
def show(
    subject: Annotated[
        str,
        typer.Argument(
            help="A dataset's name, or a recipe (.toml).",
            metavar="DATASET|RECIPE",
            autocompletion=completion.complete_component("dataset"),
        ),
    ],
    split: Annotated[str, typer.Option(help="train, val or test.")] = "train",
    number: Annotated[int, typer.Option("--n", help="How many pictures.", min=1, max=1024)] = 64,
    augmented: Annotated[
        bool, typer.Option("--augmented", help="Several draws of each, as the network gets them.")
    ] = False,
    augmentation: Annotated[
        list[str] | None,
        typer.Option(
            help="An augmentation to draw with; may be given several times.",
            metavar="NAME",
            autocompletion=completion.complete_component("augmentation"),
        ),
    ] = None,
    root: Annotated[
        str | None, typer.Option(help="The folder with the dataset's files.", metavar="FOLDER")
    ] = None,
    positive: Positive = None,
    size: Annotated[
        int | None, typer.Option(help="Side of the network's input, in pixels.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the draws.")] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any key of a recipe.", metavar="KEY=VALUE"),
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="The PNG [default: DATASET-SPLIT.png].", metavar="FILE")
    ] = None,
    json: Json = False,
) -> None:
    """Draw a contact sheet of pictures with their classes.

    Masks are laid over in colour.

    \b
    Examples:
      zoo data show digits
      zoo data show digits --augmentation rotation --set augmentations.0.degrees=20
      zoo data show recipes/digits.toml --augmented --n 32
    """
    from .data_show import run

    run(
        subject,
        root=root,
        positive=positive,
        split=split,
        number=number,
        augmented=augmented,
        augmentation=augmentation or [],
        size=size,
        seed=seed,
        sets=sets or [],
        output=output,
        json=json,
    )


@app.command("split", cls=WordCommand)
def split(
    name: Annotated[
        str,
        typer.Argument(
            help="A dataset's name.", autocompletion=completion.complete_component("dataset")
        ),
    ],
    output: Annotated[str, typer.Option(help="The table to write.", metavar="FILE")],
    root: Annotated[
        str | None, typer.Option(help="The folder with the dataset's files.", metavar="FOLDER")
    ] = None,
    positive: Positive = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="dataset.KEY or split.KEY: split.seed=3.", metavar="KEY=VALUE"),
    ] = None,
    json: Json = False,
) -> None:
    """Write which sample is in which split, as a table.

    Its columns are id, split and group; split.file reads it.

    \b
    Examples:
      zoo data split digits --output digits-split.csv
      zoo data split skin_lesions --root data/skin --set split.folds=5 --output fold0.csv
    """
    from .data_split import run

    run(name, root, positive, sets or [], output, json)


@app.command("cache", cls=WordCommand)
def cache(
    verify: Annotated[
        bool, typer.Option("--verify", help="Hash every source file and compare.")
    ] = False,
    clear: Annotated[
        bool,
        typer.Option("--clear", help="Remove every store; with --verify, those that differ."),
    ] = False,
    json: Json = False,
) -> None:
    """List the stores of decoded images; verify or clear them.

    They are in $ZOO_CACHE or the user's cache folder, and made again when they are needed.

    \b
    Examples:
      zoo data cache
      zoo data cache --verify
      zoo data cache --verify --clear
    """
    from .data_cache import run

    run(verify, clear, json)
