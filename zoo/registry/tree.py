"""What a registry asks of the place where its files lie: a folder, a static server, a bucket.

Paths are those of :mod:`zoo.registry.layout`. One protocol of publishing and reading stands on
these few calls, so what is proven of it in one place holds in the others.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, NamedTuple, Protocol, runtime_checkable

from zoo.errors import RegistryError
from zoo.storage.commit import Staged

Progress = Callable[[int], None]  # bytes that came since the last call; fewer where it begins anew
LATER = "type the same command again, or later"


class UnreachableError(RegistryError):
    """Nobody answered: there is no network, or none that leads there. What was seen before may
    still serve."""


class Entry(NamedTuple):
    """What lies in a folder. ``modified``: seconds since 1970, by the clock of the place; ``mode``:
    ``st_mode``, and None in a place that has none: there all are readable files, or folders where
    ``size`` is None."""

    name: str
    size: int | None
    modified: float
    mode: int | None = None


class Tree(Protocol):
    """``url``: as people know the place, without credentials. ``local``: whether a read is a read
    of this machine's disk: then files are read where they lie, else by way of the verified cache.
    ``listed``: whether :meth:`names` and :meth:`exists` see everything at once; where not (a
    static server), ``head.json`` says which version is the latest."""

    url: str
    local: bool

    @property
    def listed(self) -> bool: ...

    def read(self, path: str, limit: int) -> bytes | None:
        """The whole of a small file, None when there is none. Raises :class:`ZooError` when the
        file is longer than ``limit`` or the place cannot be read."""

    def fetch(self, path: str, size: int, into: IO[bytes], progress: Progress) -> None:
        """Write a file into ``into`` (which is empty, can be truncated, and is), ``size`` bytes and
        never more than one beyond. Nobody trusts what came: the caller compares size and digest.
        Raises :class:`ZooError` when it is missing or cannot be had."""

    def exists(self, path: str) -> bool: ...

    def names(self, folder: str) -> list[str]:
        """The names of what lies in ``folder``, in any order; none when there is no such folder."""


class Copy(NamedTuple):
    """A small file, and the name that the server gave this content of it, where it gives one."""

    data: bytes
    etag: str | None


@runtime_checkable
class RevalidatingTree(Tree, Protocol):
    """A place that can be told what is here already, to send only what is new."""

    def read_changed(self, path: str, limit: int, known: Copy | None) -> Copy | None:
        """As :meth:`read`; ``known`` itself where the place says that it still is so."""


@runtime_checkable
class WritableTree(Tree, Protocol):
    """A place that can be published to. What returns is durable there."""

    def prepare(self, folders: tuple[str, ...]) -> None:
        """Make the place and these folders, where it knows folders."""

    def create(self, path: str, data: bytes) -> None:
        """Put a file where nothing may be yet, atomically. Raises ``FileExistsError`` otherwise."""

    def replace(self, path: str, data: bytes) -> None:
        """Put a file, whatever was there; readers see the old or the new one."""

    def amend(self, path: str, limit: int, change: Callable[[bytes | None], bytes | None]) -> None:
        """Replace a file by what ``change`` makes of it (None: as it is), so that of two who amend
        it at once neither undoes what the other did: by compare-and-swap, or within
        :meth:`alone`, which then has to hold."""

    def stage(self, source: Path | bytes) -> Staged:
        """A private, hashed copy on this machine, to be looked at before it is kept."""

    def keep(self, staged: Staged) -> None:
        """Make a staged copy the blob of its digest. One that is there already is healed."""

    def discard(self, staged: Staged) -> None: ...

    def alone(self, folder: str) -> AbstractContextManager[None]:
        """One process at a time, where the place has locks. It only saves work: everything has to
        hold where a lock does nothing."""


@runtime_checkable
class KeptTree(WritableTree, Protocol):
    """A place whose files can be looked over, and taken out when nothing refers to them."""

    def entries(self, folder: str) -> list[Entry]:
        """What lies in ``folder`` itself, links not followed; nothing when there is none."""

    def now(self) -> float:
        """The present by the clock that dates the files here; it may be another machine's."""

    def modified(self, path: str) -> float | None:
        """When the file was put there; None when there is none."""

    def take(self, path: str, to: str) -> float | None:
        """Move a file to where nothing is. Returns when what was moved had been put there, which
        may be later than one thought; None when there is none any more."""

    def give_back(self, path: str, to: str) -> None:
        """Move a file to where it belongs, unless another one came there meanwhile: then that
        one stays, and this one goes. Durable when it returns."""

    def remove(self, path: str) -> None:
        """Remove a file, or a folder that is empty. One that is not there is fine."""
