"""What a study sets in a recipe: ``set`` and ``vary`` as keys, each with its place in the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from zoo.recipes.flags import Override
from zoo.recipes.positions import KeyPath
from zoo.recipes.schema import COPIES, LISTS, Recipe

Settings = tuple[Override, ...]


def flattened(table: Mapping[str, Any]) -> Iterator[tuple[str, KeyPath, Any]]:
    """(dotted key, where it stands below the table, value) of each. ``{"optimizer.lr": 1}`` and
    ``{"optimizer": {"lr": 1}}`` are the same; what lies deeper is a value, but for the items of a
    list, as in ``{"augmentations": {"0": {"degrees": 5}}}``."""
    for name, value in table.items():
        numbered = name in LISTS or name == COPIES
        if name not in Recipe.model_fields or not isinstance(value, Mapping):
            yield name, (name,), value
            continue
        for key, inner in value.items():
            if numbered and isinstance(inner, Mapping):
                for last, one in inner.items():
                    yield f"{name}.{key}.{last}", (name, key, last), one
            else:
                yield f"{name}.{key}", (name, key), inner


def settings(
    table: Mapping[str, Any], at: KeyPath, file: str, lines: Mapping[KeyPath, int]
) -> Settings:
    """The keys set in ``table``, which stands at ``at``; origins are ``file:line``."""
    return tuple(
        Override(key, value, place(file, lines, (*at, *path)))
        for key, path, value in flattened(table)
    )


def place(file: str, lines: Mapping[KeyPath, int], at: KeyPath) -> str:
    """``file:line`` of a key, or of the nearest one that it stands in."""
    for length in range(len(at), 0, -1):
        if at[:length] in lines:
            return f"{file}:{lines[at[:length]]}"
    return file


def value_text(value: Any) -> str:
    """A value as it stands in the name of a row: ``0.01``, ``1e+09``, ``[64, 48]``, or a text."""
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
