"""A small valid registry to spoil, and everything around it that must stay as it is.

home/                       the working folder of every command
  registry.toml             two names for one folder: `local`, and `web`, read as a static server
  registry/                 digits-tiny 1 and 2, other 1, and both 1, an ensemble
  outside/secret            nobody may read it, write it, or add to it
  out/, cache/              where commands may write
"""

# ruff: noqa: PTH208

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import torch
from drafts import TASK, draft, fields
from hostile_networks import CATALOG

from zoo.errors import RegistryError
from zoo.registry import config, layout
from zoo.registry.loading import build_network
from zoo.registry.places.folder_tree import FolderTree
from zoo.registry.record import Draft
from zoo.registry.store import Registry
from zoo.registry.tree import Progress
from zoo.storage import tensors

MODEL, OTHER, BOTH = "digits-tiny", "other", "both"
WEIGHTS = "model.safetensors"
_open = os.open
_TOML = """\
default = "local"
[registry.local]
url = "registry"
[registry.web]
url = "https://static.example/zoo"
"""


class StaticTree:
    """A folder as a static web server shows it: files whose names one knows, and no lists."""

    url = "https://static.example/zoo"
    local = listed = False

    def __init__(self, root: Path) -> None:
        self._folder = FolderTree(root)

    def read(self, path: str, limit: int) -> bytes | None:
        return self._folder.read(path, limit)

    def fetch(self, path: str, size: int, into: IO[bytes], progress: Progress) -> None:
        self._folder.fetch(path, size, into, progress)

    def exists(self, path: str) -> bool:
        return self._folder.exists(path)

    def names(self, folder: str) -> list[str]:
        raise RegistryError("a web server lists no folders; its catalog names models")


