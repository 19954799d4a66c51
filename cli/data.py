"""``zoo data``: the files behind datasets."""

from __future__ import annotations

from typing import Annotated

import typer

from . import completion
from .choices import Json
from .lazy import WordCommand, group

app = group("The files behind datasets: get, check, show, split, cache.")


@app.callback()
def _data() -> None:
    # A group of a single command would be that command.
    pass


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
        typer.Option("--set", help="An option of the dataset: size=64.", metavar="KEY=VALUE"),
    ] = None,
    json: Json = False,
) -> None:
    """Download a dataset's files, compare their md5 with the published one, and unpack them.

    What is there already and right is not downloaded again.

    \b
    Examples:
      zoo data get medmnist/pathmnist --root data/pathmnist --set size=64
      zoo data get torchvision/CIFAR10 --root data/cifar10
    """
    from .data_get import run

    run(name, root, sets or [], json)


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
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="dataset.KEY or split.KEY: split.seed=3.", metavar="KEY=VALUE"),
    ] = None,
    json: Json = False,
) -> None:
    """Write which sample is in which split, as a table (id, split, group) for split.file.

    \b
    Examples:
      zoo data split digits --output digits-split.csv
      zoo data split skin_lesions --root data/skin --set split.folds=5 --output fold0.csv
    """
    from .data_split import run

    run(name, root, sets or [], output, json)


@app.command("cache", cls=WordCommand)
def cache(
    verify: Annotated[
        bool, typer.Option("--verify", help="Hash every source file and compare.")
    ] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Remove every store.")] = False,
    json: Json = False,
) -> None:
    """List the stores of decoded images, in $ZOO_CACHE or the user's cache folder.

    \b
    Examples:
      zoo data cache
      zoo data cache --verify
    """
    from .data_cache import run

    run(verify, clear, json)
