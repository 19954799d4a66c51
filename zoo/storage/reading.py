"""Read a file whole into memory, never more than a limit."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from zoo.errors import StorageError, missing_path
from zoo.storage import limits
from zoo.storage.failures import reported

_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def read(path: Path, limit: int, expect_sha256: str | None = None, what: str = "file") -> bytes:
    """The bytes of a regular file. Read, not mapped: a file that is truncated under a map kills the
    process. Raises :class:`StorageError` when it is missing, longer than ``limit`` or, with
    ``expect_sha256``, not the file it should be."""
    with reported("read", path):
        try:
            descriptor = os.open(path, _FLAGS)
        except FileNotFoundError:
            raise StorageError(missing_path(what, path)) from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise StorageError(f"{what} {str(path)!r} is not a regular file")
            if status.st_size > limit:
                raise StorageError(_too_long(what, path, limit))
            with open(descriptor, "rb", closefd=False) as stream:
                data = stream.read(limit + 1)
        finally:
            os.close(descriptor)
    if len(data) > limit:
        raise StorageError(_too_long(what, path, limit))
    if expect_sha256 is not None:
        _require(hashlib.sha256(data).hexdigest(), expect_sha256, path, what)
    return data


@contextlib.contextmanager
def meanwhile(path: Path, limit: int, expect_sha256: str, what: str = "file") -> Iterator[bytes]:
    """As :func:`read`, but the bytes are there at once and are compared behind them, by another
    thread; leaving the block raises where they are not those expected. Whatever is made of them
    inside must not be used outside before."""
    data = read(path, limit, what=what)
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


def _too_long(what: str, path: Path, limit: int) -> str:
    longer = limits.longer(f"{what} {str(path)!r}", limit)
    return f"{longer}; that is no {what} of zoo's"
