"""By what a run is known: the digest of what decides its weights, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

DIGITS = 16
# What changes no weights: texts, who else is told, when is saved, where pixels are kept.
_BESIDE = ("card", "trackers", "checkpoints")
_BESIDE_OF_DATA = ("keep", "store_limit", "workers")


def run_key(recipe: Mapping[str, Any]) -> str:
    """Of a recipe as plain data (``zoo.recipes.writing.recipe_data``): 16 hexadecimal digits."""
    kept = {name: section for name, section in recipe.items() if name not in _BESIDE}
    kept["data"] = {
        name: value for name, value in kept["data"].items() if name not in _BESIDE_OF_DATA
    }
    text = json.dumps(kept, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
