"""``zoo components``: what plugins provide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import completion
from .choices import Json, count_named, kind_named, positive_number, size_named, task_named
from .lazy import WordCommand, group
from .tables import show_json, show_table

if TYPE_CHECKING:
    from zoo.plugins.catalog import Catalog, Component

app = group("What plugins provide: datasets, architectures, losses and the other kinds.")


@app.command("list", cls=WordCommand)
def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="datasets, architectures, losses, samplers, augmentations, optimizers, "
            "schedulers or trackers; all are counted without it.",
            autocompletion=completion.complete_kind,
        ),
    ] = None,
    pattern: Annotated[
        str,
        typer.Argument(
            help="Part of the name, or a shell pattern of all of it, such as 'timm/*resnet*'.",
            autocompletion=completion.complete_of_kind,
        ),
    ] = "",
    task: Annotated[
        str | None,
        typer.Option(
            help="Only those for binary, multiclass, multilabel or segmentation.",
            autocompletion=completion.complete_task,
        ),
    ] = None,
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="Only architectures with published weights.")
    ] = False,
    max_params: Annotated[
        str | None,
        typer.Option(
            help="Only architectures of at most so many parameters: 300K, 5M, 1.2G.",
            metavar="NUMBER",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the components of a kind, or count those of every kind.

    Parameters are counted with the library's own classes and three channels.

    \b
    Examples:
      zoo components list
      zoo components list architectures --task segmentation
      zoo components list architectures 'timm/*resnet*' --pretrained --max-params 5M
      zoo components list losses --json
    """
    from zoo.plugins.catalog import catalog
    from zoo.plugins.listing import Wanted, listed
    from zoo.plugins.specs import PLURALS

    from .components_tables import listed_row, show_list

    most = None if max_params is None else count_named("--max-params", max_params)
    wanted = Wanted(pattern, task_named(task), pretrained, most)
    chosen = None if kind is None else kind_named(kind)
    for option, given in (("--pretrained", pretrained), ("--max-params", most is not None)):
        if given and chosen != "architecture":
            raise typer.BadParameter("it narrows architectures only", param_hint=option)
    if chosen is None:
        counts = {PLURALS[one]: len(listed(catalog(), one, wanted)[0]) for one in PLURALS}
        if json:
            show_json(counts)
        else:
            show_table(("kind", "components"), list(counts.items()), empty="no kinds")
        return
    found, unknown = listed(catalog(), chosen, wanted)
    if json:
        show_json([listed_row(one) for one in found])
    else:
        show_list(found, chosen, narrowed=wanted != Wanted())
    if unknown:
        typer.echo(
            f"left out, for nobody says how large they are: {unknown:,}; "
            f"one's size: zoo components show NAME",
            err=True,
        )


@app.command("show", cls=WordCommand)
def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A component's name, such as cross_entropy.",
            autocompletion=completion.complete_component(),
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            help="Its kind, where two kinds share the name.",
            autocompletion=completion.complete_kind,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            help="Images of so many pixels, 224 or 160x224 (height x width); without it of the "
            "size that the architecture was made for.",
            metavar="SIZE",
        ),
    ] = None,
    channels: Annotated[
        str | None, typer.Option(help="Images of so many channels, 3 without it.", metavar="NUMBER")
    ] = None,
    outputs: Annotated[
        str | None,
        typer.Option(help="So many outputs, 10 without it, 2 for masks.", metavar="NUMBER"),
    ] = None,
    sides: Annotated[
        bool, typer.Option("--sides", help="Try which sizes an architecture takes.")
    ] = False,
    layers: Annotated[
        bool, typer.Option("--layers", help="Show an architecture's layers.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a component: its options, its plugin, and what it costs.

    An architecture is built with its default options; weights are neither drawn nor downloaded.

    \b
    Examples:
      zoo components show simple_cnn
      zoo components show timm/resnet18 --size 96 --channels 1 --outputs 9
      zoo components show none --kind scheduler --json
    """
    from zoo.errors import ProblemsError
    from zoo.plugins.catalog import catalog

    from .components_tables import Form, look_at, seen_data, show_seen

    component = _find(catalog(), name, None if kind is None else kind_named(kind))
    asked = {"--size": size, "--channels": channels, "--outputs": outputs}
    for option, given in {**asked, "--sides": sides, "--layers": layers}.items():
        if given and component.kind != "architecture":
            raise typer.BadParameter("it asks about architectures only", param_hint=option)
    form = Form(
        None if size is None else size_named("--size", size),
        3 if channels is None else positive_number("--channels", channels),
        None if outputs is None else positive_number("--outputs", outputs),
        sides,
    )
    seen = look_at(component, form)
    if json:
        show_json(seen_data(seen))
    else:
        show_seen(seen, layers=layers)
    if seen.problems:
        raise ProblemsError(seen.problems)


def _find(catalog: Catalog, name: str, kind: str | None) -> Component:
    """The component of that name in the one kind that has it."""
    from zoo.errors import ComponentError, nearest
    from zoo.plugins.specs import PLURALS

    if kind is not None:
        return catalog.get(kind, name)
    names = {one: catalog.names(one) for one in PLURALS}
    kinds = [one for one in PLURALS if name in names[one]]
    if not kinds:
        every = [known for known_of_kind in names.values() for known in known_of_kind]
        raise ComponentError(
            f"component {name!r} is not installed{nearest(name, every)}; see: zoo components list"
        )
    if len(kinds) > 1:
        raise ComponentError(
            f"{name!r} is the name of several kinds, {' and '.join(kinds)}; "
            f"choose with --kind {kinds[0]}"
        )
    return catalog.get(kinds[0], name)
