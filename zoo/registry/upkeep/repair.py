"""Make what is derived anew from records and states: heads, index pages, the catalog.

Records, states and files are never touched: what is wrong with those only a copy can mend, or a
new publication.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import RegistryError, ZooError
from zoo.registry import following, layout, marker, names, numbering
from zoo.registry.derived import RESTORE, lost, read_page
from zoo.registry.record import Record
from zoo.registry.tree import KeptTree, Tree, WritableTree
from zoo.registry.upkeep.findings import Finding, several
from zoo.registry.upkeep.verify_derived import is_page
from zoo.storage import limits

_SHARD = re.compile(r"[0-9a-f]{2}\.json")
_ROUNDS = 100  # as long as models are published for the first time while we write


@dataclass
class Repaired:
    """``models``: whose head and index are as their versions now; ``removed``: derived files of
    what is not there; ``left``: what could not be mended, and what to do."""

    models: int = 0
    removed: list[str] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)

    def summary(self) -> str:
        left = f"; {several(len(self.left), 'error')} left" if self.left else ""
        return f"head, index and catalog of {several(self.models, 'model')} are made anew{left}"

    def as_json(self) -> dict[str, Any]:
        return {
            "models": self.models,
            "removed": self.removed,
            "left": [vars(one) for one in self.left],
        }


def repair(tree: Tree, where: str) -> Repaired:
    """Raises :class:`ZooError` when the place cannot be written, or is no registry."""
    if not isinstance(tree, WritableTree) or not tree.listed:
        raise RegistryError(f"{where} can only be read; repair it where it can be written")
    if not marker.check(tree, where):
        raise RegistryError(f"{where} is no registry: it has no {layout.MARKER}")
    done = Repaired()
    listed: dict[str, str | None] = {}
    for turn in range(_ROUNDS):
        new = sorted(_folders(tree) - listed.keys())
        if turn and not new:
            break
        listed |= {folder: _repair_model(tree, folder, done) for folder in new}
        following.write_catalog(tree, [name for name in listed.values() if name])
    known = {layout.shard(name) for name in listed.values() if name}
    for part in tree.names(layout.CATALOG):
        path = f"{layout.CATALOG}/{part}"
        if _SHARD.fullmatch(part) and path not in known:
            _remove(tree, path, "it lists models that are not there", done)
    return done


def _folders(tree: Tree) -> set[str]:
    """Of the models that have a version."""
    found = (one for one in tree.names(layout.MODELS) if names.is_name(one))
    return {
        folder
        for folder in found
        if names.fold(folder) == folder and numbering.newest(tree, layout.versions(folder), 1)
    }


def _repair_model(tree: WritableTree, folder: str, done: Repaired) -> str | None:
    """The model's exact name; None where no record tells it."""
    newest = numbering.newest(tree, layout.versions(folder), 1)
    name: str | None = None
    try:
        name = _name(tree, folder, newest)
        before = _indexed(tree, name, newest)
        following.follow(tree, name, anew=True)
        done.left += _rewritten(tree, name, before)
    except ZooError as error:
        advice = "" if RESTORE in str(error) else f"; {RESTORE}"
        done.left.append(Finding(layout.model(folder), f"{error}{advice}"))
        return name
    done.models += 1
    for page in tree.names(f"{layout.model(folder)}/index"):
        first = int(page[:-5]) * layout.PAGE_ROWS + 1 if is_page(page) else 0
        if first > newest and not tree.exists(layout.version(folder, first)):
            _remove(tree, layout.page(folder, first), "there are no such versions", done)
    return name


def _indexed(tree: Tree, name: str, newest: int) -> dict[int, str]:
    """The digests that the index has, where it can be read."""
    found: dict[int, str] = {}
    for first in range(1, newest + 1, layout.PAGE_ROWS):
        try:
            page = read_page(tree, name, first)
        except ZooError:
            continue
        found |= {row.v: row.sha256 for row in page.rows} if page else {}
    return found


def _rewritten(tree: Tree, name: str, before: dict[int, str]) -> list[Finding]:
    """A record that is another one than was indexed. Nothing else tells of an edited newest one,
    and the index, made anew, will not tell again."""
    now = _indexed(tree, name, max(before, default=0))
    return [
        Finding(
            layout.version(name, number),
            f"its record is not the one that was indexed (sha256:{digest}): unless a power cut "
            f"took that one back, somebody changed it; {RESTORE}",
        )
        for number, digest in before.items()
        if now.get(number, digest) != digest
    ]


def _name(tree: Tree, folder: str, newest: int) -> str:
    problem: ZooError | None = None
    for number in dict.fromkeys((1, newest)):
        path = layout.version(folder, number)
        try:
            data = tree.read(path, limits.RECORD_BYTES)
            if data is None:
                raise lost(tree, path, "it is missing")
            name = Record.from_bytes(data, f"model {folder!r} version {number}").model
            if names.fold(name) == folder:
                return name
            raise lost(tree, path, f"it is that of model {name!r}")
        except ZooError as error:
            problem = problem or error
    assert problem is not None
    raise problem


def _remove(tree: WritableTree, path: str, why: str, done: Repaired) -> None:
    if isinstance(tree, KeptTree):
        tree.remove(path)
        done.removed.append(path)
    else:
        done.left.append(Finding(path, f"{why}; remove it"))
