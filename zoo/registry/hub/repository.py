"""Versions in repositories of the Hugging Face Hub: ``hf://owner/name``, ``hf://owner/name@rev``.

A repository holds one version at a time, at each of its revisions. It is read as a registry with
that version alone, so whatever loads, shows or copies versions does so here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import IO
from urllib.parse import quote

from zoo.errors import RegistryError
from zoo.registry import layout, names
from zoo.registry.config import HUB
from zoo.registry.derived import Head, Shard, Shards
from zoo.registry.names import Reference
from zoo.registry.places.cached_tree import CachedTree
from zoo.registry.places.http_rules import parse
from zoo.registry.places.http_session import Session
from zoo.registry.places.http_tree import HttpTree
from zoo.registry.places.http_wire import Wire
from zoo.registry.places.known import Known
from zoo.registry.record import WEIGHTS, Record
from zoo.registry.store import Registry
from zoo.registry.tree import Copy, Progress, UnreachableError
from zoo.storage import limits

FOLDER = "zoo"  # where all lies that others than zoo have no use for
RECORD = f"{FOLDER}/record.json"
MAIN = "main"
_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|[-_.](?![-.])){0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")


@dataclass(frozen=True)
class Address:
    """``repository``: ``owner/name``; ``revision``: a branch, a tag or a commit, None for the main
    branch."""

    repository: str
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        repository, at, revision = text.removeprefix(HUB).partition("@")
        parts = repository.split("/")
        if (
            not is_address(text)
            or len(parts) != 2
            or not all(map(_PART.fullmatch, parts))
            or any(part.endswith((".", "-", ".git")) for part in parts)
            or (at and (not _REVISION.fullmatch(revision) or ".." in revision))
        ):
            raise RegistryError(
                f"{text[:200]!r}: expected hf://owner/name or hf://owner/name@revision, a "
                f"repository of the Hugging Face Hub and a branch, tag or commit of it"
            )
        return cls(repository, revision if at else None)

    def __str__(self) -> str:
        return f"{HUB}{self.repository}{f'@{self.revision}' if self.revision else ''}"


def is_address(text: str) -> bool:
    return text.startswith(HUB)


def open_version(text: str, wire: Wire | None = None) -> tuple[Registry, Reference]:
    """The repository at an address, as a registry, and the version it holds. Raises
    :class:`RegistryError` when none was pushed there, or it cannot be had."""
    tree = HubTree(Address.parse(text), wire)
    registry = Registry(tree, tree.url)
    # The repository's own files are cached; what is made of them here need not be.
    registry.reading = tree
    return registry, Reference(tree.record.model, version=tree.record.version)


class HubFiles(HttpTree):
    """The files of a repository by their own paths, read over http with all that is judged there;
    with the token that the Hub's own client knows."""

    def __init__(self, address: Address, wire: Wire | None = None) -> None:
        from huggingface_hub import constants, get_token

        revision = quote(address.revision or MAIN, safe="")
        url = f"{constants.ENDPOINT}/{address.repository}/resolve/{revision}"
        super().__init__(url, wire=wire)
        self.url = str(address)
        self._session = Session(parse(url), get_token(), self._wire)
        self._offline = bool(constants.HF_HUB_OFFLINE)

    def read_changed(self, path: str, limit: int, known: Copy | None) -> Copy | None:
        self._require_online()
        return super().read_changed(path, limit, known)

    def fetch(self, path: str, size: int, into: IO[bytes], progress: Progress) -> None:
        self._require_online()
        super().fetch(path, size, into, progress)

    def _require_online(self) -> None:
        if self._offline:
            raise UnreachableError(
                f"{self.url!r} cannot be reached: HF_HUB_OFFLINE is set; unset it to go online"
            )

    def _credentials(self) -> str:
        return (
            "check the name; if it is private, or gated, log in with: hf auth login, or set "
            "HF_TOKEN"
        )


class HubTree:
    """A repository as the tree of a registry: paths are those of :mod:`zoo.registry.layout`."""

    local = False
    listed = True

    def __init__(self, address: Address, wire: Wire | None = None) -> None:
        self.url = str(address)
        self._files = CachedTree(HubFiles(address, wire), Known(self.url, self.url))

    @cached_property
    def _data(self) -> bytes:
        data = self._files.read(RECORD, limits.RECORD_BYTES)
        if data is None:
            raise RegistryError(
                f"{self.url!r} has no {RECORD}: there is no such repository or revision, or none "
                f"that zoo push wrote"
            )
        return data

    @cached_property
    def record(self) -> Record:
        return Record.from_bytes(self._data, repr(self.url))

    def read(self, path: str, limit: int) -> bytes | None:
        model, number = self.record.model, self.record.version
        made = {
            layout.version(model, number): self._data,
            layout.head(model): Head(model=model, latest=number, newest=number, state=0).to_bytes(),
            layout.shard(model): Shard(models=[model]).to_bytes(),
            layout.SHARDS: Shards(shards={layout.shard_key(model): 1}).to_bytes(),
        }
        return made.get(path)

    def fetch(self, path: str, size: int, into: IO[bytes], progress: Progress) -> None:
        for file in self.record.files:
            if layout.blob(file["sha256"]) == path:
                self._files.fetch(place_of(file["path"]), size, into, progress)
                return
        raise RegistryError(f"{self.url!r} has no {path!r}")

    def exists(self, path: str) -> bool:
        return self.read(path, limits.RECORD_BYTES) is not None

    def names(self, folder: str) -> list[str]:
        model = self.record.model
        if folder == layout.MODELS:
            return [names.fold(model)]
        return [f"{self.record.version}.json"] if folder == layout.versions(model) else []


def place_of(path: str) -> str:
    """Where in a repository a version's file lies."""
    return path if path == WEIGHTS else f"{FOLDER}/{path}"
