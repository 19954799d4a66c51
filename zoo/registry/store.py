"""A registry: find a version by its reference and read what it holds; publish; change.

The same over a folder, a static server and a bucket (:mod:`zoo.registry.tree`). Nothing that is
read is believed: a record is parsed strictly, a file has the size and the sha256 that it says.
"""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from zoo.errors import RegistryError, StorageError, ZooWarning, nearest
from zoo.registry import (
    changing,
    derived,
    layout,
    marker,
    model_names,
    names,
    numbering,
    publishing,
)
from zoo.registry.look import Look
from zoo.registry.names import Reference
from zoo.registry.places import cache
from zoo.registry.places.cached_tree import CachedTree
from zoo.registry.places.folder_tree import FolderTree
from zoo.registry.places.known import Known
from zoo.registry.publishing import Gate, Source
from zoo.registry.record import Draft, Record
from zoo.registry.state import Change, State, check_alias, check_reason
from zoo.registry.tree import Progress, Tree, UnreachableError, WritableTree
from zoo.storage import limits, reading


class Registry:
    """``tree``: where its files lie; ``reading``: the same by way of the cache, where that is not
    this machine; ``name``: as ``registry.toml`` calls it."""

    def __init__(self, tree: Tree, name: str = "local") -> None:
        self.tree = tree
        self.name = name
        self.reading: Tree = tree if tree.local else CachedTree(tree, Known(tree.url, name))
        self._checked = False
        self._digests: dict[tuple[str, int], str] = {}

    def __str__(self) -> str:
        return f"registry {self.name!r} ({self.tree.url})"

    @classmethod
    def at(cls, root: Path, name: str = "local") -> Registry:
        """The registry in the folder ``root``, which need not exist before the first
        publication."""
        return cls(FolderTree(root), name)

    def create(self) -> None:
        """Make the place a registry now, unless it is one."""
        marker.prepare(self.writable(), str(self))

    def models(self) -> list[str]:
        """The names that have a version, sorted."""
        self._check_marker()
        return model_names.every(self.reading)

    def page(self, start: int = 0, most: int | None = None) -> tuple[list[str], int]:
        """(names, how many there are): ``most`` of :meth:`models`, from the ``start``-th on, as
        :func:`zoo.registry.model_names.some` gives them."""
        self._check_marker()
        return model_names.some(self.reading, start, most)

    def versions(self, name: str) -> list[int]:
        """The numbers of a model's versions, ascending, yanked ones too. Raises
        :class:`RegistryError` when there is no such model."""
        last = self.newest(name)
        if not self.reading.listed:
            return list(range(1, last + 1))
        return numbering.listed(self.reading, layout.versions(name))

    def newest(self, name: str) -> int:
        """The greatest number, whether yanked or not."""
        return self.look(name).newest

    def latest(self, name: str) -> int:
        """What the name alone means: the newest version that is not yanked."""
        return self._latest(self.look(name))

    def state(self, name: str) -> State:
        """The aliases and yanks of a model as they are now."""
        return Look(self.reading, name).state

    def history(self, name: str) -> list[State]:
        """All states of a model, the first change first."""
        return [
            derived.read_state(self.reading, name, serial)
            for serial in range(1, self.state(name).serial + 1)
        ]

    def record(self, reference: str | Reference) -> Record:
        """The record meant. Raises :class:`RegistryError` when there is none, or it is damaged.
        One that is yanked is told with a warning."""
        if isinstance(reference, str):
            reference = Reference.parse(reference)
        name = reference.name
        self._check_marker()
        look = Look(self.reading, name)
        number = self._number(look, reference)
        if reference.version is None and reference.digest is None:
            record = self.numbered(look, number)
        else:
            record = self._record(name, number, reference.digest)
        if reference.version or reference.digest or reference.alias:
            self._warn_of_yank(record, look)
        return record

    def numbered(self, look: Look, number: int) -> Record:
        """The record of a version that ``look`` found, yanked or not."""
        expected = None if self.reading.listed else look.indexed(number) or ""
        return self._record(look.name, number, expected)

    def digest(self, record: Record) -> str:
        """sha256 of the record as it stands: pins the version and all it names."""
        key = record.model, record.version
        if key not in self._digests:
            self._record_bytes(*key)
        return self._digests[key]

    def record_bytes(self, record: Record) -> bytes:
        """The record as it stands, which :meth:`digest` is of."""
        return self._record_bytes(record.model, record.version)

    def read_file(self, record: Record, path: str) -> bytes:
        """A file of a version. Size and sha256 are checked every time."""
        entry = record.file(path)
        sha256, size, what = entry["sha256"], entry["size"], f"{path} of {record},"
        if not isinstance(self.tree, FolderTree):
            return cache.read(self.reading, sha256, size, what)
        data = reading.read(self.tree.root / layout.blob(sha256), size, sha256, what)
        if len(data) != size:
            raise StorageError(f"{path} of {record} has {len(data)} bytes, its record says {size}")
        return data

    @contextlib.contextmanager
    def file_while(self, record: Record, path: str) -> Iterator[bytes]:
        """:meth:`read_file` for a block that begins before its bytes are compared, and may use them
        for nothing outside: leaving it raises where they are wrong."""
        if not isinstance(self.tree, FolderTree):
            yield self.read_file(record, path)
            return
        entry = record.file(path)
        sha256, size, what = entry["sha256"], entry["size"], f"{path} of {record},"
        with reading.meanwhile(self.tree.root / layout.blob(sha256), size, sha256, what) as data:
            yield data

    def bring_file(self, record: Record, path: str, progress: Progress = cache.silent) -> Path:
        """The file on this machine that holds a file of a version, compared just now: where it lies
        in a folder, else in the cache, fetched there first."""
        entry = record.file(path)
        sha256, size, what = entry["sha256"], entry["size"], f"{path} of {record},"
        if not isinstance(self.tree, FolderTree):
            return cache.bring(self.reading, sha256, size, what, progress)
        place = self.tree.root / layout.blob(sha256)
        if not cache.holds(place, sha256, size):
            raise StorageError(f"{what} {str(place)!r} is damaged or missing; restore it")
        progress(size)
        return place

    def publish(
        self, draft: Draft, files: Mapping[str, Source], gate: Gate | None = None
    ) -> Record:
        """Add a version: :func:`zoo.registry.publishing.publish`."""
        return publishing.publish(self.writable(), str(self), draft, files, gate)

    def set_alias(
        self, name: str, alias: str, version: int | None, *, expected: int | None = -1
    ) -> State:
        """Let ``alias`` point to ``version``; None removes it. ``expected``: where it has to point
        before (None: nowhere yet), so that of two who move it at once one is told."""
        check_alias(alias)
        if version is None:
            self.newest(name)
            self.state(name).version_of(alias)
        else:
            self._record(name, version)
        made = Change(kind="alias", alias=alias, version=version)
        return changing.change(self.writable(), name, made, expected=expected)

    def yank(self, name: str, version: int, reason: str = "") -> State:
        """Let ``latest`` skip a version, which stays for those who pin it."""
        self._record(name, version)
        made = Change(kind="yank", version=version, reason=check_reason(reason))
        return changing.change(self.writable(), name, made)

    def unyank(self, name: str, version: int) -> State:
        self._record(name, version)
        return changing.change(self.writable(), name, Change(kind="unyank", version=version))

    def writable(self) -> WritableTree:
        """Its tree, to be written to. Raises :class:`RegistryError` where it can only be read."""
        if not isinstance(self.tree, WritableTree):
            raise RegistryError(f"{self} can only be read; choose one in a folder or on s3://")
        return self.tree

    def _check_marker(self) -> None:
        """Refuse a registry of a later format. Without a marker the registry is empty so far; a
        static server's files each say their format, which saves asking for one more."""
        if not self._checked and self.reading.listed:
            self._checked = marker.check(self.reading, str(self))

    def look(self, name: str) -> Look:
        """What there is of a model now, read once."""
        return self._require(Look(self.reading, name))

    def _require(self, look: Look) -> Look:
        """Raises :class:`RegistryError` when there is no such model."""
        if not look.newest:
            raise self._unknown(look.name, look.other_name)
        return look

    def _number(self, look: Look, reference: Reference) -> int:
        """The number of the version meant."""
        if reference.version is not None:
            return reference.version
        if reference.digest is not None:
            number = look.numbered(reference.digest)
            if number is None:
                raise RegistryError(
                    f"model {self._require(look).name!r} has no version with the record "
                    f"sha256:{reference.digest}"
                )
            return number
        self._require(look)
        if reference.alias is not None:
            return look.state.version_of(reference.alias)
        return self._latest(look)

    def _latest(self, look: Look) -> int:
        if look.latest is None:
            pin = f"{look.name}@{look.newest}"
            raise RegistryError(
                f"model {look.name!r}: all of its versions are yanked; pin one of them, such as "
                f"{pin}; see: zoo models show {pin}"
            )
        return look.latest

    def _record(self, name: str, number: int, expected: str | None = None) -> Record:
        """``expected``: the sha256 that the record has, "" where the index should say, and does
        not."""
        data = self._record_bytes(name, number)
        what = f"model {name!r} version {number}"
        if expected not in (None, self._digests[name, number]):
            raise RegistryError(
                f"the record of {what} is not the one in the index of {self}: it is damaged, or "
                f"just being changed; try again"
            )
        record = Record.from_bytes(data, what)
        if (record.model, record.version) != (name, number):
            if record.version == number and names.fold(record.model) == names.fold(name):
                raise self._unknown(name, record.model)
            raise RegistryError(
                f"the record of {what} is that of model {record.model!r} version {record.version}: "
                f"{self} is damaged"
            )
        return record

    def _record_bytes(self, name: str, number: int) -> bytes:
        data = self.reading.read(layout.version(name, number), limits.RECORD_BYTES)
        if data is None:
            last = self.newest(name)
            if number <= last:
                # Where all is listed there are later ones; elsewhere it is the head that says so.
                error = derived.lost if self.reading.listed else derived.damaged
                raise error(self.tree, layout.version(name, number), "it is missing")
            raise RegistryError(
                f"model {name!r} has no version {number}; the newest is {last}; "
                f"see: zoo models show {name}"
            )
        self._digests[name, number] = hashlib.sha256(data).hexdigest()
        return data

    def _warn_of_yank(self, record: Record, look: Look) -> None:
        try:
            state = look.state
        except UnreachableError as error:  # a version that was seen before serves all the same
            said = f"{error}; whether {record} is yanked is not known"
        else:
            if not state.is_yanked(record.version):
                return
            why = state.yanked[str(record.version)]
            said = f"{record} is yanked{f': {why}' if why else ''}; its publisher advises against "
            said += "using it"
        warnings.warn(said, ZooWarning, stacklevel=3)

    def _unknown(self, name: str, like: str | None = None) -> RegistryError:
        known = [like] if like else self.models() if self.tree.local else []
        return RegistryError(
            f"model {name!r} is not in {self}{nearest(name, known)}; see: zoo models list"
        )
