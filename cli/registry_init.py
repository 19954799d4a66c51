"""``zoo registry init``: a place to publish to."""

from __future__ import annotations

from typing import Annotated

import typer

from .choices import Json
from .completion import complete_registries
from .tables import show_json


def init(
    place: Annotated[
        str | None,
        typer.Argument(
            help="A folder, an s3:// address, or a name that registry.toml has "
            "[default: its default, or the folder 'registry'].",
            metavar="[FOLDER|ADDRESS|NAME]",
            autocompletion=complete_registries,
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="What a new one is called [default: as its folder].", metavar="NAME"),
    ] = None,
    json: Json = False,
) -> None:
    """Make a place a registry, and name it in registry.toml unless one names it.

    The nearest registry.toml above the working folder is extended, else the user's; without one,
    one is written here. Nothing that is there is overwritten.

    \b
    Examples:
      zoo registry init
      zoo registry init /shared/models --name team
      zoo registry init s3://bucket/models --name cloud
    """
    from zoo.registry.founding import found

    founded = found(place, name)
    written = None if founded.written is None else str(founded.written)
    if json:
        show_json({**vars(founded), "written": written})
        return
    done = "made" if founded.made else "was a registry already"
    typer.echo(f"{done}: {founded.name} ({founded.url})")
    if written is not None:
        typer.echo(f"named in: {written}")
    typer.echo("try next:")
    chosen = "" if founded.default else f" --to {founded.name}"
    typer.echo(f"  zoo publish RUN --name NAME{chosen}")
