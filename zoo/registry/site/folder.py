"""Put a site where the one before was, whole or not at all.

The pages are written into a fresh folder beside it, which then takes its name: a reader sees the
old site or the new one. Between the two renames there is none for a moment; killed there, the old
site lies beside, and the next call makes a new one. Nothing is synced: a site can be made again.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from zoo.errors import RegistryError, StorageError
from zoo.registry import names
from zoo.storage import commit, reading, strict_json
from zoo.storage.failures import reported

MARKER = "zoo-site.json"
FORMAT = 1
MODELS, PICTURES = "models", "pictures"
INDEX, STYLE, SCRIPT, ICON = "index.html", "style.css", "site.js", "icon.svg"
_TOP = frozenset({MARKER, INDEX, STYLE, SCRIPT, ICON, MODELS, PICTURES})
PICTURE_SUFFIX = ".png"
_PICTURE = re.compile(r"[0-9a-f]{64}\.png")
_LEFT_OVER = 24 * 3600  # seconds after which nobody is still writing


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A fresh folder to write a site into. On a normal end it takes the place of ``path``, which
    may be missing, empty or an earlier site; else it is removed. Raises :class:`RegistryError`
    when ``path`` holds anything else."""
    place = path.expanduser().resolve()  # a link to a site goes on leading to it
    check_place(place)
    commit.make_folder(place.parent)
    _remove_left_over(place)
    fresh = _beside(place)
    try:
        with reported("make the folder", fresh):
            for folder in (fresh, fresh / MODELS, fresh / PICTURES):
                folder.mkdir()
        yield fresh
        marker = json.dumps({"format": FORMAT, "pages": "zoo registry site"})
        with reported("write into", fresh):
            (fresh / MARKER).write_text(f"{marker}\n", encoding="utf-8")
        check_place(place)
        _swap(fresh, place)
    finally:
        _remove(fresh)


def check_place(place: Path) -> None:
    """Raise :class:`RegistryError` unless ``place`` may be replaced without a loss."""
    with reported("read", place):
        if not place.exists():
            return
        if not place.is_dir():
            raise RegistryError(f"site {str(place)!r} is a file; give a folder")
        if not any(place.iterdir()):
            return
        if not _is_site(place):
            raise RegistryError(
                f"site {str(place)!r} is a folder with other things in it, which would be lost; "
                f"give a new folder, an empty one, or an earlier site"
            )
        for one in _foreign(place):
            raise RegistryError(
                f"site {str(place)!r} holds {one!r}, which is no page of it and would be lost; "
                f"move it away"
            )


def _is_site(place: Path) -> bool:
    try:
        data = reading.read(place / MARKER, 4096, what="marker")
        marker = strict_json.loads(data, "marker", 4096)
    except StorageError:
        return False
    return isinstance(marker, dict) and marker.get("pages") == "zoo registry site"


def _foreign(place: Path) -> Iterator[str]:
    yield from (one.name for one in place.iterdir() if one.name not in _TOP)
    for folder in (MODELS, PICTURES):
        for one in (place / folder).iterdir() if (place / folder).is_dir() else ():
            page = one.suffix == ".html" and names.is_name(one.stem)
            if one.is_dir() or not (page if folder == MODELS else _PICTURE.fullmatch(one.name)):
                yield f"{folder}/{one.name}"


def _swap(fresh: Path, place: Path) -> None:
    with reported("write", place):
        if not place.exists():
            fresh.rename(place)
            return
        old = _beside(place)
        place.rename(old)
        try:
            fresh.rename(place)
        except BaseException:
            old.rename(place)
            raise
    _remove(old)


def _beside(place: Path) -> Path:
    return place.parent / f".{place.name}{commit.TEMPORARY_PREFIX}{uuid.uuid4().hex}"


def _remove_left_over(place: Path) -> None:
    """What killed calls left beside it."""
    for one in place.parent.glob(f".{_literal(place.name)}{commit.TEMPORARY_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - one.stat().st_mtime > _LEFT_OVER:
                _remove(one)


def _literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
