"""``zoo registry yank``: advise against a version."""

from __future__ import annotations

from typing import Annotated

import typer

from .choices import Json
from .registry_alias import Model, RegistryName, describe
from .tables import show_json


def yank(
    model: Model,
    reason: Annotated[str, typer.Option(help="Why; who uses it is told.", metavar="TEXT")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
    registry: RegistryName = None,
    json: Json = False,
) -> None:
    """Yank a version: the latest is another one then, and whoever pins it is warned.

    Nothing is deleted. The version is named by its number, digest or an alias.

    \b
    Examples:
      zoo registry yank digits-simple-cnn@3 --reason "trained on test images"
      zoo registry yank digits-simple-cnn@3 --undo
    """
    from zoo.registry.config import open_for
    from zoo.registry.names import Reference

    reference = Reference.parse(model)
    opened = open_for(reference, registry)
    if not (reference.version or reference.alias or reference.digest):
        raise typer.BadParameter(
            f"{model!r}; say which version, such as {reference}@{opened.newest(reference.name)}",
            param_hint="model",
        )
    version = reference.version or opened.record(reference).version
    if undo:
        state = opened.unyank(reference.name, version)
    else:
        state = opened.yank(reference.name, version, reason)
    if json:
        show_json({"model": reference.name, "version": version, "yanked": state.yanked})
    else:
        typer.echo(f"{reference.name}: {describe(state)}")
