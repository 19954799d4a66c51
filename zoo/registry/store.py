"""A registry: find a version by its reference and read what it holds; publish; change.

The same over a folder, a static server and a bucket (:mod:`zoo.registry.tree`). Nothing that is
read is believed: a record is parsed strictly, a file has the size and the sha256 that it says.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Mapping
from pathlib import Path

from zoo.errors import RegistryError, StorageError, ZooError, ZooWarning, nearest
from zoo.registry import (
    changing,
    derived,
    following,
    layout,
    marker,
    model_names,
    names,
    numbering,
    publishing,
)
from zoo.registry.folder_tree import FolderTree
from zoo.registry.names import Reference
from zoo.registry.publishing import Gate, Source
from zoo.registry.record import Draft, Record
from zoo.registry.state import Change, State, check_alias
from zoo.registry.tree import Tree, WritableTree
from zoo.storage import limits, reading


class Registry:
    """``tree``: where its files lie; ``name``: as ``registry.toml`` calls it."""

    def __init__(self, tree: Tree, name: str = "local") -> None:
        self.tree = tree
        self.name = name
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
        marker.prepare(self._writable(), str(self))

    # Reading

    def models(self) -> list[str]:
        """The names that have a version, sorted."""
        self._check_marker()
        return model_names.every(self.tree)

    def page(self, start: int = 0, most: int | None = None) -> tuple[list[str], int]:
        """(names, how many there are): ``most`` of :meth:`models`, from the ``start``-th on, as
        :func:`zoo.registry.model_names.some` gives them."""
        self._check_marker()
        return model_names.some(self.tree, start, most)

    def versions(self, name: str) -> list[int]:
        """The numbers of a model's versions, ascending, yanked ones too. Raises
        :class:`RegistryError` when there is no such model."""
        last = self.newest(name)
        if not self.tree.listed:
            return list(range(1, last + 1))
        return numbering.listed(self.tree, layout.versions(name))

    def newest(self, name: str) -> int:
        """The greatest number, whether yanked or not."""
        head = self._head(name)
        number = head.newest if head else 0
        if self.tree.listed:
            number = numbering.newest(self.tree, layout.versions(name), number)
        if not number or (head and head.model != name):
            raise self._unknown(name, head.model if head else None)
        return number

    def latest(self, name: str) -> int:
        """What the name alone means: the newest version that is not yanked."""
        number, state = self.newest(name), self.state(name)
        for one in range(number, 0, -1):
            if not state.is_yanked(one):
                return one
        raise RegistryError(
            f"model {name!r}: all of its versions are yanked; pin one of them, such as "
            f"{name}@{number}; see: zoo models show {name}@{number}"
        )

    def state(self, name: str) -> State:
        """The aliases and yanks of a model as they are now."""
        head = self._head(name)
        serial = head.state if head else 0
        if self.tree.listed:
            serial = numbering.newest(self.tree, layout.states(name), serial)
        return derived.read_state(self.tree, name, serial)

    def history(self, name: str) -> list[State]:
        """All states of a model, the first change first."""
        return [
            derived.read_state(self.tree, name, serial)
            for serial in range(1, self.state(name).serial + 1)
        ]

    def record(self, reference: str | Reference) -> Record:
        """The record meant. Raises :class:`RegistryError` when there is none, or it is damaged.
        One that is yanked is told with a warning."""
        if isinstance(reference, str):
            reference = Reference.parse(reference)
        name = reference.name
        self._check_marker()
        if reference.version is not None:
            number = reference.version
        elif reference.alias is not None:
            self.newest(name)
            number = self.state(name).version_of(reference.alias)
        elif reference.digest is not None:
            number = self._numbered(name, reference.digest)
        else:
            number = self.latest(name)
        record = self._record(name, number, by_index=reference.version is None)
        if reference.version or reference.digest or reference.alias:
            self._warn_of_yank(record)
        return record

    def digest(self, record: Record) -> str:
        """sha256 of the record as it stands: pins the version and all it names."""
        key = record.model, record.version
        if key not in self._digests:
            self._record_bytes(*key)
        return self._digests[key]

    def read_file(self, record: Record, path: str) -> bytes:
        """A file of a version. Size and sha256 are checked every time."""
        entry = record.file(path)
        place, what = layout.blob(entry["sha256"]), f"{path} of {record},"
        if isinstance(self.tree, FolderTree):
            data = reading.read(self.tree.root / place, entry["size"], entry["sha256"], what)
        else:
            into = io.BytesIO()
            self.tree.fetch(place, entry["size"], into, lambda block: None)
            data = into.getvalue()
            if hashlib.sha256(data).hexdigest() != entry["sha256"]:
                raise StorageError(f"{what} is damaged: its sha256 is not {entry['sha256']}")
        if len(data) != entry["size"]:
            raise StorageError(
                f"{path} of {record} has {len(data)} bytes, its record says {entry['size']}"
            )
        return data

    # Writing

    def publish(
        self, draft: Draft, files: Mapping[str, Source], gate: Gate | None = None
    ) -> Record:
        """Add a version: :func:`zoo.registry.publishing.publish`."""
        return publishing.publish(self._writable(), str(self), draft, files, gate)

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
        return self._change(name, made, expected)

    def yank(self, name: str, version: int, reason: str = "") -> State:
        """Let ``latest`` skip a version, which stays for those who pin it."""
        self._record(name, version)
        return self._change(name, Change(kind="yank", version=version, reason=reason))

    def unyank(self, name: str, version: int) -> State:
        self._record(name, version)
        return self._change(name, Change(kind="unyank", version=version))

    def _change(self, name: str, made: Change, expected: int | None = -1) -> State:
        tree = self._writable()
        state = changing.change(tree, name, made, expected=expected)
        try:
            following.follow(tree, name)
        except ZooError as error:
            warnings.warn(
                f"the change of {name!r} is made, but readers that go by the index do not see it "
                f"yet: {error}; then type: zoo registry repair",
                ZooWarning,
                stacklevel=3,
            )
        return state

    def _writable(self) -> WritableTree:
        if not isinstance(self.tree, WritableTree):
            raise RegistryError(
                f"{self} can only be read; choose one in a folder or on s3:// with --to"
            )
        return self.tree

    def _check_marker(self) -> None:
        """Refuse a registry of a later format. Without a marker the registry is empty so far; a
        static server's files each say their format, which saves asking for one more."""
        if not self._checked and self.tree.listed:
            self._checked = marker.check(self.tree, str(self))

    def _head(self, name: str) -> derived.Head | None:
        names.check_name("model name", name)
        try:
            return derived.read_head(self.tree, name)
        except RegistryError:
            if self.tree.listed:
                return None  # a hint that says nothing: the versions are listed
            raise

    def _record(self, name: str, number: int, *, by_index: bool = False) -> Record:
        data = self._record_bytes(name, number)
        what = f"model {name!r} version {number}"
        if by_index and not self.tree.listed:
            page = derived.read_page(self.tree, name, number)
            row = page.row(number) if page else None
            if row is None or row.sha256 != self._digests[name, number]:
                raise RegistryError(
                    f"the record of {what} is not the one in the index of {self}: it is damaged, "
                    f"or just being changed; try again"
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
        data = self.tree.read(layout.version(name, number), limits.RECORD_BYTES)
        if data is None:
            last = self.newest(name)
            raise RegistryError(
                f"model {name!r} has no version {number}; the newest is {last}; "
                f"see: zoo models show {name}"
            )
        self._digests[name, number] = hashlib.sha256(data).hexdigest()
        return data

    def _numbered(self, name: str, digest: str) -> int:
        """The number of the version whose record has that digest."""
        number = self.newest(name)
        while number > 0:
            first = (number - 1) // layout.PAGE_ROWS * layout.PAGE_ROWS + 1
            indexed = self._indexed(name, first)
            for one in range(number, first - 1, -1):
                if one not in indexed:
                    self._record_bytes(name, one)
                if indexed.get(one, self._digests.get((name, one))) == digest:
                    return one
            number = first - 1
        raise RegistryError(f"model {name!r} has no version with the record sha256:{digest}")

    def _indexed(self, name: str, first: int) -> dict[int, str]:
        try:
            page = derived.read_page(self.tree, name, first)
        except RegistryError:
            if self.tree.listed:
                return {}
            raise
        return {row.v: row.sha256 for row in page.rows} if page else {}

    def _warn_of_yank(self, record: Record) -> None:
        state = self.state(record.model)
        if state.is_yanked(record.version):
            said = state.yanked[str(record.version)]
            warnings.warn(
                f"{record} is yanked{f': {said}' if said else ''}; its publisher advises against "
                f"using it",
                ZooWarning,
                stacklevel=3,
            )

    def _unknown(self, name: str, like: str | None = None) -> RegistryError:
        known = [like] if like else self.models() if self.tree.local else []
        return RegistryError(
            f"model {name!r} is not in {self}{nearest(name, known)}; see: zoo models list"
        )
