"""Bring a dataset's published files to where its plugin wants them: what ``zoo data get`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from zoo.data.download import Report, UnreachableError, Wanted, digest_of, download
from zoo.errors import DataError, PluginError, ZooError, reason
from zoo.plugins.catalog import Component
from zoo.plugins.contexts import DatasetContext
from zoo.plugins.specs import RemoteFile


def get(component: Component, root: Path, options: Mapping[str, Any], report: Report) -> list[Path]:
    """Download what is not there yet, compare every md5, and unpack. The files' paths.

    ``report``: as in :func:`zoo.data.download.download`. Raises :class:`DataError`; without a
    network it says which files to put where.
    """
    files = component.fetch(DatasetContext(root), options)
    paths = [_place(component, root, file) for file in files]
    missing = [file for file, path in zip(files, paths, strict=True) if not _is_there(file, path)]
    for file, path in zip(files, paths, strict=True):
        if file in missing:
            _get_one(file, path, report, missing, root)
            missing = missing[1:]
        _unpack(component, file, path)
    return paths


def _place(component: Component, root: Path, file: RemoteFile) -> Path:
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise PluginError(f"{component}: file {file.path!r}: expected a path below the root")
    return root / path


def _is_there(file: RemoteFile, path: Path) -> bool:
    """Whether the published file is at ``path``. Another one there is the user's, and stays."""
    if not path.exists():
        return False
    try:
        found = digest_of(path, "md5")
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {reason(error)}") from error
    then = "; move it away, then type the same command again"
    Wanted.of(file).require(found, repr(str(path)), then)
    return True


def _get_one(
    file: RemoteFile, path: Path, report: Report, missing: Sequence[RemoteFile], root: Path
) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make {str(path.parent)!r}: {reason(error)}") from error
    try:
        download(Wanted.of(file), path, report)
    except UnreachableError as error:
        wanted = ", ".join(f"{one.url} as {str(root / one.path)!r}" for one in missing)
        raise UnreachableError(
            f"{error}; without a network put here by other means: {wanted}; then type the same "
            f"command again"
        ) from error


def _unpack(component: Component, file: RemoteFile, path: Path) -> None:
    if file.unpack is None:
        return
    try:
        file.unpack(path)
    except ZooError:
        raise
    except Exception as error:  # an archive's reader has errors of its own, a full disk another
        raise DataError(
            f"{component}: {str(path)!r} cannot be unpacked: {reason(error)}"
        ) from error
