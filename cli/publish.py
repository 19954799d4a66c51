"""``zoo publish``: make a run's weights a version that others can load."""

from __future__ import annotations

from typing import Annotated

import typer

from .choices import Json
from .completion import complete_models, complete_registries, complete_runs
from .tables import show_json


def publish(
    run: Annotated[
        str,
        typer.Argument(help="A run's folder, or its name in runs/.", autocompletion=complete_runs),
    ],
    name: Annotated[
        str,
        typer.Option(
            help="The model's name: lower-case letters and digits, joined by '-', '_' or '.'.",
            metavar="NAME",
            autocompletion=complete_models,
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            "--registry",
            help="The registry [default: as registry.toml says].",
            metavar="REGISTRY",
            autocompletion=complete_registries,
        ),
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Its terms, such as apache-2.0 [default: the recipe's].")
    ] = None,
    intended_use: Annotated[
        str | None, typer.Option(help="What it is for [default: the recipe's].")
    ] = None,
    json: Json = False,
) -> None:
    """Publish a run as the next version of a model, with its card.

    \b
    Examples:
      zoo publish runs/digits-simple_cnn-1 --name digits-simple-cnn
      zoo publish runs/xray --name xray --licence mit --intended-use "teaching"
    """
    from zoo.runs.folder import CARD, find_run
    from zoo.runs.publish import publish as carry_out
    from zoo.runs.subjects import sha256

    opened = find_run(run)
    record = carry_out(opened, name, registry=to, licence=licence, intended_use=intended_use)
    version = f"{record.model}@{record.version}"
    model, reference = (f"{to}:{one}" if to else one for one in (record.model, version))
    path = opened.path / CARD
    # One that stands there from before, where this one could not be written, is not meant.
    fresh = path.is_file() and sha256(path) == record.file(CARD)["sha256"]
    card = str(path) if fresh else None
    if json:
        show_json({"model": record.model, "version": record.version, "card": card})
        return
    typer.echo(f"published: {reference}")
    if card is not None:
        typer.echo(f"card: {card}")
    typer.echo("try next:")
    typer.echo(f"  zoo models show {model}")
    split = "test" if "test" in record.data["splits"] else "val"
    typer.echo(f"  zoo eval {reference} --split {split}")
    typer.echo(f"  python -c \"import zoo; print(zoo.load('{reference}'))\"")
