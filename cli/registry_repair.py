"""``zoo registry repair``: head, index and catalog made anew."""

from __future__ import annotations

import typer

from .choices import Json
from .registry_alias import RegistryName
from .tables import show_json


def repair(registry: RegistryName = None, json: Json = False) -> None:
    """Make head, index and catalog anew, by which readers behind a web server go.

    What people published is never touched. Ends with exit code 1 when something is left that cannot
    be mended so; each line says what to do.

    \b
    Examples:
      zoo registry repair
      zoo registry repair --registry team
    """
    from zoo.registry.config import open_registry
    from zoo.registry.upkeep.repair import repair as mend

    opened = open_registry(registry)
    done = mend(opened.tree, str(opened))
    if json:
        show_json(done.as_json())
    else:
        for one in done.left:
            typer.echo(one)
        for path in done.removed:
            typer.echo(f"removed: {path}")
        typer.echo(f"{opened}: {done.summary()}")
    if done.left:
        raise typer.Exit(1)
