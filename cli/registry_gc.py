"""``zoo registry gc``: take out what no version names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .choices import Json
from .registry_alias import RegistryName
from .tables import show_json

if TYPE_CHECKING:
    from zoo.registry.store import Registry
    from zoo.registry.upkeep.collection import Collected


def gc(
    registry: RegistryName = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without this it is only told.")
    ] = False,
    grace: Annotated[
        str, typer.Option(help="How long what nobody names is left alone.", metavar="TIME")
    ] = "7d",
    json: Json = False,
) -> None:
    """Collect files that no version names: those of publications that failed.

    They are moved to the registry's folder 'trash' once they are older than the grace, and deleted
    from there by a later call, after the same time again. Files of yanked versions and of members
    of ensembles are kept. What a killed writer left unfinished goes after a day at least.

    \b
    Examples:
      zoo registry gc
      zoo registry gc --apply
      zoo registry gc --registry team --grace 30d --apply
    """
    from zoo.errors import RegistryError
    from zoo.registry.config import open_registry
    from zoo.registry.upkeep.collection import collect, seconds

    opened = open_registry(registry)
    done = collect(opened.tree, str(opened), grace=seconds(grace), apply=apply)
    if json:
        show_json(done.as_json())
    else:
        _show(done, opened, registry, grace, apply=apply)
    if done.problem is not None:
        raise RegistryError(done.problem)


def _show(
    done: Collected, opened: Registry, registry: str | None, grace: str, *, apply: bool
) -> None:
    for line in done.lines():
        typer.echo(line)
    typer.echo(f"{opened}: {done.summary(grace)}")
    if not apply and done.lines():
        again = "".join(f" {one}" for one in ("--registry", registry) if registry)
        late = "" if grace == "7d" else f" --grace {grace}"
        typer.echo(f"nothing was changed; to do it, type: zoo registry gc{again}{late} --apply")
