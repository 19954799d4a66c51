"""``zoo registry site``: a registry as static pages."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from .bars import counting
from .registry_alias import RegistryName


def site(
    folder: Annotated[
        str,
        typer.Argument(
            help="Where the pages go: a new or empty folder, or an earlier site.", metavar="DIR"
        ),
    ],
    registry: RegistryName = None,
    title: Annotated[
        str, typer.Option(help="What stands above the list.", metavar="TEXT")
    ] = "Model registry",
) -> None:
    """Write pages to browse a registry: a list to search, filter and sort, and a page a model.

    They are plain files that any static server shows, and that open from the disk too. An earlier
    site is replaced as a whole; nothing else is ever overwritten.

    \b
    Examples:
      zoo registry site public
      zoo registry site public --registry team --title "Models of the team"
    """
    from zoo.errors import ZooWarning, printable
    from zoo.registry.config import open_registry
    from zoo.registry.site.building import build_site

    opened = open_registry(registry)
    with counting() as progress:
        built = build_site(opened, Path(folder), title, progress)
    for problem in built.problems:
        warnings.warn(problem, ZooWarning, stacklevel=1)
    models = f"{built.models:,} model{'' if built.models == 1 else 's'}"
    typer.echo(printable(f"site: {built.index} ({models} of {opened})"))
