"""``zoo components``: what plugins provide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import completion
from .choices import Json, kind_named, task_named
from .lazy import WordCommand, group
from .tables import show_fields, show_json, show_table

if TYPE_CHECKING:
    from zoo.plugins.catalog import Catalog, Component
    from zoo.plugins.options import Option

_BOUND = "its rates span all epochs of the recipe, so zoo resume --epochs refuses it"

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
    task: Annotated[
        str | None,
        typer.Option(
            help="Only those for binary, multiclass, multilabel or segmentation.",
            autocompletion=completion.complete_task,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the components of a kind, or count those of every kind.

    \b
    Examples:
      zoo components list
      zoo components list architectures --task segmentation
      zoo components list losses --json
    """
    from zoo.plugins.catalog import catalog
    from zoo.plugins.specs import PLURALS

    chosen_task = task_named(task)
    if kind is None:
        counts = {PLURALS[one]: len(_listed(catalog(), one, chosen_task)) for one in PLURALS}
        if json:
            show_json(counts)
        else:
            show_table(("kind", "components"), list(counts.items()), empty="no kinds")
        return
    chosen = kind_named(kind)
    found = _listed(catalog(), chosen, chosen_task)
    if json:
        show_json([_row(component) for component in found])
        return
    every_task = all(len(component.spec.tasks) == 4 for component in found)
    columns = ("name", "plugin", *(() if every_task else ("tasks",)), "summary")
    rows = [
        (
            one.name,
            one.plugin.distribution,
            *(() if every_task else (sorted(one.spec.tasks),)),
            one.summary,
        )
        for one in found
    ]
    show_table(columns, rows, empty=f"no {PLURALS[chosen]} found; see: zoo plugins list")


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
    json: Json = False,
) -> None:
    """Show a component: its options, its source, its plugin.

    \b
    Examples:
      zoo components show simple_cnn
      zoo components show none --kind scheduler --json
    """
    from zoo.plugins.catalog import catalog

    component = _find(catalog(), name, None if kind is None else kind_named(kind))
    options = component.options
    if json:
        show_json(
            {
                **_row(component),
                "source": component.spec.source,
                **_traits(component),
                "options": [_option(option) for option in options],
            }
        )
        return
    show_fields(
        {
            component.kind: component.name,
            "summary": component.summary,
            "source": component.spec.source,
            "tasks": sorted(component.spec.tasks),
            "plugin": f"{component.plugin.name} of {component.plugin}",
            "files": getattr(component.spec, "files", ""),
            "budget": _BOUND if _traits(component).get("bound_to_budget") else "",
            "missing": component.missing() or "",
        }
    )
    if not options:
        print("it has no options")
        return
    print()
    rows = [
        (one.name, one.type_text, "required" if one.required else repr(one.default))
        for one in options
    ]
    show_table(("option", "type", "default"), rows, empty="")


def _listed(catalog: Catalog, kind: str, task: str | None) -> list[Component]:
    found = catalog.components(kind)
    return [one for one in found if task is None or task in one.spec.tasks]


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


def _row(component: Component) -> dict[str, Any]:
    return {
        "kind": component.kind,
        "name": component.name,
        "summary": component.summary,
        "tasks": sorted(component.spec.tasks),
        "plugin": component.plugin.name,
        "distribution": component.plugin.distribution,
        "version": component.plugin.version,
    }


def _traits(component: Component) -> dict[str, Any]:
    """What only some kinds say of themselves."""
    named = ("bound_to_budget", "requires")
    return {name: getattr(component.spec, name) for name in named if hasattr(component.spec, name)}


def _option(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "type": option.type_text,
        "required": option.required,
        "default": None if option.required else option.default,
    }
