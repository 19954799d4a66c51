"""The one piece of code that makes bytes durable: whole or not there at all, and still there after
a power cut.

Registry, checkpoints and predictions all write through it. Every call to the system goes through
the module ``os`` by name, so that tests can count, fail or kill at each. A failed fsync is fatal
and never retried: the kernel marks the lost pages clean, and a second fsync would prove nothing.
On Windows a folder cannot be synced; there the last rename may be lost in a power cut. On macOS
fsync stops at the drive's cache; F_FULLFSYNC goes through it.
"""

# ruff: noqa: PTH101, PTH102, PTH105, PTH108, PTH116

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import StorageError
from zoo.storage import limits
from zoo.storage.failures import reported, storage_error

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

READABLE, IMMUTABLE = 0o644, 0o444
TEMPORARY_PREFIX = ".zoo-tmp-"  # what a killed process may leave behind starts so
_BLOCK = 1 << 20
_BINARY = getattr(os, "O_BINARY", 0)  # Windows
# NONBLOCK: opening a FIFO must not wait for its writer. Windows has neither.
_SOURCE = os.O_RDONLY | _BINARY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)  # macOS
# What file systems that cannot do that (shared folders) answer: there fsync is all there is.
_NO_FULL_SYNC = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY, errno.ENODEV}
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_NOWHERE = "the folder it would be in is gone; change to another"
# Why the parent of a folder that was there before us may not be synced: it is not ours.
_NOT_OURS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EINVAL}


@dataclass(frozen=True)
class Staged:
    """A durable temporary file and what it holds."""

    path: Path
    sha256: str
    size: int


