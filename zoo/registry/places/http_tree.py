"""A registry behind http(s)://: any host that serves plain files. Read only.

What comes is capped, never unpacked, and believed by nobody: whoever reads compares a digest. A
file whose connection drops is gone on with where it stopped, for as long as it stays the same one.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from typing import IO

from zoo.errors import RegistryError
from zoo.registry.places import http_wire
from zoo.registry.places.http_rules import content_range, is_page, parse, web_page
from zoo.registry.places.http_session import (
    Answer,
    DroppedError,
    Session,
    StalledError,
    status_of,
)
from zoo.registry.places.http_wire import Wire
from zoo.registry.tree import LATER, Copy, Progress, UnreachableError
from zoo.storage import limits

BLOCK = 1 << 18  # bytes that have to come within the time for one
_TRIES = 3  # connections in a row that bring less than that; and beginnings from the start
_PAUSE = 0.5  # seconds before the second of them, twice that before the third
_GONE = (404, 410)
_PATH = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*)(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class HttpTree:
    """``token_env``: the environment variable that holds a token for the server, and for it alone.
    ``wire``: how the network is met."""

    local = False
    listed = False

    def __init__(self, url: str, token_env: str | None = None, *, wire: Wire | None = None) -> None:
        try:
            root = parse(url)
        except ValueError as error:
            raise RegistryError(f"registry url {url!r}: {error}") from error
        self.url = url.rstrip("/")
        self._base = root.target.rstrip("/")
        self._token_env = token_env
        self._wire = wire or Wire()
        self._root = root

    @functools.cached_property
    def _session(self) -> Session:
        """Made when it is needed: without its token a registry can still be listed."""
        return Session(self._root, _token(self._token_env), self._wire)

    def read(self, path: str, limit: int) -> bytes | None:
        found = self.read_changed(path, limit, None)
        return None if found is None else found.data

    def read_changed(self, path: str, limit: int, known: Copy | None) -> Copy | None:
        ask = {"If-None-Match": known.etag} if known is not None and known.etag else {}
        for last in (False, False, True):
            try:
                return self._read_once(path, limit, known, ask)
            except DroppedError as error:
                if last:
                    raise self._dropped(path, str(error)) from error
                self._wire.sleep(_PAUSE)
            except StalledError as error:
                raise self._stalled(path) from error
        raise AssertionError

    def _read_once(
        self, path: str, limit: int, known: Copy | None, ask: Mapping[str, str]
    ) -> Copy | None:
        with self._session.ask(self._target(path), ask) as answer:
            if answer.status in _GONE:
                return None
            if answer.status == 304 and ask:
                return known
            self._require(answer, 200, path)
            if answer.length is None or answer.length <= limit:
                data = answer.read(limit + 1)
                if is_page(answer.headers, data[:512]):
                    raise web_page(self._shown(path))
                if len(data) <= limit:
                    return Copy(data, _strong(answer))
            raise RegistryError(
                f"{limits.longer(repr(self._shown(path)), limit)}; that is no registry file of "
                f"zoo's"
            )

    def fetch(self, path: str, size: int, into: IO[bytes], progress: Progress) -> None:
        _Transfer(self, path, size, into, progress).carry_out()

    def exists(self, path: str) -> bool:
        try:
            with self._session.ask(self._target(path), method="HEAD") as answer:
                if answer.status in _GONE:
                    return False
                self._require(answer, 200, path)
                return True
        except DroppedError as error:
            raise self._dropped(path, str(error)) from error
        except StalledError as error:
            raise self._stalled(path) from error

    def names(self, folder: str) -> list[str]:
        raise RegistryError(
            f"{self.url!r}: a web server lists no folders; its catalog names models"
        )

    def _target(self, path: str) -> str:
        """Paths come from :mod:`zoo.registry.layout`, made of checked names, numbers, digests."""
        if _PATH.fullmatch(path) is None:
            raise ValueError(f"{path!r} is no path of a registry")
        return f"{self._base}/{path}"

    def _shown(self, path: str) -> str:
        return f"{self.url}/{path}"

    def _require(self, answer: Answer, status: int, path: str) -> None:
        if answer.status in (401, 407, 403):
            raise RegistryError(
                f"{self._shown(path)!r}: {status_of(answer)}; {self._credentials()}"
            )
        if answer.status != status:
            raise RegistryError(f"{self._shown(path)!r}: {status_of(answer)}; {LATER}")

    def _credentials(self) -> str:
        if self._token_env is None:
            return (
                "if it wants a token, name a variable that holds one as token_env in registry.toml"
            )
        return f"check the token in ${self._token_env}"

    def _dropped(self, path: str, what: str) -> RegistryError:
        said = f": {what}" if what else ""
        return RegistryError(f"{self._shown(path)!r}: the connection broke off{said}; {LATER}")

    def _stalled(self, path: str) -> RegistryError:
        return RegistryError(
            f"{self._shown(path)!r}: nothing, or too little, came within "
            f"{http_wire.STALL_SECONDS:g} s; {LATER}"
        )


class _Transfer:
    """One file on its way. ``done``: bytes in ``into`` that go on to be part of it."""

    def __init__(
        self, tree: HttpTree, path: str, size: int, into: IO[bytes], progress: Progress
    ) -> None:
        self._tree, self._path, self._size = tree, path, size
        self._into, self._progress = into, progress
        self._done = 0
        self._etag: str | None = None
        self._restarts = 0
        self._block = memoryview(bytearray(min(BLOCK, size + 1)))

    def carry_out(self) -> None:
        fruitless = 0
        while True:
            before = self._done
            try:
                self._continue()
                return
            except DroppedError as error:
                why: RegistryError = self._tree._dropped(self._path, self._far(str(error)))
                again = True
            except StalledError:
                why, again = self._tree._stalled(self._path), self._done > 0
            except UnreachableError as error:
                why, again = error, self._done > 0
            if not again:
                raise why
            fruitless = 0 if self._done - before >= BLOCK else fruitless + 1
            if max(fruitless, self._restarts) >= _TRIES:
                raise why
            if fruitless:
                self._tree._wire.sleep(_PAUSE * fruitless)

    def _continue(self) -> None:
        """Ask for what is missing. Raises :class:`DroppedError` where that has to be repeated."""
        tree, asked = self._tree, {}
        if self._done:
            asked["Range"] = f"bytes={self._done}-"
            if self._etag is not None:
                asked["If-Range"] = self._etag
        with tree._session.ask(tree._target(self._path), asked) as answer:
            if answer.status in _GONE:
                raise RegistryError(
                    f"{tree._shown(self._path)!r} is missing; the registry is damaged"
                )
            if answer.status == 416 and self._done:
                self._restart()
                raise DroppedError("the server would not go on with it")
            if answer.status == 206 and self._done:
                if not self._fits(answer):
                    self._restart()
                    raise DroppedError("it changed meanwhile")
            else:
                tree._require(answer, 200, self._path)
                self._restart()
                self._etag = _strong(answer)
            self._receive(answer)

    def _fits(self, answer: Answer) -> bool:
        """Whether the part that comes continues what is here, of the same file."""
        part, etag = content_range(answer.headers), _strong(answer)
        same = self._etag is None or etag is None or etag == self._etag
        return same and part is not None and part[0] == self._done and part[2] in (None, self._size)

    def _receive(self, answer: Answer) -> None:
        left = self._size - self._done
        if answer.length is not None and answer.length != left and answer.status == 200:
            beginning = answer.read(min(512, answer.length))
            raise self._other(answer, f"has {answer.length} bytes", beginning)
        first = b""
        while count := answer.readinto(self._block[: left + 1]):
            if not self._done:
                first = bytes(self._block[:512])
            if count > left:
                raise self._other(answer, f"has more than {self._size} bytes", first)
            self._into.write(self._block[:count])
            self._done += count
            left -= count
            self._progress(count)
        if left and is_page(answer.headers, first):
            raise web_page(self._tree._shown(self._path))
        if left:
            raise DroppedError

    def _other(self, answer: Answer, what: str, beginning: bytes) -> RegistryError:
        shown = self._tree._shown(self._path)
        if is_page(answer.headers, beginning):
            return web_page(shown)
        return RegistryError(f"{shown!r} {what}; expected {self._size} bytes, as its record says")

    def _restart(self) -> None:
        if self._done:
            self._restarts += 1
            self._progress(-self._done)
        self._into.seek(0)
        self._into.truncate()
        self._done = 0

    def _far(self, what: str) -> str:
        return f"it ended after {self._done} of {self._size} bytes" if self._done else what


def _strong(answer: Answer) -> str | None:
    """The ETag, where equal ones mean equal bytes."""
    etag = str(answer.headers.get("ETag", "")).strip()
    return etag if re.fullmatch(r'"[\x21\x23-\x7e]{1,200}"', etag) else None


def _token(variable: str | None) -> str | None:
    if variable is None:
        return None
    token = os.environ.get(variable, "").strip()
    if not token:
        raise RegistryError(
            f"the environment variable {variable!r}, which token_env names, is not set; set it to "
            f"the server's token"
        )
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise RegistryError(f"the environment variable {variable!r} holds no token: it has blanks")
    return token
