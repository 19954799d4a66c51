"""Everything that lies in a registry, and whether it belongs there."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from typing import Literal, NamedTuple

from zoo.registry import layout
from zoo.registry.tree import Entry, KeptTree
from zoo.storage.commit import TEMPORARY_PREFIX

_MODEL = rf"{layout.MODELS}/[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
_NUMBER = layout.NUMBERED.pattern
_BLOB = rf"{layout.BLOBS}/([0-9a-f]{{2}})"
_LOCK = "lock"
_FILES = re.compile(
    "|".join(
        (
            re.escape(layout.MARKER),
            rf"{_BLOB}/\1[0-9a-f]{{62}}",
            rf"{_MODEL}/(?:head\.json|{_LOCK}|(?:versions|state)/{_NUMBER}|index/(?:0\.json|{_NUMBER}))",
            rf"{layout.CATALOG}/(?:shards\.json|[0-9a-f]{{2}}\.json|{_LOCK})",
            rf"{layout.TMP}/refuses-to-overwrite",
            rf"{layout.TRASH}/(?:{_LOCK}|{layout.TRASHED}/[0-9a-f]{{64}})",
        )
    )
)
_FOLDERS = re.compile(
    "|".join(
        (
            "blobs", layout.BLOBS, _BLOB, layout.MODELS, rf"{_MODEL}(?:/(?:versions|state|index))?",
            layout.CATALOG, layout.TMP, layout.TRASH, rf"{layout.TRASH}/{layout.TRASHED}",
        )
    )
)  # fmt: skip
Kind = Literal["file", "folder", "temporary", "stray"]


class Found(NamedTuple):
    """``kind``: what it is by its place and its own nature; ``stray``: nothing of zoo's."""

    path: str
    entry: Entry
    kind: Kind


def walk(tree: KeptTree, folder: str = "") -> Iterator[Found]:
    """All that lies in ``folder``, at any depth; strays are not entered. Raises
    :class:`ZooError` for a folder that cannot be listed."""
    pending = [folder]
    while pending:
        inside = pending.pop()
        for entry in tree.entries(inside):
            path = f"{inside}/{entry.name}" if inside else entry.name
            kind = _kind(path, entry)
            if kind == "folder":
                pending.append(path)
            yield Found(path, entry, kind)


def _kind(path: str, entry: Entry) -> Kind:
    if entry.size is None:
        return "folder" if _FOLDERS.fullmatch(path) else "stray"
    if not is_plain(entry):
        return "stray"
    if entry.name.startswith(TEMPORARY_PREFIX):
        return "temporary"
    return "file" if _FILES.fullmatch(path) else "stray"


def is_plain(entry: Entry) -> bool:
    """Whether it is a file, and no link, pipe or device."""
    return entry.size is not None and (entry.mode is None or stat.S_ISREG(entry.mode))


def is_folder(entry: Entry) -> bool:
    return entry.size is None
