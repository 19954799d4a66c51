"""A recipe as TOML and as plain data, every default written out, always in the same order."""

from __future__ import annotations

import re
from typing import Any

import tomli_w

from zoo.recipes.schema import COMPONENTS, COPIES, LISTS, Choice, Recipe

_ABSOLUTE = re.compile(r"[/\\~]|[A-Za-z]:[/\\]|file:", re.IGNORECASE)


def write_recipe(recipe: Recipe) -> str:
    """TOML from which ``read_recipe`` makes an equal recipe."""
    return tomli_w.dumps(recipe_data(recipe))


def recipe_data(recipe: Recipe) -> dict[str, Any]:
    """Dicts, lists, strings, numbers and booleans, as they stand in TOML."""
    data: dict[str, Any] = {}
    for name in Recipe.model_fields:
        section = getattr(recipe, name)
        if name in COMPONENTS:
            data[name] = _choice_data(section)
        elif name in LISTS:
            data[name] = [_choice_data(choice) for choice in section]
        elif name == COPIES:
            data[name] = [
                {
                    **one.model_dump(mode="json", include={"fixed", "size"}),
                    "augmentations": [_choice_data(c) for c in one.augmentations],
                }
                for one in section
            ]
        else:
            data[name] = section.model_dump(mode="json")
    return data


def public_data(recipe: Recipe) -> dict[str, Any]:
    """:func:`recipe_data` without what is nobody's business or only this machine's: the root, the
    device, the trackers, and options or weights to start from that are a path."""
    data = recipe_data(recipe)
    del data["training"]["device"], data["trackers"]
    data["dataset"].pop("root", None)
    for name in COMPONENTS:
        data[name] = _without_paths(data[name])
    for holder in (data, *data[COPIES]):
        holder["augmentations"] = [_without_paths(one) for one in holder["augmentations"]]
    data["split"].pop("file")
    if recipe.transfer.path is not None:
        del data["transfer"]["init"]
    return data


def _choice_data(choice: Choice) -> dict[str, Any]:
    """TOML has no null: an option whose default is None is left to it."""
    data: dict[str, Any] = {"name": choice.name}
    root = getattr(choice, "root", None)
    if root is not None:
        data["root"] = root
    data.update({key: value for key, value in choice.options.items() if value is not None})
    return data


def _without_paths(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if not _holds_path(value)}


def _holds_path(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_path, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_path, value))
    return isinstance(value, str) and _ABSOLUTE.match(value) is not None
