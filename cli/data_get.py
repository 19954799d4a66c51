"""What ``zoo data get`` does with its words, and how it shows progress."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoo.data.download import Report
from zoo.data.fetching import get
from zoo.errors import DataError, RecipeError
from zoo.plugins.catalog import catalog
from zoo.recipes.flags import parse_value
from zoo.recipes.problems import not_a_setting

from .tables import show_json

_DATA = "ZOO_DATA"


def run(name: str, root: str | None, sets: Sequence[str], json: bool) -> None:
    component = catalog().get("dataset", name)
    folder = _folder(component.name, root)
    with _progress() as report:
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


@contextlib.contextmanager
def _progress() -> Iterator[Report]:
    """A bar a file on a terminal; nothing elsewhere. On stderr: stdout is for the answer."""
    if not sys.stderr.isatty():
        yield lambda name, done, total: None
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn())
    bars: dict[str, Any] = {}
    with Progress(
        *Progress.get_default_columns()[1:2], *columns, console=Console(stderr=True)
    ) as bar:

        def report(name: str, done: int, total: int | None) -> None:
            if name not in bars:
                bars[name] = bar.add_task(name, total=total)
            bar.update(bars[name], completed=done, total=total)

        yield report
