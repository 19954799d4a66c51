"""``zoo registry verify``: whether every file that versions name is there, and is what they say."""

from __future__ import annotations

from typing import Annotated

import typer

from .bars import counting
from .choices import Json
from .registry_alias import RegistryName
from .tables import show_json


def verify(
    registry: RegistryName = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Compare sizes only; hash no contents.")
    ] = False,
    json: Json = False,
) -> None:
    """Look whether a registry is whole: records, files, aliases, index.

    Ends with exit code 1 when there is an error: something is missing, damaged or contradicts.
    Notices tell what is left to do while all versions are whole.

    \b
    Examples:
      zoo registry verify
      zoo registry verify --fast
      zoo registry verify --registry team --json
    """
    from zoo.registry.config import open_registry
    from zoo.registry.upkeep.verify import verify as look

    opened = open_registry(registry)
    with counting() as progress:
        report = look(opened.tree, str(opened), fast=fast, progress=progress)
    if json:
        show_json(report.as_json())
    else:
        for one in (*report.errors, *report.notices):
            typer.echo(one)
        typer.echo(f"{opened}: {report.summary(fast=fast)}")
    if report.errors:
        raise typer.Exit(1)
