"""``zoo registry cache``: what was pulled, and what is known of registries elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from .choices import Json
from .completion import complete_registries
from .tables import show_fields, show_json


def cache(
    clear: Annotated[
        bool,
        typer.Option("--clear", help="Remove what was pulled; it is pulled again when needed."),
    ] = False,
    forget: Annotated[
        str | None,
        typer.Option(
            help="Forget what is known of this registry: which versions it had, and their records.",
            metavar="NAME",
            autocompletion=complete_registries,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show, clear or correct the cache of what was pulled.

    What is known of a registry tells that it was set back or rewritten. Forget it only where you
    know why that is so.

    \b
    Examples:
      zoo registry cache
      zoo registry cache --clear
      zoo registry cache --forget team
    """
    from zoo.registry.config import open_registry
    from zoo.registry.places import cache as pulled
    from zoo.registry.places.known import Known

    blobs, size = pulled.usage()
    about = {"folder": str(pulled.folder()), "files": blobs, "bytes": size}
    if forget is not None:
        opened = open_registry(forget)
        Known(opened.tree.url, opened.name).forget()
        done = f"forgot what was known of {opened}"
    elif clear:
        pulled.clear()
        done = f"removed {size:,} bytes from {pulled.folder()}"
    else:
        show_json(about) if json else show_fields(about)
        return
    if json:
        show_json({**about, "cleared": clear and forget is None, "forgotten": forget})
    else:
        typer.echo(done)
