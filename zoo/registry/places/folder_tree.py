"""A registry in a folder: of a disk, or one that machines share.

Every call to the system goes through :mod:`zoo.storage.commit` or the module ``os`` by name, so
that tests can count, fail or kill at each.
"""

# ruff: noqa: PTH105, PTH106, PTH108, PTH116, PTH208

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from zoo.errors import StorageError
from zoo.registry import layout
from zoo.registry.tree import Entry, Progress
from zoo.storage import commit, reading
from zoo.storage.commit import Staged
from zoo.storage.failures import reported

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_BLOCK = 1 << 20
_LOCK = "lock"


class FolderTree:
    """The folder ``root``, which need not exist before something is put there."""

    local = True
    listed = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = str(root)

    def read(self, path: str, limit: int) -> bytes | None:
        try:
            return reading.read(self.root / path, limit, what="registry file")
        except StorageError:
            if not self.exists(path):
                return None
        # What is wrong with it; or nothing, for it came between the two looks.
        return reading.read(self.root / path, limit, what="registry file")

    def fetch(self, path: str, size: int, into: IO[bytes], progress: Progress) -> None:
        with reading.opened(self.root / path, "registry file") as (stream, _):
            left = size + 1
            while left and (block := stream.read(min(_BLOCK, left))):
                into.write(block)
                progress(len(block))
                left -= len(block)

    def exists(self, path: str) -> bool:
        with reported("read", self.root / path):
            try:
                os.stat(self.root / path)
            except (FileNotFoundError, NotADirectoryError):
                return False
        return True

    def names(self, folder: str) -> list[str]:
        with reported("list", self.root / folder):
            try:
                return os.listdir(self.root / folder)
            except (FileNotFoundError, NotADirectoryError):
                return []

    def prepare(self, folders: tuple[str, ...]) -> None:
        for folder in folders:
            commit.make_folder(self.root / folder)

    def create(self, path: str, data: bytes) -> None:
        self._make_parent(path)
        commit.create(self.root / path, data)

    def replace(self, path: str, data: bytes) -> None:
        # Only derived files are replaced: that their folder's own entry is durable is not needed.
        if not self.exists(path.rpartition("/")[0]):
            self._make_parent(path)
        commit.write(self.root / path, data)

    def amend(self, path: str, limit: int, change: Callable[[bytes | None], bytes | None]) -> None:
        with self.alone(path.rpartition("/")[0]):
            made = change(self.read(path, limit))
            if made is not None:
                self.replace(path, made)

    def stage(self, source: Path | bytes) -> Staged:
        return commit.copy_hashed(source, self.root / layout.TMP)

    def keep(self, staged: Staged) -> None:
        # A blob that is there already is replaced by its equal: that heals one that has rotted,
        # and makes it young again, so that a collection that is under way leaves it alone.
        path = self.root / layout.blob(staged.sha256)
        commit.make_folder(path.parent)
        commit.adopt(staged, path)

    def discard(self, staged: Staged) -> None:
        commit.discard(staged)

    @contextlib.contextmanager
    def alone(self, folder: str) -> Iterator[None]:
        """One process at a time, where the file system keeps locks. It only saves work: nothing
        breaks where a lock does nothing, as on many shared file systems."""
        descriptor: int | None = None
        try:
            # A file system without locks, or one that may not be written to.
            with contextlib.suppress(OSError):
                descriptor = os.open(self.root / folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
                if fcntl is not None:
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            if descriptor is not None:
                with contextlib.suppress(OSError):
                    os.close(descriptor)

    def entries(self, folder: str) -> list[Entry]:
        found: list[Entry] = []
        with reported("list", self.root / folder):
            try:
                scanned = os.scandir(self.root / folder)
            except (FileNotFoundError, NotADirectoryError):
                return found
            with scanned:
                for one in scanned:
                    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                        status = one.stat(follow_symlinks=False)
                        size = None if stat.S_ISDIR(status.st_mode) else status.st_size
                        found.append(Entry(one.name, size, status.st_mtime, status.st_mode))
        return found

    def now(self) -> float:
        staged = self.stage(b"")
        try:
            with reported("read", staged.path):
                return os.stat(staged.path).st_mtime
        finally:
            self.discard(staged)

    def modified(self, path: str) -> float | None:
        with reported("read", self.root / path):
            try:
                return os.stat(self.root / path, follow_symlinks=False).st_mtime
            except (FileNotFoundError, NotADirectoryError):
                return None

    def take(self, path: str, to: str) -> float | None:
        # One rename, so that whoever puts another one there meanwhile has either it moved, and
        # told here by its date, or it stays.
        self._make_parent(to)
        with reported("move", self.root / path):
            try:
                os.replace(self.root / path, self.root / to)
            except FileNotFoundError:
                return None
        return self.modified(to)

    def give_back(self, path: str, to: str) -> None:
        with reported("move", self.root / path):
            with contextlib.suppress(FileExistsError):
                os.link(self.root / path, self.root / to)
            commit.sync_folder((self.root / to).parent)
        self.remove(path)

    def remove(self, path: str) -> None:
        with reported("remove", self.root / path), contextlib.suppress(FileNotFoundError):
            if stat.S_ISDIR(os.lstat(self.root / path).st_mode):
                os.rmdir(self.root / path)
            else:
                os.unlink(self.root / path)

    def _make_parent(self, path: str) -> None:
        commit.make_folder((self.root / path).parent)
