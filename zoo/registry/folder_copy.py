"""Put files into a folder that is there whole or not at all."""

# ruff: noqa: PTH104

from __future__ import annotations

import itertools
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import StorageError
from zoo.registry.places import cache
from zoo.storage import commit
from zoo.storage.failures import reported


@dataclass(frozen=True)
class Wanted:
    """A file of the folder. ``data``: its bytes, where they are here already."""

    path: str
    sha256: str
    size: int
    data: bytes | None = None


def is_there(folder: Path, wanted: Sequence[Wanted]) -> bool:
    """Whether ``folder`` holds exactly these files; False when it is missing or empty. Raises
    :class:`StorageError` when something else is there."""
    if not os.path.lexists(folder):
        return False
    if folder.is_symlink() or not folder.is_dir():
        raise StorageError(f"{str(folder)!r} is there and is no folder; choose another place")
    with reported("read", folder):
        most = 3 * len(wanted)  # and folders of theirs; it may be anybody's whole home
        some = itertools.islice(folder.rglob("*"), most)
        found = {path.relative_to(folder).as_posix(): path for path in some}
        if not found:
            return False
        files = {name: path for name, path in found.items() if not path.is_dir()}
        same = set(files) == {one.path for one in wanted} and all(
            not path.is_symlink() for path in found.values()
        )
        same = same and all(cache.holds(files[one.path], one.sha256, one.size) for one in wanted)
    if not same:
        raise StorageError(
            f"{str(folder)!r} is there and holds something else; nothing in it was touched; remove "
            f"it, or choose another place"
        )
    return True


def write(folder: Path, wanted: Sequence[Wanted], sources: Mapping[str, Path]) -> None:
    """Copy ``sources``, by their path in the folder, compare the copies, and rename them into
    place. Raises :class:`StorageError`, and leaves nothing, when one is another."""
    folder = folder.absolute()
    commit.make_folder(folder.parent)
    staging = folder.parent / f"{commit.TEMPORARY_PREFIX}{uuid.uuid4().hex}"
    try:
        commit.make_folder(staging)
        for one in wanted:
            _copy(one, one.data if one.data is not None else sources[one.path], staging)
        with reported("write", folder):
            os.rename(staging, folder)  # refuses where something is, but for an empty folder
            commit.sync_folder(folder.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _copy(wanted: Wanted, source: Path | bytes, staging: Path) -> None:
    path = staging / wanted.path
    commit.make_folder(path.parent)
    staged = commit.copy_hashed(source, path.parent, mode=commit.READABLE, links=True)
    if (staged.sha256, staged.size) != (wanted.sha256, wanted.size):
        commit.discard(staged)
        raise StorageError(f"{wanted.path!r} changed while it was copied; try again")
    commit.adopt(staged, path)