class World:
    """Spoil it with :meth:`put` and the like, look at what commands do, then :meth:`restore` it."""

    def __init__(self, home: Path) -> None:
        self.home, self.root = home, home / "registry"
        self.out, self.cache, self.secret = home / "out", home / "cache", home / "outside/secret"
        for folder in (self.out, self.cache, self.secret.parent):
            folder.mkdir(parents=True)
        self.secret.write_bytes(b"nobody's business\n")
        (home / "registry.toml").write_text(_TOML)
        os.environ["ZOO_CACHE"] = str(self.cache)
        os.chdir(home)
        plain = config.Place.tree
        config.Place.tree = (  # type: ignore[method-assign]
            lambda place: plain(place) if place.folder else StaticTree(self.root)
        )
        _publish_all(Registry.at(self.root))
        self.files = {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
        }
        self._folders = {
            path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_dir()
        } | {"."}
        self._touched: set[str] = set()
        self.there: set[str] = set()
        self.moving: set[str] = set()  # what changes while commands run, by a case's own doing
        self.largest = 0  # bytes of a file that was put there since :meth:`restore`

    def path(self, path: str) -> Path:
        """Where something may be put by other means; what was there goes."""
        self._touched.add(path)
        place = self.root / path
        _remove(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def put(self, path: str, data: bytes | object) -> None:
        """``data``: bytes, or what is written as JSON."""
        written = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.largest = max(self.largest, len(written))
        self.path(path).write_bytes(written)

    def json(self, path: str) -> Any:
        return json.loads(self.files[path])

    def change(self, path: str, change: Callable[[Any], Any]) -> None:
        """Put JSON that ``change`` has changed in place, or returns."""
        plain = self.json(path)
        changed = change(plain)
        self.put(path, plain if changed is None else changed)

    def put_record(self, data: bytes | object, number: int = 2, model: str = MODEL) -> None:
        """Put a record, and an index in which it is the one: who writes the whole registry can."""
        self.put(layout.version(model, number), data)
        written = (self.root / layout.version(model, number)).read_bytes()
        page = self.json(layout.page(model, number))
        row = page["rows"][number - 1]
        row["sha256"] = hashlib.sha256(written).hexdigest()
        row["created"] = _created(written, row["created"])
        self.put(layout.page(model, number), page)

    def when_opened(self, path: Path, act: Callable[[], object]) -> None:
        """Do something once, between the next opening of ``path`` and the first look at it."""

        self.moving.add(str(path))

        def opened(given: Any, *arguments: Any, **named: Any) -> int:
            descriptor = _open(given, *arguments, **named)
            if os.fspath(given) == str(path):
                os.open = _open
                act()
            return descriptor

        os.open = opened

    def deny(self, path: Path) -> None:
        """Let nobody open it, whoever runs this."""

        def denied(given: Any, *arguments: Any, **named: Any) -> int:
            if os.fspath(given) == str(path):
                raise PermissionError(errno.EACCES, "denied", str(path))
            return _open(given, *arguments, **named)

        os.open = denied

    def expect_out(self) -> None:
        """What is in ``out`` now was there before any command."""
        self.there = set(os.listdir(self.out))

    def put_toml(self, text: str | bytes) -> None:
        """Put another ``registry.toml``."""
        data = text.encode() if isinstance(text, str) else text
        self.largest = max(self.largest, len(data))
        (self.home / "registry.toml").write_bytes(data)

    def put_model(self, name: str, record: object) -> bytes:
        """Put the first version of a model; what is written of it."""
        data = json.dumps(record).encode()
        head = {"format": 1, "model": name, "latest": 1, "newest": 1, "state": 0}
        row = {"v": 1, "sha256": hashlib.sha256(data).hexdigest(), "created": _created(data, "")}
        self.put(layout.version(name, 1), data)
        self.put(layout.head(name), head)
        self.put(layout.page(name, 1), {"format": 1, "model": name, "rows": [row]})
        return data

    def change_record(
        self, change: Callable[[Any], Any], number: int = 2, model: str = MODEL
    ) -> None:
        plain = self.json(layout.version(model, number))
        changed = change(plain)
        self.put_record(plain if changed is None else changed, number, model)

    def put_file(self, data: bytes, path: str = WEIGHTS, size: int | None = None) -> None:
        """Put a file of the newest version, under its digest, and a record that names it."""
        digest = hashlib.sha256(data).hexdigest()
        self.put(layout.blob(digest), data)

        def change(record: dict[str, Any]) -> None:
            for file in record["files"]:
                if file["path"] == path:
                    file |= {"sha256": digest, "size": len(data) if size is None else size}

        self.change_record(change)

    def blob(self, path: str = WEIGHTS, number: int = 2) -> str:
        """Where that file of that version lies."""
        record = self.json(layout.version(MODEL, number))
        return layout.blob(next(f["sha256"] for f in record["files"] if f["path"] == path))

    def weights(self) -> bytes:
        return self.files[self.blob()]

    def picture(self) -> dict[str, tuple[int, ...]]:
        """What there is outside of where commands may write; it must not change."""
        found: dict[str, tuple[int, ...]] = {}
        waiting = [str(self.home)]
        for folder in waiting:
            with os.scandir(folder) as entries:
                for one in entries:
                    if one.path in self.moving or one.path in (str(self.out), str(self.cache)):
                        continue
                    status = one.stat(follow_symlinks=False)
                    found[one.path] = (
                        status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino,
                    )  # fmt: skip
                    if one.is_dir(follow_symlinks=False):
                        waiting.append(one.path)
        return found

    def _remove_empty(self, folder: Path) -> None:
        """Folders that no file is in, up to those of the registry as it was."""
        while folder.as_posix() not in self._folders and (self.root / folder).is_dir():
            if any((self.root / folder).iterdir()):
                break
            (self.root / folder).rmdir()
            folder = folder.parent

    def clear(self) -> None:
        """Empty the places where commands may write."""
        for folder in (self.out, self.cache):
            if any(folder.iterdir()):
                shutil.rmtree(folder)
                folder.mkdir()

    def restore(self) -> None:
        os.open = _open
        self.put_toml(_TOML)
        for touched in self._touched:
            _remove(self.root / touched)
            self._remove_empty(Path(touched).parent)
        for folder in self._folders:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        for path, data in self.files.items():
            if any(path == one or path.startswith(f"{one}/") for one in self._touched):
                (self.root / path).parent.mkdir(parents=True, exist_ok=True)
                (self.root / path).write_bytes(data)
        self._touched.clear()
        self.there.clear()
        self.moving.clear()
        self.largest = 0


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def _created(record: bytes, default: str) -> str:
    try:
        return str(json.loads(record)["created"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return default


def _publish_all(registry: Registry) -> None:
    first = registry.publish(draft(), _files(1))
    registry.publish(draft(metrics={"test": {"accuracy": 0.5}}), _files(2))
    other = registry.publish(draft(model=OTHER), _files(3))
    members = [
        {"model": one.model, "version": one.version, "digest": registry.digest(one)}
        for one in (first, other)
    ]
    ensemble = {"method": "mean", "options": {}, "members": members}
    network = ("preprocessing", "architecture", "plugin", "weights")
    plain = {key: value for key, value in fields(model=BOTH).items() if key not in network}
    registry.publish(Draft.of(**plain, ensemble=ensemble), {"README.md": b"# both\n"})
    registry.set_alias(MODEL, "best", 1)
    registry.set_alias(MODEL, "good", 2)


def _files(seed: int) -> Mapping[str, bytes]:
    torch.manual_seed(seed)
    network = build_network(fields()["architecture"], TASK, CATALOG)
    return {
        WEIGHTS: tensors.to_bytes(network.state_dict()),
        "README.md": f"# card {seed}\n".encode(),
        "metrics/test.json": b'{"accuracy":0.5}\n',
    }
