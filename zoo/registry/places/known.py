"""What is known of one registry that is not on this machine, from earlier visits.

    known/<sha256 of its url>/
      url                      what it is of, for people
      <path>                   a line of JSON (when it came, the server's ETag), and the file
      models/<name>/seen.json  the greatest version and state that were there, and the digests of
                               the records that were read

It serves where the server cannot be reached, and it remembers: a registry that has fewer versions
than before, or another record under a number that was taken, is an old copy, was set back, or
rewritten. Trust is on first use: nothing tells that the first visit was to the right place.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from zoo.errors import RegistryError, StorageError
from zoo.registry import layout
from zoo.registry.places import cache
from zoo.storage import commit, reading, strict_json
from zoo.storage.failures import reported

_ABOUT_BYTES = 4 << 10
_SEEN_BYTES = 64 << 20
_WRITING = threading.Lock()
_DATE = "%Y-%m-%d %H:%M"


class Kept(NamedTuple):
    """``at``: when it came, for people (UTC)."""

    data: bytes
    etag: str | None
    at: str


class _Seen(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    at: str = ""
    newest: int = 0
    state: int = 0
    records: dict[str, str] = {}


class Known:
    """``url``: the registry's; ``name``: as ``registry.toml`` calls it."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self.folder = folder_of(url)

    def kept(self, path: str, limit: int) -> Kept | None:
        """The file as it last came; None when it never did, or what is kept is damaged."""
        place = self.folder / path
        if not place.is_file():
            return None
        try:
            head, _, data = reading.read(place, limit + _ABOUT_BYTES).partition(b"\n")
            about = strict_json.loads(head, str(place), _ABOUT_BYTES)
            digest = hashlib.sha256(data).hexdigest()
        except StorageError:
            return None
        if not isinstance(about, dict) or about.get("sha256") != digest:
            return None
        return Kept(data, about.get("etag"), str(about.get("at")))

    def keep(self, path: str, data: bytes, etag: str | None) -> None:
        about = {"at": _now(), "etag": etag, "sha256": hashlib.sha256(data).hexdigest()}
        if not (self.folder / "url").exists():
            self._put("url", f"{self.url}\n".encode())
        self._put(path, json.dumps(about).encode() + b"\n" + data)

    def saw(self, model: str, *, newest: int | None = None, state: int | None = None) -> None:
        """Remember how far a model has come. Raises :class:`RegistryError` when it was further."""
        seen = self._seen(model)
        for what, now, before in (("version", newest, seen.newest), ("state", state, seen.state)):
            if now is not None and now < before:
                raise RegistryError(
                    f"model {model!r} of {self._named()}: the newest {what} is {now}, but {before} "
                    f"was there on {seen.at}: it is an old copy, or was set back; "
                    f"{self._if_meant()}"
                )
        reached = {"newest": newest, "state": state}
        new = {key: now for key, now in reached.items() if now is not None}
        with _WRITING:
            self._remember(model, self._seen(model), **new)

    def saw_record(self, model: str, number: int, digest: str) -> None:
        """Remember what the record of a version is. Raises as :meth:`check_records`."""
        with _WRITING:  # of several threads none undoes what another one remembered
            self.check_records(model, {number: digest})
            seen = self._seen(model)
            if seen.records.get(str(number)) != digest:
                self._remember(model, seen, records={**seen.records, str(number): digest})

    def check_records(self, model: str, digests: Mapping[int, str]) -> None:
        """Raise :class:`RegistryError` when the record of a version was another one before."""
        seen = self._seen(model)
        for number, digest in digests.items():
            before = seen.records.get(str(number), digest)
            if before != digest:
                raise RegistryError(
                    f"model {model!r} version {number} of {self._named()} is another one than "
                    f"before: its record was sha256:{before} on {seen.at}, now it is "
                    f"sha256:{digest}; versions never change, so one of the two is not to be "
                    f"trusted; {self._if_meant()}"
                )

    def numbered(self, model: str, digest: str) -> int | None:
        """The number of the version whose record was read and has that digest."""
        records = self._seen(model).records
        return next((int(one) for one, there in records.items() if there == digest), None)

    def gone(self, model: str, at: str) -> RegistryError:
        return RegistryError(
            f"model {model!r} of {self._named()} is gone, but was there on {at}: it is an old "
            f"copy, or was set back; {self._if_meant()}"
        )

    def forget(self) -> None:
        with reported("clear", self.folder):
            if self.folder.exists():
                shutil.rmtree(self.folder)

    def _named(self) -> str:
        return f"registry {self.name!r} ({self.url})"

    def _if_meant(self) -> str:
        return f"if that is meant, type: zoo registry cache --forget {self.name}"

    def _seen(self, model: str) -> _Seen:
        place = self.folder / layout.model(model) / "seen.json"
        try:
            data = reading.read(place, _SEEN_BYTES)
            strict_json.loads(data, str(place), _SEEN_BYTES, _SEEN_BYTES)
            return _Seen.model_validate_json(data)
        except (StorageError, ValidationError):  # none yet; or damaged, and then begun anew
            return _Seen()

    def _remember(self, model: str, seen: _Seen, **changes: Any) -> None:
        made = seen.model_copy(update=changes)
        if made != seen:
            data = strict_json.dumps({**made.model_dump(), "at": _now()})
            place = self.folder / layout.model(model) / "seen.json"
            commit.make_folder(place.parent)
            commit.write(place, data)

    def _put(self, path: str, data: bytes) -> None:
        """Whole or not at all, but not synced, for hundreds of them may come at once: after a power
        cut a file that is not what it says is none."""
        place = self.folder / path
        temporary = place.parent / f"{commit.TEMPORARY_PREFIX}{uuid.uuid4().hex}"
        with reported("write", place):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(data)
                temporary.replace(place)
            finally:
                temporary.unlink(missing_ok=True)


def folder_of(url: str) -> Path:
    return cache.folder() / "known" / hashlib.sha256(url.encode()).hexdigest()[:32]


def _now() -> str:
    return datetime.now(UTC).strftime(_DATE)
