"""Collect what no version names: into the trash first, and out of it after a second grace.

Nothing here needs a lock, and publishers may be at work. A publisher makes each file young that its
version will name, then puts the record there, then looks whether the files are still there. A
collection takes a file, then looks at its date and at the records that came meanwhile, and gives
back what either speaks for. So one of the two sees the other.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from zoo.errors import RegistryError, ZooError
from zoo.registry import layout, marker
from zoo.registry.tree import KeptTree, Tree
from zoo.registry.upkeep.findings import several
from zoo.registry.upkeep.references import References
from zoo.registry.upkeep.walking import Found, walk

DAY = 86400.0
GRACE = 7 * DAY
# Of files that nobody has finished: to write a large one, and to try it out, takes a while.
UNFINISHED = DAY
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY}
_STAMP = "%Y%m%dT%H%M%SZ"
_BATCH = 64


@dataclass
class Collected:
    """Paths: ``taken`` into the trash, ``deleted`` out of it, ``unfinished`` ones removed, those
    ``returned`` to their place because a version names them. ``bytes``: of ``taken`` and
    ``deleted`` together; ``young``: how many files were left because they are younger than the
    grace; ``problem``: why a file could not be moved; the others were. Without ``applied`` all that
    is what would be done."""

    applied: bool
    taken: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    young: int = 0
    bytes: int = 0
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """What was done, or would be."""
        would = "" if self.applied else "would be "
        said = [
            (self.taken, "that no version names", "moved to the trash"),
            (self.deleted, "in the trash", "deleted"),
            (self.unfinished, "that nobody has finished", "deleted"),
            (self.returned, "that a version names", "moved back out of the trash"),
        ]
        return [
            f"{several(len(one), 'file')} {which}: {would}{done}"
            for one, which, done in said
            if one
        ]

    def summary(self, grace: str) -> str:
        """``grace``: as it was given."""
        verb = "is" if self.young == 1 else "are"
        young = f"; {self.young} more {verb} younger than {grace}" if self.young else ""
        return f"{several(self.bytes, 'byte')}{young}"


def seconds(grace: str) -> float:
    """``7d``, ``12h``, ``90m``, ``30s`` or ``0`` in seconds. Raises :class:`RegistryError`."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", grace) or re.fullmatch(r"(0)()", grace)
    if match is None:
        raise RegistryError(f"grace {grace!r}: expected a time such as '7d', '12h', '90m' or '0'")
    return int(match[1]) * _UNITS.get(match[2], 0.0)


def collect(tree: Tree, where: str, *, grace: float = GRACE, apply: bool = False) -> Collected:
    """``grace``: in seconds, for files that no version names, and again for those in the trash.
    Without ``apply`` nothing is changed. Raises :class:`RegistryError`, and removes nothing, while
    a record cannot be read."""
    if not isinstance(tree, KeptTree):
        raise RegistryError(f"{where} can only be read; collect where it can be written")
    if not marker.check(tree, where):
        raise RegistryError(f"{where} is no registry: it has no {layout.MARKER}")
    if not apply:
        return _Collection(tree, grace, time.time(), apply=False).run()
    tree.prepare((layout.TRASH,))
    with tree.alone(layout.TRASH):
        return _Collection(tree, grace, tree.now(), apply=True).run()


class _Collection:
    def __init__(self, tree: KeptTree, grace: float, now: float, *, apply: bool) -> None:
        self._tree, self._grace, self._now, self._apply = tree, grace, now, apply
        self._trash = f"{layout.TRASH}/{datetime.fromtimestamp(now, UTC).strftime(_STAMP)}"
        self._references = References(tree)
        self._done = Collected(apply)

    def run(self) -> Collected:
        self._empty_trash()
        candidates = self._candidates()
        while batch := list(islice(candidates, _BATCH)):
            self._take(batch)
        self._remove_unfinished()
        return self._done

    def _empty_trash(self) -> None:
        """What a version names after all goes back: a collection was killed before it could."""
        old, folders = [], []
        for one in list(walk(self._tree, layout.TRASH)):
            stamp = one.path.split("/")[1]
            if one.kind == "folder":
                folders.append(one.path)
            elif one.kind == "file" and "/" in one.path.removeprefix(f"{layout.TRASH}/"):
                if one.entry.name in self._references.blobs:
                    self._give_back(one.path)
                elif self._is_old(_seconds_of(stamp)):
                    old.append(one)
        if self._apply:
            self._references.look_again()
        for one in old:
            if one.entry.name in self._references.blobs:
                self._give_back(one.path)
                continue
            self._done.deleted.append(one.path)
            self._done.bytes += one.entry.size or 0
            if self._apply:
                self._tree.remove(one.path)
        for folder in folders if self._apply else ():
            if not self._tree.names(folder):
                self._tree.remove(folder)

    def _candidates(self) -> Iterator[Found]:
        for one in walk(self._tree, layout.BLOBS):
            if one.kind != "file" or one.entry.name in self._references.blobs:
                continue
            if self._is_old(one.entry.modified):
                yield one
            else:
                self._done.young += 1

    def _take(self, batch: list[Found]) -> None:
        taken: dict[str, Found] = {}
        if self._apply:
            try:
                for one in batch:
                    self._take_one(one, taken)
                self._references.look_again()
            except BaseException:  # without the second look nothing stays taken
                for sha256 in taken:
                    with contextlib.suppress(ZooError):
                        self._give_back(f"{self._trash}/{sha256}")
                raise
        else:
            taken = {one.entry.name: one for one in batch}
        for sha256, one in taken.items():
            if sha256 in self._references.blobs:
                self._give_back(f"{self._trash}/{sha256}")
            else:
                self._done.taken.append(one.path)
                self._done.bytes += one.entry.size or 0

    def _take_one(self, one: Found, taken: dict[str, Found]) -> None:
        """Add it to ``taken`` unless somebody uses it again, or it cannot be moved."""
        if self._tree.modified(one.path) != one.entry.modified:
            return
        name, to = one.entry.name, f"{self._trash}/{one.entry.name}"
        taken[name] = one  # whatever happens from here on
        moved = False
        try:
            put_there = self._tree.take(one.path, to)
            moved = put_there == one.entry.modified
        except ZooError as error:  # maybe it is moved all the same
            self._done.problem = self._done.problem or str(error)
            put_there = self._tree.modified(to)
        if not moved:
            if put_there is not None:
                self._give_back(to)
            del taken[name]

    def _give_back(self, path: str) -> None:
        if self._apply:
            self._tree.give_back(path, layout.blob(path.rpartition("/")[2]))
        self._done.returned.append(path)

    def _remove_unfinished(self) -> None:
        oldest = self._now - max(self._grace, UNFINISHED)
        for one in walk(self._tree):
            if one.kind == "temporary" and one.entry.modified < oldest:
                self._done.unfinished.append(one.path)
                if self._apply:
                    self._tree.remove(one.path)

    def _is_old(self, then: float) -> bool:
        return then <= self._now - self._grace


def _seconds_of(stamp: str) -> float:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()
