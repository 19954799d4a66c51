"""What the operating system refused, as one line that says what to do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from zoo.errors import StorageError

_DENIED = "permission denied; ask the folder's owner, or choose another folder"
_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space, then repeat the command",
    errno.EDQUOT: "the disk quota is used up; free some space, then repeat the command",
    errno.EROFS: "the file system is read-only; choose a folder that can be written",
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.ENOENT: "no such file or folder",
    errno.EISDIR: "it is a folder; expected a file",
    errno.ENOTDIR: "a part of the path is a file; expected a folder",
    errno.ELOOP: "it is a symbolic link; give the file itself",
    errno.EIO: "the disk reports an error; check it, and write elsewhere meanwhile",
}


def storage_error(doing: str, path: Path, error: OSError) -> StorageError:
    what = _ADVICE.get(error.errno or 0) or (error.strerror or type(error).__name__).lower()
    return StorageError(f"cannot {doing} {str(path)!r}: {what}")


@contextlib.contextmanager
def reported(doing: str, path: Path) -> Iterator[None]:
    """Turn an ``OSError`` inside into a :class:`StorageError` naming ``path``."""
    try:
        yield
    except OSError as error:
        raise storage_error(doing, path, error) from error
