"""The names of torchvision's models and what is known of each, without importing torchvision.

``facts.json``, shipped in the wheel, is of one torchvision; for another one it is made anew, once,
and kept in the user's cache. Made by ``make_facts``.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import os
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import zoo

SHIPPED = Path(__file__).with_name("facts.json")
_CLASSIFICATION, _SEGMENTATION = "classification", "segmentation"


def classification() -> list[str]:
    return [name for name, one in table().items() if one["kind"] == _CLASSIFICATION]


def segmentation() -> list[str]:
    return [name for name, one in table().items() if one["kind"] == _SEGMENTATION]


def facts(name: str) -> zoo.Facts:
    entry = table()[name]
    tags = entry["tags"]
    height, width = entry["size"]
    return zoo.Facts(
        parameters=entry["parameters"],
        pretrained=tuple(tags),
        licence=next(iter(tags.values())).get("licence", ""),
        source=entry["source"],
        image_size=(height, width),
        smallest=entry.get("smallest", entry.get("multiple", 0)),
    )


def options(name: str) -> inspect.Signature:
    """Rates of dropout and the like, with torchvision's defaults for that model."""
    from typing import Annotated

    from annotated_types import Ge, Lt

    rate: Any = Annotated[float, Ge(0), Lt(1)]
    return inspect.Signature(
        [
            inspect.Parameter(
                option,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=bool if isinstance(default, bool) else rate,
            )
            for option, default in table()[name]["options"].items()
        ]
    )


@functools.cache
def table() -> dict[str, dict[str, Any]]:
    """What is known by name, of the torchvision that is installed."""
    shipped = json.loads(SHIPPED.read_bytes())
    installed = release(metadata.version("torchvision"))
    found: dict[str, dict[str, Any]] = shipped["architectures"]
    if installed == shipped["torchvision"]:
        return found
    place = zoo.cache_folder() / "torchvision" / f"facts-{installed}.json"
    with contextlib.suppress(OSError, ValueError, KeyError):  # not there, or damaged
        found = json.loads(place.read_bytes())["architectures"]
        return found
    from zoo_torchvision.describing import describe

    made = describe(found)
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, no more
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=place.parent, suffix=".json")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(made, stream)
        Path(temporary).replace(place)
    again: dict[str, dict[str, Any]] = made["architectures"]
    return again


def release(version: str) -> str:
    """Without the build, which says for what device it is: 0.29.1 of 0.29.1+cu130."""
    return version.partition("+")[0]
