"""The names of timm's architectures and what is known of each, without importing timm.

``facts.json``, shipped in the wheel, is of one timm; for another one it is made anew, once, and
kept in the user's cache, ``<cache>/timm/facts-<version>-<sha256 of the shipped file>.json``: a line
with the sha256 of the rest.

``{"timm": version, "pools": {"class default": [pooling, ...]}, "architectures": {name: {...}}}``;
of each: ``size`` [height, width], ``class``, ``options`` {name: default}, ``sized`` (it is
built for a size), ``parameters``, ``smallest``, ``source``, ``tags`` {tag: {``hub``, ``file``,
``url``, ``size``, ``licence``, ``source``}}, the default tag first. What says nothing is left out.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import os
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal

import zoo

_SHIPPED = Path(__file__).with_name("facts.json")
_OWN = ("parameters", "smallest")  # what describing timm does not tell
# Of those that timm gives no paper for, what they are described in.
_SOURCE = "timm (Wightman, 2019), https://github.com/huggingface/pytorch-image-models"


def names() -> list[str]:
    """Every architecture, and each with each of its tags: ``resnet18``, ``resnet18.a1_in1k``."""
    found = []
    for name, entry in table()["architectures"].items():
        found.append(name)
        found += [f"{name}.{tag}" for tag in entry["tags"] if tag]
    return found


def facts(name: str) -> zoo.Facts:
    """For a name with a tag: what is known of that tag's weights, and of no others."""
    architecture, tag = split(name)
    entry = table()["architectures"][architecture]
    tags = (tag,) if tag else tuple(entry["tags"])
    said = entry["tags"][tags[0]] if tags else {}
    height, width = said.get("size", entry["size"])
    return zoo.Facts(
        parameters=entry.get("parameters"),
        pretrained=tags,
        licence=said.get("licence", ""),
        source=said.get("source") or entry.get("source") or _SOURCE,
        image_size=(height, width),
        smallest=entry.get("smallest", 0),
    )


def options(name: str) -> inspect.Signature:
    """The rates of dropout that timm's class takes, and how it pools, with timm's defaults for that
    architecture."""
    entry = table()["architectures"][split(name)[0]]
    pools = table()["pools"].get(pooling(entry), [])
    found = []
    for option, default in entry.get("options", {}).items():
        if option != "global_pool":
            annotation: Any = _rate()
        elif default in pools:
            annotation = Literal[tuple(pools)]
        else:
            continue
        found.append(
            inspect.Parameter(
                option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
            )
        )
    return inspect.Signature(found)


def pooling(entry: dict[str, Any]) -> str:
    """What the ways to pool of an architecture depend on: its class, and what that does without
    being asked."""
    return f"{entry.get('class')} {entry.get('options', {}).get('global_pool')}"


def split(name: str) -> tuple[str, str]:
    """Architecture and tag; the tag is ``""`` where there is none."""
    architecture, _, tag = name.partition(".")
    return architecture, tag


@functools.cache
def table() -> dict[str, Any]:
    """What is known, of the timm that is installed where that can be had."""
    shipped = _read(_SHIPPED.read_bytes())
    installed = installed_version()
    if installed in ("", shipped["timm"]):
        return shipped
    # By the shipped file, too: a later one may describe another timm otherwise.
    ours = hashlib.sha256(_SHIPPED.read_bytes()).hexdigest()[:8]
    place = zoo.cache_folder() / "timm" / f"facts-{installed}-{ours}.json"
    kept = _kept(place)
    return kept if kept is not None else _made_anew(shipped, place)


def installed_version() -> str:
    """timm's, ``""`` where there is none; without importing it."""
    try:
        return metadata.version("timm")
    except metadata.PackageNotFoundError:
        return ""


def _made_anew(shipped: dict[str, Any], place: Path) -> dict[str, Any]:
    try:
        from zoo_timm.describing import describe

        made = describe()
    except Exception:  # another timm may be made otherwise: its names are then the shipped ones
        _keep(place, shipped)
        return shipped
    for name, entry in made["architectures"].items():
        known = shipped["architectures"].get(name, {})
        entry |= {key: known[key] for key in _OWN if key in known}
    made["pools"] = shipped["pools"]
    _keep(place, made)
    return made


def _kept(place: Path) -> dict[str, Any] | None:
    """None where there is no such file, or a damaged one, which is then made anew."""
    try:
        digest, _, data = place.read_bytes().partition(b"\n")
    except OSError:
        return None
    whole = hashlib.sha256(data).hexdigest().encode() == digest
    return _read(data) if whole else None


def _keep(place: Path, made: dict[str, Any]) -> None:
    """Whole or not at all. A cache that cannot be written costs time, no more."""
    data = json.dumps(made).encode()
    written = ""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, written = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
        Path(written).replace(place)
    except OSError:
        if written:
            Path(written).unlink(missing_ok=True)


def _read(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data)
    return found


def _rate() -> Any:
    from annotated_types import Ge, Lt

    return Annotated[float, Ge(0), Lt(1)]
