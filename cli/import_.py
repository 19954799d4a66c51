"""``zoo import``: publish weights that others trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .choices import Json, task_named
from .completion import complete_component, complete_models, complete_registries
from .tables import show_json, show_table

if TYPE_CHECKING:
    from zoo.runs.importing import Fit, Import


def import_(
    file: Annotated[Path, typer.Argument(help="A .safetensors file, or a .pt or .pth of torch.")],
    architecture: Annotated[
        str,
        typer.Option(
            help="The network they belong to.",
            metavar="NAME",
            autocompletion=complete_component("architecture"),
        ),
    ],
    name: Annotated[
        str,
        typer.Option(
            help="The model's name: lower-case letters and digits, joined by '-', '_' or '.'.",
            metavar="NAME",
            autocompletion=complete_models,
        ),
    ],
    classes: Annotated[
        str,
        typer.Option(
            help="Their names in the order of the outputs: a,b,c, or a .txt file with one a line.",
            metavar="NAMES",
        ),
    ],
    size: Annotated[str, typer.Option(help="Of the input: a side, or 224x192.", metavar="PIXELS")],
    mean: Annotated[
        str,
        typer.Option(help="Of values in [0, 1]: 0.5, one a channel, or imagenet.", metavar="N"),
    ],
    std: Annotated[str, typer.Option(help="Likewise.", metavar="N")],
    licence: Annotated[str, typer.Option(help="Their terms, such as apache-2.0.")],
    intended_use: Annotated[str, typer.Option(help="What the model is for.")],
    option: Annotated[
        list[str] | None,
        typer.Option(
            help="An option of the architecture, as width=32; may be given several times.",
            metavar="KEY=VALUE",
        ),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="Rename tensors that begin with OLD; may be given several times.",
            metavar="OLD=NEW",
        ),
    ] = None,
    task: Annotated[
        str,
        typer.Option(
            help="binary, multiclass, multilabel or segmentation.",
            metavar="TASK",
        ),
    ] = "multiclass",
    positive: Annotated[
        str | None, typer.Option(help="The positive class of a binary task.", metavar="CLASS")
    ] = None,
    channels: Annotated[int, typer.Option(help="1 for gray images, 3 for colour.")] = 3,
    store_size: Annotated[
        str | None,
        typer.Option(
            help="What images are fitted to first [default: their own size].", metavar="PIXELS"
        ),
    ] = None,
    fit: Annotated[
        str, typer.Option(help="How, for another aspect ratio: stretch, crop or pad.")
    ] = "stretch",
    center_crop: Annotated[
        bool, typer.Option("--center-crop", help="Cut the input out of the centre then.")
    ] = False,
    trained_on: Annotated[
        str | None, typer.Option(help="The data, for the card.", metavar="DATASET")
    ] = None,
    not_intended_use: Annotated[str, typer.Option(help="What it is not for.")] = "",
    description: Annotated[str, typer.Option(help="A sentence or more for the card.")] = "",
    author: Annotated[
        list[str] | None, typer.Option(help="Who trained them; may be given several times.")
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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what fits, and publish nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Publish weights that were trained elsewhere. Every tensor has to fit the architecture.

    Nothing in a .pt or .pth file is run; one that holds more than weights is refused.

    \b
    Examples:
      zoo import net.safetensors --architecture simple_cnn --name digits --classes 0,1,2 \\
        --size 28 --channels 1 --mean 0.13 --std 0.31 --licence mit --intended-use "a try"
      zoo import old.pth --architecture unet --option width=32 --map encoder=down --dry-run …
    """
    from zoo.registry.cards.card import UNKNOWN
    from zoo.registry.cards.card_text import CardText
    from zoo.registry.fresh import FreshProcess

    task_kind = task_named(task) or task
    text = CardText(licence, intended_use, not_intended_use, description, tuple(author or ()))
    with FreshProcess() as fresh:  # it starts while torch is imported here
        from zoo.runs import import_options as options
        from zoo.runs import importing

        given = importing.Import.open(
            file,
            architecture=architecture,
            options=options.options_of(option or ()),
            task=options.task_of(task_kind, classes, positive),
            preprocessing=options.preprocessing_of(
                size,
                channels,
                mean,
                std,
                store_size=store_size,
                fit=fit,
                center_crop=center_crop,
            ),
            renames=options.renames_of(map_ or ()),
        )
        found = importing.fit(given)
        if not json:
            _show(given, found)
        if dry_run and json:
            show_json(_as_json(found))
        importing.require_whole(given, found)
        if dry_run:
            return
        record = importing.publish_imported(
            given,
            name,
            text,
            trained_on=trained_on or UNKNOWN,
            found=found,
            registry=to,
            fresh=fresh,
        )
    if json:
        show_json({"model": record.model, "version": record.version, **_as_json(found)})
        return
    version = f"{record.model}@{record.version}"
    reference = f"{to}:{version}" if to else version
    typer.echo(f"published: {reference}")
    typer.echo("try next:")
    typer.echo(f"  zoo eval {reference} --dataset NAME --split test")
    typer.echo(f"  python -c \"import zoo; print(zoo.load('{reference}'))\"")


def _show(given: Import, found: Fit) -> None:
    for note in found.notes:
        typer.echo(f"{given.path}: {note}")
    rows = [
        (part.name, part.tensors, part.values, f"{part.what}{': ' if part.why else ''}{part.why}")
        for part in found.parts
    ]
    show_table(("part", "tensors", "values", "what"), rows, empty="no tensors")


def _as_json(found: Fit) -> dict[str, Any]:
    return {
        "counts": dict(found.counts),
        "notes": list(found.notes),
        "parts": [vars(part) for part in found.parts],
    }
