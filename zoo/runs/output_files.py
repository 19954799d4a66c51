"""Where answers are written: whole at the end or not at all, and never over what is there unasked.

Nothing but the one file of a table is synced: pictures can be made again.
"""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from zoo.errors import DataError
from zoo.storage import commit
from zoo.storage.failures import reported


def check_file(path: Path, force: bool) -> None:
    """Raise :class:`DataError` unless a file may be put at ``path``."""
    if path.is_dir():
        raise DataError(f"output {str(path)!r} is a folder; give a file in it")
    if path.exists() and not path.is_file():
        raise DataError(f"output {str(path)!r} is no regular file; give one, or '-' for stdout")
    if path.exists() and not force:
        raise DataError(f"output {str(path)!r} exists already; add --force to replace it")


def write_file(path: Path, fill: Callable[[Path], None], force: bool) -> None:
    """Put at ``path`` what ``fill`` writes to the path it is given, in the same folder."""

    def checked(temporary: Path) -> None:
        fill(temporary)
        check_file(path, force)

    commit.make_folder(path.absolute().parent)
    commit.replace_with(path, checked)


def check_folder(path: Path, force: bool) -> None:
    """Raise :class:`DataError` unless ``path`` is missing, or an empty folder, or, with ``force``,
    any folder."""
    if path.exists() and not path.is_dir():
        raise DataError(f"output {str(path)!r} is a file; give a folder")
    if path.is_dir() and not force:
        with reported("read", path):
            if any(path.iterdir()):
                raise DataError(
                    f"output {str(path)!r} is a folder with something in it; give another, or add "
                    f"--force to replace the files of the same names"
                )


@contextlib.contextmanager
def written_folder(path: Path, force: bool) -> Iterator[Path]:
    """A fresh folder to write into. On a normal end it becomes ``path``, or, where there is
    something already, each of its files replaces the one of its name there; else it is removed."""
    check_folder(path, force)
    place = path.absolute()
    commit.make_folder(place.parent)
    fresh = place.parent / f"{commit.TEMPORARY_PREFIX}{uuid.uuid4().hex}"
    try:
        with reported("make the folder", fresh):
            fresh.mkdir()
        yield fresh
        check_folder(path, force)
        with reported("write", path):
            _move(fresh, place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _move(fresh: Path, place: Path) -> None:
    if not place.is_dir():
        fresh.rename(place)
        return
    for file in sorted(path for path in fresh.rglob("*") if path.is_file()):
        target = place / file.relative_to(fresh)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.parent.resolve().is_relative_to(place.resolve()):
            raise DataError(f"output {str(target.parent)!r} is a link out of the folder; remove it")
        file.replace(target)
