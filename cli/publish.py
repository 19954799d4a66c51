"""``zoo publish``: make a run's weights a version that others can load."""

from __future__ import annotations

from typing import Annotated

import typer

from .choices import Json
from .completion import complete_models, complete_runs
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
        typer.Option(help="The registry [default: as registry.toml says].", metavar="REGISTRY"),
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

    opened = find_run(run)
    record = carry_out(opened, name, registry=to, licence=licence, intended_use=intended_use)
    reference = f"{record.model}@{record.version}"
    card = str(opened.path / CARD)
    if json:
        show_json({"model": record.model, "version": record.version, "card": card})
        return
    typer.echo(f"published: {reference}")
    typer.echo(f"card: {card}")
    typer.echo("try next:")
    typer.echo(f"  zoo models show {record.model}")
    typer.echo(f"  zoo eval {reference} --split test")
    typer.echo(f"  python -c \"import zoo; print(zoo.load('{reference}'))\"")
