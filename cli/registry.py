"""``zoo registry``: the table of its commands, each in a file of its own."""

from __future__ import annotations

import typer

from .lazy import Target, lazy_group

COMMANDS = {
    "init": Target("registry_init", "init", "Make a registry and name it in registry.toml."),
    "list": Target("registry_list", "list_", "The registries that registry.toml names."),
    "alias": Target("registry_alias", "alias", "Show, set, move or remove names of versions."),
    "yank": Target("registry_yank", "yank", "Advise against a version; nothing is deleted."),
    "serve": Target("registry_serve", "serve", "Serve a registry over http, for reading only."),
    "cache": Target("registry_cache", "cache", "What was pulled, and is known of others: clear."),
    "site": Target("registry_site", "site", "Write static pages to browse a registry."),
    "verify": Target("registry_verify", "verify", "Look whether all is there and undamaged."),
    "repair": Target("registry_repair", "repair", "Make head, index and catalog anew."),
    "gc": Target("registry_gc", "gc", "Take out the files that no version names."),
}

app = typer.Typer(
    cls=lazy_group(COMMANDS),
    help="Registries: make, list, change and keep them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def _registry() -> None:
    """Registries: make, list, change and keep them."""
