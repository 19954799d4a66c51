"""``zoo pull``: bring a version to this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .choices import Json
from .completion import complete_models, complete_registries
from .tables import show_json

if TYPE_CHECKING:
    from zoo.registry.pulling import Pulled


def pull(
    model: Annotated[
        str,
        typer.Argument(
            help="A version: digits-simple-cnn@3, team:digits@best, hf://owner/name; a name alone "
            "means the latest.",
            autocompletion=complete_models,
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            help="Put it into this new folder [default: into zoo's cache only].", metavar="FOLDER"
        ),
    ] = None,
    registry: Annotated[
        str | None,
        typer.Option(
            help="The registry [default: as registry.toml says].",
            metavar="NAME",
            autocompletion=complete_registries,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Pull a version: its weights, card and figures, an ensemble's members with it. Every file is
    compared with the sha256 in the record; a folder appears whole or not at all.

    Loading and evaluating pull what they need by themselves.

    \b
    Examples:
      zoo pull digits-simple-cnn
      zoo pull team:digits@best --to models/digits
      zoo pull digits-simple-cnn@3 --json
    """
    from zoo.registry.pulling import pull as carry_out

    from .bars import transferring

    with transferring() as report:
        pulled = carry_out(model, to, registry=registry, report=report)
    if json:
        show_json(_as_json(pulled))
    else:
        _tell(pulled, model, registry)


def _tell(pulled: Pulled, asked: str, registry: str | None) -> None:
    from zoo.registry.places import cache

    record = pulled.record
    size = sum(file["size"] for one in (pulled, *pulled.members) for file in one.record.files)
    count = sum(len(one.files) for one in (pulled, *pulled.members))
    members = f", {len(pulled.members)} members with it" if pulled.members else ""
    typer.echo(
        f"pulled: {record.model}@{record.version}{members} ({count} files, {size:,} bytes, all as "
        f"the record says)"
    )
    place = next(iter(pulled.files.values()))
    if pulled.folder is not None:
        typer.echo(f"folder: {pulled.folder}")
    elif place.is_relative_to(cache.folder()):
        typer.echo(f"cache: {cache.folder()}")
    else:
        typer.echo("it lies in a folder of this machine already; --to FOLDER copies it")
    reference = f"{registry}:{asked}" if registry and ":" not in asked else asked
    typer.echo("try next:")
    typer.echo(f"  python -c \"import zoo; print(zoo.load('{reference}'))\"")


def _as_json(pulled: Pulled) -> dict[str, Any]:
    return {
        "model": pulled.record.model,
        "version": pulled.record.version,
        "digest": pulled.digest,
        "folder": None if pulled.folder is None else str(pulled.folder),
        "files": {path: str(place) for path, place in pulled.files.items()},
        "members": [_as_json(one) for one in pulled.members],
    }
