"""Which registries there are: ``registry.toml``, found upward from the working folder, else in the
user's config folder (``$ZOO_CONFIG_DIR`` where that is set); without one, a registry in the user's
data folder.

    default = "local"

    [registry.local]
    url = "registry"    # a folder, relative to the file's; or an http(s):// or s3:// address

Keys and tokens never stand in it: it names the environment variables that hold them.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zoo.errors import RegistryError, nearest
from zoo.registry import names
from zoo.registry.names import Reference
from zoo.registry.places.folder_tree import FolderTree
from zoo.registry.store import Registry
from zoo.registry.tree import Tree
from zoo.storage import reading

FILE = "registry.toml"
CONFIG_VARIABLE = "ZOO_CONFIG_DIR"
HUB = "hf://"
_URLS = "a folder, or an address that begins with https://, http:// or s3://"
_LIMIT = 1 << 20
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two letters at least: C: is a drive
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A folder that people were given may bring a file: it must not send their other secrets away.
_OURS = re.compile(r"ZOO_[A-Za-z0-9_]+")
# What may stand beside the url, by its scheme; "" is a folder.
_HTTP = ("token_env",)
_S3 = (
    "access_key_env", "secret_key_env", "session_token_env", "endpoint", "region", "path_style",
    "anonymous",
)  # fmt: skip
_OPTIONS = {"": (), "http": _HTTP, "https": _HTTP, "s3": _S3}


@dataclass(frozen=True)
class Place:
    """Where a registry is. ``folder``: None where ``url`` has a scheme; ``options``: as they stand
    in the file, the names of variables among them, never what these hold."""

    url: str
    folder: Path | None
    options: Mapping[str, Any]

    @property
    def writable(self) -> bool:
        """Whether one may try to publish there. A bucket answers only when asked."""
        if self.folder is None:
            return urlsplit(self.url).scheme == "s3"
        there = (one for one in (self.folder, *self.folder.absolute().parents) if one.exists())
        return os.access(next(there), os.W_OK | os.X_OK)

    def tree(self) -> Tree:
        """Connects to nothing yet."""
        if self.folder is not None:
            return FolderTree(self.folder)
        if urlsplit(self.url).scheme == "s3":
            from zoo.registry.places.s3_tree import S3Tree

            return S3Tree(self.url, **self.options)
        from zoo.registry.places.http_tree import HttpTree

        return HttpTree(self.url, **self.options)


@dataclass(frozen=True)
class Registries:
    """``places``: by name; ``source``: the file that names them, None for the built-in one."""

    default: str
    places: Mapping[str, Place]
    source: Path | None = None

    def open(self, name: str | None = None) -> Registry:
        """The registry of that name, by default the default one."""
        chosen = self.default if name is None else name
        if chosen not in self.places:
            where = f" in {str(self.source)!r}" if self.source else ""
            raise RegistryError(
                f"registry {chosen!r} is not named{where}{nearest(chosen, self.places)}; "
                f"registries: {', '.join(self.places)}; name it in a {FILE}"
            )
        return Registry(self.places[chosen].tree(), chosen)


def open_registry(name: str | None = None) -> Registry:
    """The registry of that name, by default the default one."""
    return registries().open(name)


def open_for(reference: Reference, name: str | None = None) -> Registry:
    """The registry that ``reference`` names, else that of ``name``, else the default one. Raises
    :class:`RegistryError` when the two differ."""
    if name is not None and reference.registry not in (None, name):
        raise RegistryError(
            f"reference {str(reference)!r} names another registry than {name!r}; give one of them"
        )
    return open_registry(reference.registry or name)


def find(text: str, name: str | None = None) -> tuple[Registry, Reference]:
    """The registry and the version that ``text`` means: a reference, or a repository of the Hub
    (``hf://owner/name@revision``). ``name``: as for :func:`open_for`."""
    if text.startswith(HUB):
        from zoo.registry.hub.repository import open_version

        if name is not None:
            raise RegistryError(f"{text!r} is in no registry of {FILE}; leave {name!r} out")
        return open_version(text)
    reference = Reference.parse(text)
    return open_for(reference, name), reference


def registries(start: Path | None = None) -> Registries:
    """The registries as seen from ``start``, by default the working folder."""
    path = find_file(start or Path.cwd())
    if path is not None:
        return read_file(path)
    import platformdirs

    folder = Path(platformdirs.user_data_dir("zoo")) / "registry"
    return Registries("local", {"local": Place(str(folder), folder, {})})


def find_file(start: Path) -> Path | None:
    """The nearest ``registry.toml``, or None."""
    folder = start.absolute()
    for path in (folder, *folder.parents, _user_folder()):
        if (path / FILE).is_file():
            return path / FILE
    return None


def is_address(text: str) -> bool:
    """Whether ``text`` begins as an address does, and so is no folder."""
    return _SCHEME.match(text) is not None


def read_file(path: Path) -> Registries:
    """Raises :class:`RegistryError` naming the file and the key that is wrong."""
    return parse(reading.read(path, _LIMIT, what=FILE), path)


def parse(data: bytes, path: Path) -> Registries:
    """What a file at ``path`` with these bytes says; raises as :func:`read_file`."""
    where = f"{str(path)!r}"
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{where} is not TOML: {error}") from error
    _check_keys(where, table, ("default", "registry"))
    listed = table.get("registry")
    if not isinstance(listed, dict) or not listed:
        raise RegistryError(
            f'{where} names no registry; write [registry.local] and url = "registry"'
        )
    places = {name: _place(where, path.parent, name, entry) for name, entry in listed.items()}
    default = table.get("default", next(iter(places)))
    if not isinstance(default, str) or default not in places:
        raise RegistryError(
            f"{where}: default: {default!r} is not one of its registries"
            f"{nearest(str(default), places)}; expected one of {', '.join(places)}"
        )
    return Registries(default, places, path)


def _place(where: str, base: Path, name: str, entry: Any) -> Place:
    names.check_name(f"{where}: registry name", name)
    key = f"{where}: registry.{name}"
    if not isinstance(entry, dict):
        raise RegistryError(f"{key}: {entry!r}: expected a table with url")
    url = entry.get("url")
    if not isinstance(url, str) or not url or not url.isprintable():
        raise RegistryError(f"{key}.url: {url!r}: expected {_URLS}")
    match = _SCHEME.match(url)
    scheme = match[1].lower() if match else ""
    if scheme not in _OPTIONS:
        raise RegistryError(f"{key}.url: {url!r}: expected {_URLS}")
    _check_keys(key, entry, ("url", *_OPTIONS[scheme]))
    variable = _VARIABLE if base == _user_folder() else _OURS
    options = {
        one: _option(key, one, value, variable) for one, value in entry.items() if one != "url"
    }
    if variable is _OURS and "endpoint" in options and not _says_who(options):
        raise RegistryError(
            f"{key}.endpoint: expected access_key_env and secret_key_env, or anonymous = true, "
            f"beside it: credentials for another store are not tried on this one"
        )
    if scheme:
        _check_address(key, url)
        return Place(url.rstrip("/"), None, options)
    try:
        return Place(url, base / Path(url).expanduser(), options)
    except RuntimeError as error:  # ~somebody
        raise RegistryError(f"{key}.url: {url!r}: {error}") from error


def _check_address(key: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise RegistryError(f"{key}.url: {url!r}: {error}") from error
    if parts.username is not None or parts.password is not None:
        raise RegistryError(
            f"{key}.url: a user or password stands in it, for all to read; remove it, and name the "
            f"environment variable that holds the secret"
        )
    if not host or parts.query or parts.fragment:
        raise RegistryError(f"{key}.url: {url!r}: expected {_URLS}")


def _says_who(options: Mapping[str, Any]) -> bool:
    return bool(options.get("anonymous")) or "access_key_env" in options


def _option(key: str, name: str, value: Any, variable: re.Pattern[str]) -> Any:
    if name in ("path_style", "anonymous"):
        if not isinstance(value, bool):
            raise RegistryError(f"{key}.{name}: {value!r}: expected true or false")
    elif not isinstance(value, str) or not value or not value.isprintable():
        raise RegistryError(f"{key}.{name}: {value!r}: expected a text")
    elif name.endswith("_env") and not variable.fullmatch(value):
        # Not shown: who mistakes the key for the secret's own place has written it here.
        raise RegistryError(
            f"{key}.{name}: expected the name of an environment variable that holds the secret and "
            f"begins with ZOO_, such as ZOO_TOKEN; others are taken from "
            f"{str(_user_folder() / FILE)!r} alone"
        )
    return value


def _check_keys(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise RegistryError(
                f"{where}: unknown key {key!r}{nearest(key, known)}; expected {', '.join(known)}"
            )


def _user_folder() -> Path:
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_config_dir("zoo"))
