"""Which registries there are: ``registry.toml``, found upward from the working folder, else in the
user's config folder (``$ZOO_CONFIG_DIR`` where that is set); without one, a registry in the user's
data folder.

    default = "local"

    [registry.local]
    url = "registry"    # a folder, relative to the file's
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import RegistryError, nearest
from zoo.registry import names
from zoo.registry.names import Reference
from zoo.registry.store import Registry
from zoo.storage import reading

FILE = "registry.toml"
CONFIG_VARIABLE = "ZOO_CONFIG_DIR"
_LIMIT = 1 << 20
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: C: is a drive


@dataclass(frozen=True)
class Registries:
    """``folders``: by name; ``source``: the file that names them, None for the built-in one."""

    default: str
    folders: Mapping[str, Path]
    source: Path | None = None

    def open(self, name: str | None = None) -> Registry:
        """The registry of that name, by default the default one."""
        chosen = self.default if name is None else name
        if chosen not in self.folders:
            where = f" in {str(self.source)!r}" if self.source else ""
            raise RegistryError(
                f"registry {chosen!r} is not named{where}{nearest(chosen, self.folders)}; "
                f"registries: {', '.join(self.folders)}; name it in a {FILE}"
            )
        return Registry(self.folders[chosen], chosen)


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


def registries(start: Path | None = None) -> Registries:
    """The registries as seen from ``start``, by default the working folder."""
    path = find_file(start or Path.cwd())
    if path is not None:
        return read_file(path)
    import platformdirs

    return Registries("local", {"local": Path(platformdirs.user_data_dir("zoo")) / "registry"})


def find_file(start: Path) -> Path | None:
    """The nearest ``registry.toml``, or None."""
    folder = start.absolute()
    for path in (folder, *folder.parents, _user_folder()):
        if (path / FILE).is_file():
            return path / FILE
    return None


def read_file(path: Path) -> Registries:
    """Raises :class:`RegistryError` naming the file and the key that is wrong."""
    where = f"{str(path)!r}"
    try:
        table = tomllib.loads(reading.read(path, _LIMIT, what=FILE).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{where} is not TOML: {error}") from error
    _check_keys(where, table, ("default", "registry"))
    listed = table.get("registry")
    if not isinstance(listed, dict) or not listed:
        raise RegistryError(
            f'{where} names no registry; write [registry.local] and url = "registry"'
        )
    folders = {name: _folder(where, path.parent, name, entry) for name, entry in listed.items()}
    default = table.get("default", next(iter(folders)))
    if not isinstance(default, str) or default not in folders:
        raise RegistryError(
            f"{where}: default: {default!r} is not one of its registries"
            f"{nearest(str(default), folders)}; expected one of {', '.join(folders)}"
        )
    return Registries(default, folders, path)


def _folder(where: str, base: Path, name: str, entry: Any) -> Path:
    names.check_name(f"{where}: registry name", name)
    key = f"{where}: registry.{name}"
    if not isinstance(entry, dict):
        raise RegistryError(f"{key}: {entry!r}: expected a table with url")
    _check_keys(key, entry, ("url",))
    url = entry.get("url")
    if not isinstance(url, str) or not url or not url.isprintable():
        raise RegistryError(f"{key}.url: {url!r}: expected a folder")
    if _SCHEME.match(url):
        raise RegistryError(
            f"{key}.url: {url!r}: http(s), s3 and hf registries are not supported yet; "
            f"expected a folder"
        )
    try:
        return base / Path(url).expanduser()
    except RuntimeError as error:  # ~somebody
        raise RegistryError(f"{key}.url: {url!r}: {error}") from error


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
