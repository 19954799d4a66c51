"""Which runs and versions are of one recipe, but for a setting or two."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from zoo.errors import RunError, reason
from zoo.runs import folder
from zoo.runs.folder import RunFolder
from zoo.storage import reading
from zoo.storage.limits import RECORD_BYTES

# What of a recipe does not change what comes out of it, but for chance.
_BESIDE: Mapping[str, tuple[str, ...]] = {
    "training": ("threads", "device"),
    "dataset": ("root",),
    "split": ("file",),
    "card": (),
    "trackers": (),
    "checkpoints": (),
}


def written_recipe(run: RunFolder) -> dict[str, Any]:
    """As it stands in the run's folder; no plugin is needed. Raises :class:`RunError`."""
    path = run.path / folder.RECIPE
    written = reading.read(path, RECORD_BYTES, what="recipe")
    try:
        return tomllib.loads(written.decode())
    except ValueError as error:  # no TOML, or no UTF-8
        raise RunError(f"recipe {str(path)!r} is damaged: {reason(error)}") from error


def setting(recipe: Mapping[str, Any], section: str, key: str) -> Any:
    """None where there is none, also in a recipe that a stranger wrote."""
    found = recipe.get(section)
    return found.get(key) if isinstance(found, Mapping) else None


def known_by(recipe: Mapping[str, Any], but: Mapping[str, tuple[str, ...]]) -> str:
    """Equal for recipes that differ only in the keys ``but`` of some sections, and in what changes
    nothing."""
    kept: dict[str, Any] = {}
    for name, section in recipe.items():
        if _BESIDE.get(name) == ():
            continue
        beside = {*_BESIDE.get(name, ()), *but.get(name, ())}
        kept[name] = (
            {key: value for key, value in section.items() if key not in beside}
            if isinstance(section, Mapping)
            else section
        )
    return json.dumps(kept, sort_keys=True, default=str)
