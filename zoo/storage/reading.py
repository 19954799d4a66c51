"""Read a stranger's file: a regular one, never more than a limit, and never mapped, for a file that
is truncated under a map kills the process."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader
from pathlib import Path

from zoo.errors import StorageError, missing_path
from zoo.storage import limits
from zoo.storage.failures import reported

_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def read(path: Path, limit: int, expect_sha256: str | None = None, what: str = "file") -> bytes:
    """The bytes of a file. Raises :class:`StorageError` when it is missing, no regular file, longer
    than ``limit`` or, with ``expect_sha256``, not the file it should be."""
    with opened(path, what) as (stream, size):
        # Memory is taken for as much as is asked for, before it is known how much there is.
        data = _taken(stream, size + 1, what, path) if size <= limit else b""
    if max(size, len(data)) > limit:
        longer = limits.longer(f"{what} {str(path)!r}", limit)
        raise StorageError(f"{longer}; that is no {what} of zoo's")
    if len(data) > size:
        raise StorageError(f"{what} {str(path)!r} grew while it was read; try again")
    if expect_sha256 is not None:
        _require(hashlib.sha256(data).hexdigest(), expect_sha256, path, what)
    return data


@contextlib.contextmanager
def opened(path: Path, what: str = "file") -> Iterator[tuple[BufferedReader, int]]:
    """A regular file to read from, and its size. Raises :class:`StorageError` when it is missing,
    something else (a pipe would be waited for), or cannot be read."""
    with reported("read", path):
        try:
            descriptor = os.open(path, _FLAGS)
        except FileNotFoundError:
            raise StorageError(missing_path(what, path)) from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise StorageError(f"{what} {str(path)!r} is not a regular file")
            with open(descriptor, "rb", closefd=False) as stream:
                yield stream, status.st_size
        finally:
            os.close(descriptor)


def check_header(path: Path, what: str) -> None:
    """Raise :class:`StorageError` unless the file is a safetensors file within zoo's limits; only
    its beginning is read."""
    with opened(path, what) as (stream, size):
        start = stream.read(8)
        start += stream.read(limits.beginning(start) - len(start))
    limits.check_header(start, what, size)


@contextlib.contextmanager
def meanwhile(path: Path, size: int, expect_sha256: str, what: str = "file") -> Iterator[bytes]:
    """As :func:`read`, of a file of ``size`` bytes, but the bytes are there at once and are
    compared behind them, by another thread; leaving the block raises where they are not those
    expected. Whatever is made of them inside must not be used outside before."""
    data = read(path, size, what=what)
    if len(data) != size:
        raise StorageError(f"{what} {str(path)!r} has {len(data)} bytes; expected {size}")
    with ThreadPoolExecutor(1) as behind:
        digest = behind.submit(lambda: hashlib.sha256(data).hexdigest())
        try:
            yield data
        finally:
            # Also instead of an error inside, which wrong bytes may well have led to.
            _require(digest.result(), expect_sha256, path, what)


def _require(found: str, expected: str, path: Path, what: str) -> None:
    if found != expected:
        raise StorageError(
            f"{what} {str(path)!r} is damaged: its sha256 is not {expected}; restore it"
        )


def _taken(stream: BufferedReader, count: int, what: str, path: Path) -> bytes:
    try:
        return stream.read(count)
    except MemoryError:
        raise StorageError(
            f"{what} {str(path)!r} has {count - 1} bytes, for which there is not memory enough"
        ) from None
