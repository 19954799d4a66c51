"""What a recipe says at a dotted key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def value_at(recipe: Mapping[str, Any], key: str) -> Any:
    """None where it has no such key; items of a list by number (``augmentations.0.degrees``)."""
    value: Any = recipe
    for part in key.split("."):
        if isinstance(value, list):
            known = {str(place): item for place, item in enumerate(value)}
            value = known.get(part)
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value
