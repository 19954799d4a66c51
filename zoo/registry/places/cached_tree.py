"""A registry that is not on this machine, read by way of what is known of it.

Records and states never change: one that is known is not asked for again. The rest is asked for
anew each time, or compared by its ETag; where the server cannot be reached, what came last serves,
with a warning. Only what is valid is kept, so a bad answer spoils nothing.
"""

from __future__ import annotations

import hashlib
import re
import time
import warnings
from collections.abc import Callable
from typing import IO, TypeVar

from pydantic import ValidationError

from zoo.errors import RegistryError, StorageError, ZooWarning
from zoo.registry import layout, names
from zoo.registry.derived import Head, Page
from zoo.registry.places.known import Kept, Known
from zoo.registry.record import Record
from zoo.registry.state import State
from zoo.registry.tree import Copy, Progress, RevalidatingTree, Tree, UnreachableError
from zoo.storage import strict_json

OFFLINE_SECONDS = 30.0  # for which a server that could not be reached is not tried again
_MODEL = rf"{layout.MODELS}/(?P<model>[^/]+)"
_VERSION = re.compile(rf"{_MODEL}/versions/(?P<number>[0-9]+)\.json")
_STATE = re.compile(rf"{_MODEL}/state/(?P<number>[0-9]+)\.json")
_HEAD = re.compile(rf"{_MODEL}/head\.json")
_PAGE = re.compile(rf"{_MODEL}/index/[0-9]+\.json")
_T = TypeVar("_T")


class CachedTree:
    """``tree`` as a :class:`Tree` that remembers in ``known``."""

    local = False

    def __init__(self, tree: Tree, known: Known) -> None:
        self.tree, self.known = tree, known
        self.url = tree.url
        self._offline: tuple[float, UnreachableError] | None = None
        self._warned = False

    @property
    def listed(self) -> bool:
        return self.tree.listed and not self._is_offline()

    def read(self, path: str, limit: int) -> bytes | None:
        kept = self.known.kept(path, limit)
        if kept is not None and (_VERSION.fullmatch(path) or _STATE.fullmatch(path)):
            return kept.data
        try:
            fresh = self._reached(lambda: self._fresh(path, limit, kept))
        except UnreachableError as error:
            if kept is None:
                raise
            self._warn(error, kept)
            return kept.data
        if fresh is None:
            self._check_gone(path, kept)
            return None
        same = kept is not None and (kept.data, kept.etag) == fresh
        if not same and self._learn(path, fresh.data):
            self.known.keep(path, fresh.data, fresh.etag)
        return fresh.data

    def fetch(self, path: str, size: int, into: IO[bytes], progress: Progress) -> None:
        self._reached(lambda: self.tree.fetch(path, size, into, progress))

    def exists(self, path: str) -> bool:
        return self._reached(lambda: self.tree.exists(path))

    def names(self, folder: str) -> list[str]:
        return self._reached(lambda: self.tree.names(folder))

    def _fresh(self, path: str, limit: int, kept: Kept | None) -> Copy | None:
        if isinstance(self.tree, RevalidatingTree):
            return self.tree.read_changed(path, limit, Copy(kept.data, kept.etag) if kept else None)
        data = self.tree.read(path, limit)
        return None if data is None else Copy(data, None)

    def _learn(self, path: str, data: bytes) -> bool:
        """Whether a file is what its path says, and so is kept. Raises :class:`RegistryError` when
        it takes back what was seen before. What is wrong with any other, its reader says."""
        if match := _VERSION.fullmatch(path):
            record = _valid(lambda: Record.from_bytes(data, path))
            if record is None or not _is_of(match, record.model, record.version):
                return False
            digest = hashlib.sha256(data).hexdigest()
            self.known.saw_record(record.model, record.version, digest)
            return True
        if match := _STATE.fullmatch(path):
            state = _valid(lambda: State.from_bytes(data, path))
            return state is not None and _is_of(match, state.model, state.serial)
        if match := _HEAD.fullmatch(path):
            head = _valid(lambda: Head.model_validate_json(data))
            if head is None or names.fold(head.model) != match["model"]:
                return False
            if not self.tree.listed:  # where all is listed, a head is only a hint
                self.known.saw(head.model, newest=head.newest, state=head.state)
            return True
        if match := _PAGE.fullmatch(path):
            page = _valid(lambda: Page.model_validate_json(data))
            if page is None or names.fold(page.model) != match["model"]:
                return False
            self.known.check_records(page.model, {row.v: row.sha256 for row in page.rows})
            return True
        return _valid(lambda: strict_json.loads(data, path, len(data))) is not None

    def _check_gone(self, path: str, kept: Kept | None) -> None:
        match = _HEAD.fullmatch(path)
        if match and kept is not None and not self.tree.listed:
            raise self.known.gone(match["model"], kept.at)

    def _reached(self, ask: Callable[[], _T]) -> _T:
        """What ``ask`` gives. A server that was not there is not waited for with every file."""
        if self._offline is not None and self._is_offline():
            raise self._offline[1]
        try:
            return ask()
        except UnreachableError as error:
            self._offline = time.monotonic() + OFFLINE_SECONDS, error
            raise

    def _is_offline(self) -> bool:
        return self._offline is not None and time.monotonic() < self._offline[0]

    def _warn(self, error: UnreachableError, kept: Kept) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"{error}; going by what was there on {kept.at}", ZooWarning, stacklevel=4
            )


def _valid(parse: Callable[[], _T]) -> _T | None:
    try:
        return parse()
    except (RegistryError, StorageError, ValidationError):
        return None


def _is_of(match: re.Match[str], model: str, number: int) -> bool:
    return (names.fold(model), str(number)) == (match["model"], match["number"])
