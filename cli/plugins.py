"""``zoo plugins``: the installed plugins, those that failed to load included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import completion
from .choices import Json, kind_named
from .lazy import WordCommand, group
from .tables import show_fields, show_json, show_table

if TYPE_CHECKING:
    from zoo.plugins.catalog import Catalog
    from zoo.plugins.loading import Plugin

app = group("Plugins: those installed, what they keep to, and new ones.")


@app.command("list", cls=WordCommand)
def list_(json: Json = False) -> None:
    """List the installed plugins, and why one is left out.

    \b
    Examples:
      zoo plugins list
      ZOO_PLUGINS=basics zoo plugins list --json
    """
    from zoo.plugins.catalog import catalog

    rows = plugin_rows(catalog())
    if json:
        show_json(rows)
        return
    show_table(
        ("plugin", "distribution", "version", "entry", "components", "load ms", "state"),
        [
            (
                row["name"],
                row["distribution"],
                row["version"],
                row["entry"],
                row["components"],
                row["load_ms"],
                row["state"] if row["problem"] is None else f"{row['state']}: {row['problem']}",
            )
            for row in rows
        ],
        empty="no plugins installed; the first-party one is: pip install zoo-basics",
    )


@app.command("show", cls=WordCommand)
def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A plugin's or its distribution's name.",
            autocompletion=completion.complete_plugin,
        ),
    ],
    json: Json = False,
) -> None:
    """Show a plugin: where it comes from and every component it provides.

    \b
    Examples:
      zoo plugins show basics
      zoo plugins show zoo-basics --json
    """
    from zoo.errors import PluginError, nearest
    from zoo.plugins.catalog import catalog

    rows = plugin_rows(catalog())
    chosen = [row for row in rows if name in (row["name"], row["distribution"])]
    if not chosen:
        known = [row[key] for row in rows for key in ("name", "distribution")]
        raise PluginError(
            f"plugin {name!r} is not installed{nearest(name, known)}; see: zoo plugins list"
        )
    shown = [{**row, "provides": _provided(catalog(), row)} for row in chosen]
    if json:
        show_json(shown)
        return
    for row in shown:
        show_fields({key: value for key, value in row.items() if key != "provides"})
        print()
        found = [(kind, name) for kind, names in row["provides"].items() for name in names]
        show_table(("kind", "name"), found, empty="it provides nothing")


@app.command("check", cls=WordCommand)
def check(
    name: Annotated[
        str,
        typer.Argument(
            help="A plugin's or its distribution's name.",
            autocompletion=completion.complete_plugin,
        ),
    ],
    component: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this component; may be given several times.",
            metavar="NAME",
            autocompletion=completion.complete_component(),
        ),
    ] = None,
    root: Annotated[
        list[str] | None,
        typer.Option(
            help="A dataset's folder, for one that needs files; may be given several times.",
            metavar="DATASET=FOLDER",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every member of a family, not three.")
    ] = False,
    json: Json = False,
) -> None:
    """Check that a plugin's components are what zoo expects of them.

    Each is built with its default options and used as training uses it: zoo.check_plugin, which
    the plugin's own tests call, with a line a component. Exit code 1 with all that is wrong.

    \b
    Examples:
      zoo plugins check zoo-basics
      zoo plugins check zoo-timm --component timm/resnet18 --component timm/vit_tiny_patch16_224
      zoo plugins check zoo-mine --root scans=data/scans
    """
    from .plugins_check import run

    run(name, component or [], root or [], everything=everything, json=json)


@app.command("new", cls=WordCommand)
def new(
    name: Annotated[
        str, typer.Argument(help="What the component is called; the package becomes zoo-NAME.")
    ],
    kind: Annotated[
        str,
        typer.Option(
            help="What it provides: dataset, architecture, loss, sampler, augmentation, "
            "optimizer, scheduler or tracker.",
            autocompletion=completion.complete_kind,
        ),
    ],
    to: Annotated[
        str, typer.Option(help="The folder in which the package's own is made.", metavar="FOLDER")
    ] = ".",
    json: Json = False,
) -> None:
    """Make a plugin: a whole package that passes its tests.

    It has one small component from a paper, its tests, a README and a workflow that runs them.
    Nothing is overwritten.

    \b
    Examples:
      zoo plugins new steep --kind loss
      zoo plugins new scans --kind dataset --to ~/plugins
    """
    from .plugins_new import run

    run(name, kind_named(kind), to, json=json)


def plugin_rows(catalog: Catalog) -> list[dict[str, Any]]:
    """One row a plugin. ``state``: ok, not loaded, or incomplete, where a family of its is left
    out; ``problem``: why, else None."""
    from zoo.plugins.listing import family_problems
    from zoo.plugins.specs import PLURALS

    count: dict[Plugin, int] = {}
    for kind in PLURALS:
        for component in catalog.components(kind):
            count[component.plugin] = count.get(component.plugin, 0) + 1
    incomplete = family_problems(catalog)
    rows = []
    for plugin in (one.plugin for one in catalog.loaded):
        problems = incomplete.get(plugin)
        state, problem = ("incomplete", "; ".join(problems)) if problems else ("ok", None)
        rows.append(_row(plugin, count.get(plugin, 0), state, problem))
    rows += [_row(one.plugin, 0, "not loaded", one.what) for one in catalog.problems]
    return sorted(rows, key=lambda row: (row["distribution"], row["name"]))


def _row(plugin: Plugin, components: int, state: str, problem: str | None) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "entry": plugin.value,
        "components": components,
        "load_ms": round(plugin.load_seconds * 1000, 1),
        "state": state,
        "problem": problem,
    }


def _provided(catalog: Catalog, row: dict[str, Any]) -> dict[str, list[str]]:
    from zoo.plugins.specs import PLURALS

    wanted = (row["name"], row["distribution"])
    provided = {
        plural: [
            one.name
            for one in catalog.components(kind)
            if (one.plugin.name, one.plugin.distribution) == wanted
        ]
        for kind, plural in PLURALS.items()
    }
    return {plural: names for plural, names in provided.items() if names}