def write(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``, replacing what was there."""

    def fill(temporary: Path) -> None:
        _write_new(temporary, [data], READABLE)

    _replace(path, fill)


def create(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``, where nothing may be yet: raises ``FileExistsError`` otherwise."""
    temporary = _temporary(path)
    try:
        with reported("write", path):
            _write_new(temporary, [data], READABLE)
        _link(temporary, path)
    finally:
        _discard(temporary)
    with reported("write", path):
        sync_folder(path.parent)


def replace_with(path: Path, write_temporary: Callable[[Path], None]) -> None:
    """Put at ``path`` what ``write_temporary`` writes to the path it is given, in the same folder
    and with the same suffix: for libraries that write files themselves."""

    def fill(temporary: Path) -> None:
        write_temporary(temporary)
        os.chmod(temporary, READABLE)
        _sync(temporary, os.O_RDWR | _BINARY)

    _replace(path, fill)


def make_folder(path: Path) -> None:
    """Make ``path`` and the parents it lacks. Existing folders are fine.

    A folder gets a child only after its own entry is synced; so what a killed process made but did
    not sync is always the innermost existing one, and syncing that one's parent completes it.
    """
    with reported("make the folder", path):
        missing: list[Path] = []
        existing = path
        while not existing.is_dir():
            if existing.parent == existing:
                raise StorageError(f"cannot make the folder {str(path)!r}: {_NOWHERE}")
            missing.append(existing)
            existing = existing.parent
        _sync_parent_of_existing(existing)
        for folder in reversed(missing):
            try:
                os.mkdir(folder)
            except FileExistsError:
                if not folder.is_dir():
                    what = f"cannot make the folder {str(folder)!r}: a file of that name is there"
                    raise StorageError(what) from None
            sync_folder(folder.parent)


def copy_hashed(
    source: Path | bytes,
    folder: Path,
    *,
    mode: int = IMMUTABLE,
    limit: int = limits.FILE_BYTES,
    links: bool = False,
) -> Staged:
    """Copy ``source`` into a new temporary file in ``folder``, hashing what is written.

    The caller moves the file with :func:`adopt` or removes it with :func:`discard`. Refuses
    symbolic links, files with other names (hard links), whatever is no regular file, more than
    ``limit`` bytes, and a file that changes meanwhile. ``links``: take files with other names,
    for a caller who compares the digest: registries are backed up by hard links.
    """
    temporary = _temporary(folder / "staged")
    blocks = [source] if isinstance(source, bytes) else _blocks(source, limit, links)
    hashed = _Hashed(blocks)
    with _discarded_on_failure(temporary), reported("write into", folder):
        _write_new(temporary, hashed, mode)
    return Staged(temporary, hashed.digest.hexdigest(), hashed.size)


def adopt(staged: Staged, path: Path) -> None:
    """Give a staged file, which is on the same file system, its name. Replaces what was there."""
    with reported("write", path):
        os.replace(staged.path, path)
        sync_folder(path.parent)


def discard(staged: Staged) -> None:
    """Remove a staged file, if it is still there."""
    _discard(staged.path)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable. Raises ``OSError``."""
    if os.name != "nt":
        _sync(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))


def _replace(path: Path, fill: Callable[[Path], None]) -> None:
    temporary = _temporary(path)
    with reported("write", path):
        with _discarded_on_failure(temporary):
            fill(temporary)
            os.replace(temporary, path)
        sync_folder(path.parent)


def _temporary(path: Path) -> Path:
    # Random, not the process id: another machine may write to the same shared folder.
    return path.parent / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}{path.suffix}"


def _write_new(path: Path, blocks: Iterator[bytes] | list[bytes] | _Hashed, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        for block in blocks:
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.chmod(path, mode)
        _flush(descriptor)
    finally:
        os.close(descriptor)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        _flush(descriptor)
    finally:
        os.close(descriptor)


def _flush(descriptor: int) -> None:
    if _FULL_SYNC is not None:
        try:
            fcntl.fcntl(descriptor, _FULL_SYNC)
            return
        except OSError as error:
            if error.errno not in _NO_FULL_SYNC:
                raise
    os.fsync(descriptor)


def _sync_parent_of_existing(folder: Path) -> None:
    parent = folder.absolute().parent
    try:
        sync_folder(parent)
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise


def _link(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        # NFS repeats a request whose answer was lost, and then finds the link it made itself.
        if os.stat(temporary).st_nlink != 2:
            raise
    except OSError as error:
        if error.errno in _NO_HARD_LINKS:
            raise StorageError(
                f"cannot write {str(path)!r}: its file system has no hard links, without which "
                f"nothing keeps two writers apart; choose a folder on another file system"
            ) from error
        raise storage_error("write", path, error) from error


@contextlib.contextmanager
def _discarded_on_failure(temporary: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _discard(temporary)
        raise


def _discard(temporary: Path) -> None:
    with contextlib.suppress(OSError):
        os.unlink(temporary)


class _Hashed:
    """The blocks, hashed and counted as they pass."""

    def __init__(self, blocks: Iterator[bytes] | list[bytes]) -> None:
        self._blocks = blocks
        self.digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self.digest.update(block)
            self.size += len(block)
            yield block


def _blocks(source: Path, limit: int, links: bool) -> Iterator[bytes]:
    with reported("read", source):
        descriptor = os.open(source, _SOURCE)
        try:
            before = os.fstat(descriptor)
            _check_source(source, before, limit, links)
            while block := os.read(descriptor, _BLOCK):
                yield block
                limit -= len(block)
                if limit < 0:
                    break
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise StorageError(f"{str(source)!r} changed while it was copied; try again")


def _check_source(source: Path, status: os.stat_result, limit: int, links: bool) -> None:
    if source.is_symlink() or not stat.S_ISREG(status.st_mode):
        raise StorageError(f"{str(source)!r} is not a regular file; give the file itself")
    if status.st_nlink != 1 and not links:
        raise StorageError(f"{str(source)!r} has hard links, so others may change it; give a copy")
    if status.st_size > limit:
        raise StorageError(f"{str(source)!r} has {status.st_size} bytes; at most {limit} are taken")
