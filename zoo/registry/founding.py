"""Make a place a registry, and name it in ``registry.toml`` unless one names it already."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from zoo.errors import RegistryError
from zoo.registry import config, marker, names
from zoo.registry.config import FILE, Place, Registries
from zoo.registry.tree import WritableTree
from zoo.storage import commit
from zoo.storage.failures import reported

_FOLDER, _NAME = "registry", "local"  # of the first one, where nothing else is said


@dataclass(frozen=True)
class Founded:
    """``made``: it was none before; ``written``: the file that names it from now on, None where one
    named it already; ``default``: whether it is meant where no registry is named."""

    name: str
    url: str
    made: bool
    written: Path | None
    default: bool


def found(place: str | None = None, name: str | None = None) -> Founded:
    """``place``: a name that ``registry.toml`` knows, else a folder or an address; by default the
    default registry, or the folder ``registry`` where no file names any. ``name``: what a new one
    is called, by default as its folder. Nothing that is there is overwritten."""
    known = config.registries()
    if known.source is None:
        return _named(Registries("", {}), place or _FOLDER, name or _NAME)
    if place is None:
        place = known.default
    if place in known.places and name in (None, place):
        return _made(known, place)
    return _named(known, place, name)


def _named(known: Registries, place: str, name: str | None) -> Founded:
    """The registry at ``place``, which gets a name if it has none yet."""
    url = place.rstrip("/") if config.is_address(place) else str(_folder(place))
    there = [one for one, other in known.places.items() if _same(other, url)]
    if there and name in (None, *there):
        return _made(known, name or there[0])
    path = known.source or Path.cwd() / FILE
    name = _free(known, name or _called(url))
    data = _extended(path, known, name, url)
    made = _made(config.parse(data, path), name, path)
    if known.source is None:
        try:
            commit.create(path, data)
        except FileExistsError:
            raise RegistryError(
                f"{str(path)!r} was made by somebody else meanwhile; repeat the command"
            ) from None
    else:
        commit.write(path.resolve(), data)  # what a link leads to, not the link
    return made


def _made(known: Registries, name: str, written: Path | None = None) -> Founded:
    registry = known.open(name)
    there = isinstance(registry.tree, WritableTree) and marker.check(registry.tree, str(registry))
    registry.create()
    return Founded(name, known.places[name].url, not there, written, name == known.default)


def _extended(path: Path, known: Registries, name: str, url: str) -> bytes:
    """The file with one more registry, all that stands in it kept as it is."""
    base = path.absolute().parent
    if not config.is_address(url) and Path(url).is_relative_to(base):
        url = Path(url).relative_to(base).as_posix()
    entry = tomli_w.dumps({"registry": {name: {"url": url}}}).encode()
    if known.source is None:
        return tomli_w.dumps({"default": name}).encode() + b"\n" + entry
    with reported("read", path):
        return path.read_bytes().rstrip() + b"\n\n" + entry


def _folder(text: str) -> Path:
    try:
        return Path(os.path.normpath(Path(text).expanduser().absolute()))
    except RuntimeError as error:  # ~somebody
        raise RegistryError(f"folder {text!r}: {error}") from error


def _same(other: Place, url: str) -> bool:
    if other.folder is None:
        return other.url == url
    return not config.is_address(url) and other.folder.resolve() == Path(url).resolve()


def _free(known: Registries, name: str) -> str:
    names.check_name("registry name", name)
    if name in known.places:
        raise RegistryError(
            f"registry {name!r} is in {str(known.source)!r} already, at "
            f"{known.places[name].url!r}; give the new one another name with --name"
        )
    return name


def _called(url: str) -> str:
    """A name made of the last part of a folder's path or an address."""
    last = re.split(r"[/\\]", url)[-1].lower()
    name = re.sub(r"[^a-z0-9]+", "-", last).strip("-")
    if not names.is_name(name):
        raise RegistryError(f"no name can be made of {url!r}; give one with --name")
    return name
