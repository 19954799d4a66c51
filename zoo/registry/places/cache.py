"""The verified private cache: what came from registries that are not on this machine.

    <cache>/registry/
      blobs/ab/<64 hex>       content by its digest, whichever registry it came from
      known/<key>/...         what is known of one registry (zoo.registry.places.known)

The interface: :func:`read` and :func:`bring` give a blob's bytes or its file, fetched first where
it is not there; :func:`usage` and :func:`clear`. Nothing in it is believed because it is there:
size and sha256 of the whole file are compared whenever it is used, and what does not fit is fetched
again. A file appears under its name when it is whole, right and durable, never before; each process
writes to files of its own, so nobody has to wait for anybody.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import warnings
from pathlib import Path

from zoo.errors import StorageError, ZooWarning
from zoo.registry import layout
from zoo.registry.tree import LATER, Progress, Tree
from zoo.storage import commit, reading
from zoo.storage.cache_folder import CACHE_VARIABLE, cache_folder
from zoo.storage.failures import reported


def folder() -> Path:
    return cache_folder() / "registry"


def silent(count: int) -> None:
    """No progress is shown."""


def read(tree: Tree, sha256: str, size: int, what: str) -> bytes:
    """The bytes of a blob of ``tree``; ``what`` names it in errors. Raises :class:`ZooError` when
    they cannot be had, or are not those of ``size`` and ``sha256``."""
    path = _place(sha256)
    if path.exists():
        try:
            data = reading.read(path, size, sha256, what)
        except StorageError:
            pass  # :func:`bring` says so, and mends it
        else:
            if len(data) == size:
                return data
    bring(tree, sha256, size, what)
    data = reading.read(path, size, sha256, what)
    if len(data) != size:
        raise _other(what, tree, f"{len(data)} bytes", f"{size} bytes")
    return data


def bring(tree: Tree, sha256: str, size: int, what: str, progress: Progress = silent) -> Path:
    """The file that holds a blob of ``tree``, compared just now; as :func:`read`."""
    path = _place(sha256)
    there = holds(path, sha256, size)
    if there:
        progress(size)
        return path
    if there is False:
        warnings.warn(
            f"{str(path)!r} no longer holds what was put there; it is fetched again",
            ZooWarning,
            stacklevel=2,
        )

    def fill(temporary: Path) -> None:
        with temporary.open("x+b", buffering=0) as out:
            tree.fetch(layout.blob(sha256), size, out, progress)
            _compare(out.fileno(), sha256, size, what, tree)

    _make_room(path.parent, size, what)
    commit.replace_with(path, fill)
    return path


def holds(path: Path, sha256: str, size: int) -> bool | None:
    """Whether the file is of that size and digest; None where there is no file."""
    try:
        with reading.opened(path) as (stream, found):
            return found == size and hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except StorageError:
        if not path.exists():
            return None
        if not path.is_file():  # a pipe, say
            return False
        raise


def usage() -> tuple[int, int]:
    """(number of blobs, their bytes)."""
    files = [path for path in (folder() / "blobs").rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files)


def clear() -> None:
    """Remove all content, what killed processes left behind too. What is known of registries stays:
    it tells that one was set back or rewritten."""
    blobs = folder() / "blobs"
    with reported("clear", blobs):
        if blobs.exists():
            shutil.rmtree(blobs)


def _place(sha256: str) -> Path:
    digits = layout.blob(sha256).rpartition("/")[2]
    return folder() / "blobs" / digits[:2] / digits


def _compare(descriptor: int, sha256: str, size: int, what: str, tree: Tree) -> None:
    """Of the whole file as it lies there, whatever way it came."""
    found = os.fstat(descriptor).st_size
    if found != size:
        raise _other(what, tree, f"{found} bytes", f"{size} bytes")
    with open(descriptor, "rb", closefd=False) as stream:
        stream.seek(0)
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != sha256:
        raise _other(what, tree, f"the sha256 {digest}", f"{sha256}, as its record says")


def _other(what: str, tree: Tree, found: str, expected: str) -> StorageError:
    return StorageError(
        f"{what} from {tree.url}: {found} came; expected {expected}: it was damaged there or on "
        f"its way; {LATER}"
    )


def _make_room(parent: Path, size: int, what: str) -> None:
    try:
        commit.make_folder(parent)
        with reported("write into", parent):
            free = shutil.disk_usage(parent).free
    except StorageError as error:
        raise StorageError(f"{error}; {CACHE_VARIABLE} may name another folder") from error
    if free < size:
        raise StorageError(
            f"{what} has {size} bytes; {str(parent)!r} has room for {free}; free some space, or "
            f"set {CACHE_VARIABLE} to another folder"
        )
