"""The images below a folder, in an order that does not depend on the disk.

Links are followed, since whoever owns the disk made them; but no folder is entered twice on one
walk, so that a link back up ends there. Hidden files and folders are passed over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import splitext

from zoo import DataError

# The suffixes of the formats that zoo.open_image decodes.
SUFFIXES = frozenset(
    [".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".pgm", ".ppm", ".pbm"]
)
_Identity = tuple[int, int]  # of a folder: its device and its number there


@dataclass
class Found:
    """Paths relative to the root, parts joined by "/". ``broken``: named as images, but no files:
    links that lead nowhere, as those of data that was not fetched."""

    images: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, more: Found) -> None:
        self.images += more.images
        self.others += more.others
        self.broken += more.broken


def is_image(name: str) -> bool:
    return splitext(name)[1].lower() in SUFFIXES


def images_below(layout: str, root: Path, folder: str) -> Found:
    """All files in ``folder`` (relative to ``root``, "" for it) and its subfolders, each list
    sorted."""
    found = Found()
    # The way down counts as entered: a link to the root would make every class hold all images.
    parts = folder.split("/") if folder else []
    seen = {_identity(root.joinpath(*parts[:depth])) for depth in range(len(parts) + 1)}
    waiting = [folder]
    while waiting:
        below = waiting.pop()
        for entry in _entries(layout, root / below):
            relative = f"{below}/{entry.name}" if below else entry.name
            if _is_folder(entry):
                identity = _identity(Path(entry.path))
                if identity not in seen:
                    seen.add(identity)
                    waiting.append(relative)
            else:
                _sort_in(entry, relative, found)
    for names in (found.images, found.others, found.broken):
        names.sort()
    return found


def listing(layout: str, root: Path, folder: str = "") -> tuple[list[str], Found]:
    """(subfolders' names, sorted; the files directly in ``folder``)."""
    folders, found = [], Found()
    for entry in _entries(layout, root / folder):
        if _is_folder(entry):
            folders.append(entry.name)
        else:
            _sort_in(entry, f"{folder}/{entry.name}" if folder else entry.name, found)
    return folders, found


def refuse_broken(layout: str, found: Found) -> None:
    if found.broken:
        raise DataError(
            f"dataset {layout!r}: {len(found.broken)} images are links that lead nowhere, or no "
            f"files; the first is {found.broken[0]!r}; fetch the files, or remove the links"
        )


def _entries(layout: str, folder: Path) -> Iterator[os.DirEntry[str]]:
    """Visible entries by name. A name that is no text could not be written into any record."""
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            f"dataset {layout!r}: folder {str(folder)!r} cannot be read ({error.strerror}); make "
            f"it readable, or move it away"
        ) from error
    for entry in entries:
        if any("\ud800" <= character <= "\udfff" for character in entry.name):
            raise DataError(
                f"dataset {layout!r}: the file name {entry.name!r} in {str(folder)!r} is not "
                f"UTF-8; rename it"
            )
        if not entry.name.startswith("."):
            yield entry


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _sort_in(entry: os.DirEntry[str], relative: str, found: Found) -> None:
    if not is_image(entry.name):
        found.others.append(relative)
    elif os.path.isfile(entry.path):  # noqa: PTH113 - a Path for each of a million files is slow
        found.images.append(relative)
    else:
        found.broken.append(relative)


def _identity(folder: Path) -> _Identity:
    status = folder.stat()
    return status.st_dev, status.st_ino
