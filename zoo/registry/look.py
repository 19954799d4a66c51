"""One look at a model: how many versions it has, what is yanked, where aliases lead.

Its head is read once, whatever is asked: behind a web server each file costs a journey.
"""

from __future__ import annotations

import functools
import hashlib

from zoo.errors import RegistryError
from zoo.registry import derived, layout, names, numbering
from zoo.registry.places.cached_tree import CachedTree
from zoo.registry.state import State
from zoo.registry.tree import Tree
from zoo.storage import limits


class Look:
    """Raises :class:`RegistryError` for what is no name, or a head that says nothing where nothing
    else would."""

    def __init__(self, tree: Tree, name: str) -> None:
        names.check_name("model name", name)
        self._tree, self.name = tree, name

    @functools.cached_property
    def head(self) -> derived.Head | None:
        try:
            return derived.read_head(self._tree, self.name)
        except RegistryError:
            if self._tree.listed:
                return None  # a hint that says nothing: the versions are listed
            raise

    @functools.cached_property
    def newest(self) -> int:
        """The greatest number of a version, yanked or not; 0 where there is no such model."""
        number = self.head.newest if self.head else 0
        if self._tree.listed:
            number = numbering.newest(self._tree, layout.versions(self.name), number)
            self._remember(newest=number)
        return 0 if self.other_name else number

    @property
    def other_name(self) -> str | None:
        """The exact name of the model that has this one's folder, where it is another."""
        return self.head.model if self.head and self.head.model != self.name else None

    @functools.cached_property
    def state(self) -> State:
        """The aliases and yanks as they are now."""
        serial = self.head.state if self.head else 0
        if self._tree.listed:
            serial = numbering.newest(self._tree, layout.states(self.name), serial)
            self._remember(state=serial)
        return derived.read_state(self._tree, self.name, serial)

    @property
    def latest(self) -> int | None:
        """The newest version that is not yanked; None where all are, or none is there."""
        if self.head and not self._tree.listed:
            return self.head.latest
        there = (n for n in range(self.newest, 0, -1) if not self.state.is_yanked(n))
        return next(there, None)

    def numbered(self, digest: str) -> int | None:
        """The number of the version whose record has that digest."""
        if isinstance(self._tree, CachedTree):
            seen = self._tree.known.numbered(self.name, digest)
            if seen is not None:
                return seen
        for last in range(self.newest, 0, -layout.PAGE_ROWS):
            first = (last - 1) // layout.PAGE_ROWS * layout.PAGE_ROWS + 1
            rows = self._rows(first)
            if not rows and not self._tree.listed:
                return None  # a head may say any number
            for number in range(min(first + layout.PAGE_ROWS - 1, self.newest), first - 1, -1):
                if (rows.get(number) or self._digest(number)) == digest:
                    return number
        return None

    def indexed(self, number: int) -> str | None:
        """The digest of a version's record as the index has it; None where it has none."""
        return self._rows(number).get(number)

    def _rows(self, number: int) -> dict[int, str]:
        """The digests on the page of that version, by number."""
        try:
            page = derived.read_page(self._tree, self.name, number)
        except RegistryError:
            if self._tree.listed:
                return {}
            raise
        return {row.v: row.sha256 for row in page.rows} if page else {}

    @functools.cached_property
    def _there(self) -> frozenset[int]:
        """The numbers there are, where that can be seen; else none."""
        if not self._tree.listed:
            return frozenset()
        return frozenset(numbering.listed(self._tree, layout.versions(self.name)))

    def _digest(self, number: int) -> str | None:
        """Of a version that has no row in the index."""
        if number not in self._there:
            return None
        data = self._tree.read(layout.version(self.name, number), limits.RECORD_BYTES)
        return None if data is None else hashlib.sha256(data).hexdigest()

    def _remember(self, *, newest: int | None = None, state: int | None = None) -> None:
        if isinstance(self._tree, CachedTree):
            self._tree.known.saw(self.name, newest=newest, state=state)
