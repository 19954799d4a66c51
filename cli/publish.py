"""``zoo publish``: make a run's weights a version that others can load, or copy one there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from .choices import Json
from .completion import complete_models, complete_registries, complete_runs_and_models
from .tables import show_json

if TYPE_CHECKING:
    from zoo.registry.fresh import FreshProcess
    from zoo.registry.record import Record


def publish(
    subject: Annotated[
        str,
        typer.Argument(
            help="A run (its folder, or its name in runs/), or a version of another registry to "
            "copy: shared:name@3.",
            metavar="RUN|MODEL",
            autocompletion=complete_runs_and_models,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            help="The model's name: lower-case letters and digits, joined by '-', '_' or '.'. A "
            "copy keeps its name.",
            metavar="NAME",
            autocompletion=complete_models,
        ),
    ] = None,
    alias: Annotated[
        str | None,
        typer.Option(help="Let this alias, such as best, point to it.", metavar="ALIAS"),
    ] = None,
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
    """Publish a run as the next version of a model, with its card; or copy a version, as it is, to
    another registry.

    \b
    Examples:
      zoo publish runs/digits-simple_cnn-1 --name digits-simple-cnn --alias best
      zoo publish runs/xray --name xray --licence mit --intended-use "teaching"
      zoo publish digits-simple-cnn@3 --to shared
    """
    from zoo.registry.fresh import FreshProcess
    from zoo.registry.state import check_alias

    if alias is not None:
        check_alias(alias)
    # A run is published under a name; a version that is copied keeps its own. The process in which
    # a run's network is built again starts while torch is imported here.
    with contextlib.nullcontext() if name is None else FreshProcess() as fresh:
        from zoo.runs.sources import is_path

        if is_path(subject) or (name is not None and not {"@", ":"} & {*subject}):
            record, card = _publish(subject, name, to, licence, intended_use, fresh)
            new = True
        else:
            card = None
            record, new = _copy(subject, name, to, licence or intended_use)
    if alias is not None:
        _point(alias, record, to)
    if json:
        about = {"model": record.model, "version": record.version, "card": card}
        show_json({**about, "alias": alias})
        return
    version = f"{record.model}@{record.version}"
    model, reference = (f"{to}:{one}" if to else one for one in (record.model, version))
    done = "published" if new else "there already"
    typer.echo(f"{done}: {reference}" + (f", alias {alias}" if alias else ""))
    if card is not None:
        typer.echo(f"card: {card}")
    typer.echo("try next:")
    typer.echo(f"  zoo models show {model}")
    split = "test" if "test" in record.data["splits"] else "val"
    typer.echo(f"  zoo eval {reference} --split {split}")
    typer.echo(f"  python -c \"import zoo; print(zoo.load('{reference}'))\"")


def _publish(
    run: str,
    name: str | None,
    to: str | None,
    licence: str | None,
    intended_use: str | None,
    fresh: FreshProcess | None,
) -> tuple[Record, str | None]:
    from zoo.runs.folder import CARD, find_run
    from zoo.runs.publish import publish as carry_out
    from zoo.runs.sources import sha256

    opened = find_run(run)
    if name is None:
        raise typer.BadParameter("a run is published under a name", param_hint="--name")
    record = carry_out(
        opened, name, registry=to, licence=licence, intended_use=intended_use, fresh=fresh
    )
    path = opened.path / CARD
    # One that stands there from before, where this one could not be written, is not meant.
    left = path.is_file() and sha256(path) == record.file(CARD)["sha256"]
    return record, str(path) if left else None


def _copy(
    reference: str, name: str | None, to: str | None, text: str | None
) -> tuple[Record, bool]:
    from zoo.registry.config import HUB
    from zoo.registry.copying import copy_named
    from zoo.registry.names import Reference

    known = None if reference.startswith(HUB) else Reference.parse(reference).name
    if name not in (None, known):
        raise typer.BadParameter("a copy keeps its name", param_hint="--name")
    if text is not None:
        raise typer.BadParameter(
            "a copy keeps what its record says", param_hint="--licence, --intended-use"
        )
    return copy_named(reference, to)


def _point(alias: str, record: Record, to: str | None) -> None:
    """Let ``alias`` lead to a version that is published, whatever comes of this."""
    from zoo.errors import RegistryError, ZooError
    from zoo.registry.config import open_registry

    try:
        open_registry(to).set_alias(record.model, alias, record.version)
    except ZooError as error:
        version = f"{record.model}@{record.version}"
        reference = f"{to}:{version}" if to else version
        raise RegistryError(
            f"{reference} is published, but alias {alias!r} does not lead to it: {error}; then "
            f"type: zoo registry alias {reference} {alias}"
        ) from error
