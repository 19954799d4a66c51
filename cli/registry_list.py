"""``zoo registry list``: which registries there are."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from .choices import Json
from .tables import show_json, show_table

if TYPE_CHECKING:
    from zoo.registry.config import Registries


def list_(json: Json = False) -> None:
    """List the registries that registry.toml names, with how many models each has.

    \b
    Examples:
      zoo registry list
      zoo registry list --json
    """
    from zoo.registry.config import registries

    known = registries()
    rows = [
        {
            "name": name,
            "url": place.url,
            "default": name == known.default,
            "models": _models(known, name),
            "writable": place.writable,
        }
        for name, place in known.places.items()
    ]
    if json:
        show_json(rows)
        return
    columns = ("name", "url", "default", "models", "writable")
    show_table(columns, [tuple(row.values()) for row in rows], empty="")


def _models(known: Registries, name: str) -> int | None:
    """How many; None, and a line that says why, where that cannot be known."""
    from zoo.errors import ZooError, ZooWarning

    try:
        return len(known.open(name).models())
    except ZooError as error:
        warnings.warn(str(error), ZooWarning, stacklevel=1)
        return None
