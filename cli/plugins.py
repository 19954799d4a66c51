"""``zoo plugins``: the installed plugins, those that failed to load included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import completion
from .choices import Json
from .lazy import WordCommand, group
from .tables import show_fields, show_json, show_table

if TYPE_CHECKING:
    from zoo.plugins.catalog import Catalog
    from zoo.plugins.loading import Plugin

app = group("Installed plugins: what they provide, and why one was left out.")


@app.command("list", cls=WordCommand)
def list_(json: Json = False) -> None:
    """List the installed plugins.

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
                "not loaded" if row["problem"] else "ok",
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


def plugin_rows(catalog: Catalog) -> list[dict[str, Any]]:
    """One row a plugin, loaded or not; ``problem`` is None for a loaded one."""
    from zoo.plugins.specs import PLURALS

    count: dict[Plugin, int] = {}
    for kind in PLURALS:
        for component in catalog.components(kind):
            count[component.plugin] = count.get(component.plugin, 0) + 1
    rows = [_row(one.plugin, count.get(one.plugin, 0), None) for one in catalog.loaded]
    rows += [_row(one.plugin, 0, one.what) for one in catalog.problems]
    return sorted(rows, key=lambda row: (row["distribution"], row["name"]))


def _row(plugin: Plugin, components: int, problem: str | None) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "entry": plugin.value,
        "components": components,
        "load_ms": round(plugin.load_seconds * 1000, 1),
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
