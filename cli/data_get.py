"""What ``zoo data get`` does with its words, and how it shows progress."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.data.fetching import get
from zoo.errors import DataError, RecipeError
from zoo.plugins.catalog import catalog
from zoo.recipes.flags import parse_value
from zoo.recipes.problems import not_a_setting

from .bars import transferring
from .tables import show_json

_DATA = "ZOO_DATA"


def run(name: str, root: str | None, sets: Sequence[str], json: bool) -> None:
    component = catalog().get("dataset", name)
    folder = _folder(component.name, root)
    with transferring() as report:
        paths = get(component, folder, _options(sets), report)
    if json:
        show_json({"dataset": name, "root": str(folder), "files": [str(path) for path in paths]})
        return
    for path in paths:
        print(path)


def _folder(name: str, root: str | None) -> Path:
    if root is not None:
        return Path(root).expanduser()
    if os.environ.get(_DATA):
        return Path(os.environ[_DATA]) / name
    raise DataError(
        f"dataset {name!r}: no folder for its files; name one with --root, or set {_DATA}, below "
        f"which they go to {name!r}"
    )


def _options(sets: Sequence[str]) -> dict[str, Any]:
    parts = [(text, *text.partition("=")) for text in sets]
    wrong = [text for text, key, equals, _ in parts if not (key.strip() and equals)]
    if wrong:
        raise RecipeError([not_a_setting(text) for text in wrong])
    # dataset.size, as a recipe calls it, or size for short.
    return {
        key.strip().removeprefix("dataset."): parse_value(value.strip())
        for _, key, _, value in parts
    }
