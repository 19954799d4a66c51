"""Asking a web server: redirects judged, a busy server waited for, connections used again.

http.client of the standard library does the protocol. The libraries above it (urllib, requests,
httpx) connect by name and follow redirects by themselves; what has to be judged here is the
address that is really connected to, at every hop, before a byte is sent.
"""

from __future__ import annotations

import contextlib
import http.client
import select
import threading
import weakref
from collections.abc import Iterator, Mapping
from email.message import Message

from zoo import __version__
from zoo.errors import RegistryError, clipped, reason
from zoo.registry.places import http_wire
from zoo.registry.places.http_rules import (
    REDIRECTS,
    Address,
    Reach,
    check_encoding,
    declared_length,
    hop,
    may_reach,
    retry_after,
)
from zoo.registry.places.http_wire import Link, Watch, Wire, open_link
from zoo.registry.tree import LATER

BUSY_SECONDS = 60.0  # that a busy server is waited for, all together
_BUSY = (429, 502, 503, 504)
_MOVED = (301, 302, 303, 307, 308)
_PAUSES = (1.0, 4.0, 15.0)  # before it is asked again, where it does not say how long
_IDLE = 8  # connections kept for the next request
_SMALL = 4096  # bytes of an answer nobody wants that are read, to keep its connection


class DroppedError(Exception):
    """The connection ended before the answer did."""


class StalledError(Exception):
    """The answer came too slowly."""


class Answer:
    """A status, headers, and a body that :meth:`readinto` reads. ``length``: of the body as the
    server says it, None where it does not."""

    def __init__(self, link: Link, watch: Watch, response: http.client.HTTPResponse) -> None:
        self.url = str(link.address)
        self.status = response.status
        self.reason = response.reason
        self.headers: Message = response.headers
        self.length = declared_length(self.headers, self.url)
        check_encoding(self.headers, self.url)
        self._link, self._watch, self._response = link, watch, response
        self._done = 0

    def readinto(self, block: memoryview) -> int:
        """Fill ``block``; the number of bytes, fewer only at the body's end. Raises
        :class:`DroppedError` where that is not where the server said, :class:`StalledError` when a
        block takes more than :data:`http_wire.STALL_SECONDS`."""
        self._watch.beat()
        count = 0
        with _told(self._watch):
            try:
                count = self._response.readinto(block)
            except http.client.IncompleteRead as error:
                count = len(error.partial)
                if not count:
                    raise
        self._done += count
        if not count and self._watch.expired:
            raise StalledError
        if not count and self.length is not None and self._done < self.length:
            raise DroppedError(f"it ended after {self._done} of {self.length} bytes")
        return count

    def read(self, most: int) -> bytes:
        """At most ``most`` bytes of the body."""
        most = most if self.length is None else min(most, self.length)
        whole = bytearray(most)
        view, done = memoryview(whole), 0
        while done < most and (count := self.readinto(view[done : done + (1 << 16)])):
            done += count
        return bytes(view[:done])

    def finish(self) -> bool:
        """Whether the body was read to its end, so that the connection can serve again. Reads what
        is left, where that is little."""
        left = self._response.length
        with contextlib.suppress(DroppedError, StalledError), _told(self._watch):
            if not self._response.isclosed() and left is not None and left <= _SMALL:
                self._response.read()
        return self._response.isclosed()

    def close(self) -> None:
        self._response.close()


class Session:
    """One server, and whom it leads to. ``token``: what is shown to that server and to no other;
    never over a connection that others could read."""

    def __init__(self, root: Address, token: str | None = None, wire: Wire | None = None) -> None:
        self.root = root
        self._token = token
        self._wire = wire or Wire()
        self._lock = threading.Lock()
        self._idle: list[Link] = []
        self._reach: Reach | None = None  # of the server itself, once it was reached
        weakref.finalize(self, _close, self._idle)

    @contextlib.contextmanager
    def ask(
        self, target: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Iterator[Answer]:
        """The answer for ``target``, after redirects and, where the server is busy, some waiting.
        Its connection serves again if the body was read to its end.

        Raises :class:`UnreachableError`, :class:`DroppedError` or :class:`StalledError` when none
        comes, and :class:`RegistryError` for what no server may do."""
        start = Address(self.root.scheme, self.root.host, self.root.port, target)
        link, watch, answer = self._answered(start, headers or {}, method)
        try:
            yield answer
        finally:
            self._release(link, watch, answer)

    def _answered(
        self, start: Address, headers: Mapping[str, str], method: str
    ) -> tuple[Link, Watch, Answer]:
        patience = BUSY_SECONDS
        for pause in (*_PAUSES, None):
            link, watch, answer = self._followed(start, headers, method)
            if answer.status not in _BUSY:
                break
            self._release(link, watch, answer)
            asked = retry_after(answer.headers)
            wait = pause if pause is None or asked is None else asked
            if wait is None or wait > patience:
                raise _busy(answer, asked)
            patience -= wait
            self._wire.sleep(wait)
        return link, watch, answer

    def _followed(
        self, address: Address, headers: Mapping[str, str], method: str
    ) -> tuple[Link, Watch, Answer]:
        first, before, trusted = address, self._reach, True
        for _ in range(REDIRECTS + 1):
            link, watch, answer = self._once(address, headers, method, before, trusted)
            if address is first:
                self._reach = link.reach
            before = link.reach
            location = answer.headers.get("Location")
            if answer.status not in _MOVED or location is None:
                return link, watch, answer
            self._release(link, watch, answer)
            address = hop(address, str(location))
            # Never again once it left: what is asked for then was written by somebody else.
            trusted = trusted and address.origin == self.root.origin
        raise RegistryError(f"{str(first)!r} leads on and on, more than {REDIRECTS} times")

    def _once(
        self,
        address: Address,
        headers: Mapping[str, str],
        method: str,
        before: Reach | None,
        trusted: bool,
    ) -> tuple[Link, Watch, Answer]:
        while True:
            link = self._idle_link(address, before) or open_link(address, self._wire, before)
            watch, response = Watch(link.sock, http_wire.STALL_SECONDS), None
            try:
                sent = {**self._headers(link, trusted), **headers}
                with _told(watch):
                    link.http.request(method, address.target, headers=sent)
                    response = link.http.getresponse()
                return link, watch, Answer(link, watch, response)
            except BaseException as error:
                watch.end()
                if response is not None:
                    response.close()
                link.close()
                # A server may close an idle connection at any time, this very moment too.
                if not (isinstance(error, DroppedError) and link.used):
                    raise

    def _headers(self, link: Link, trusted: bool) -> dict[str, str]:
        sent = {
            "Host": link.address.netloc,
            "User-Agent": f"zoo/{__version__}",
            "Accept-Encoding": "identity",
        }
        if self._token is not None and trusted:
            _check_private(link)
            sent["Authorization"] = f"Bearer {self._token}"
        return sent

    def _idle_link(self, address: Address, before: Reach | None) -> Link | None:
        with self._lock:
            for link in list(self._idle):
                if _has_something(link):
                    self._idle.remove(link)
                    link.close()
                elif link.address.origin == address.origin and may_reach(before, link.reach):
                    self._idle.remove(link)
                    link.address = address
                    return link
        return None

    def _release(self, link: Link, watch: Watch, answer: Answer) -> None:
        try:
            over = answer.finish()
        finally:
            watch.end()
        reusable = over and link.http.sock is not None and not watch.expired
        with self._lock:
            if reusable and len(self._idle) < _IDLE:
                link.used = True
                self._idle.append(link)
                return
        answer.close()
        link.close()


@contextlib.contextmanager
def _told(watch: Watch) -> Iterator[None]:
    """What goes wrong with a connection, as one of two errors."""
    try:
        yield
    # ValueError: a length in a body of chunks that is no number.
    except (OSError, http.client.HTTPException, ValueError) as error:
        if watch.expired or isinstance(error, TimeoutError):
            raise StalledError from error
        early = isinstance(error, http.client.IncompleteRead)
        raise DroppedError("it ended early" if early else clipped(reason(error), 100)) from error


def _close(links: list[Link]) -> None:
    for link in links:
        link.close()


def _has_something(link: Link) -> bool:
    """Whether an idle connection can be read from: it was closed, or holds what nobody asked for,
    which would be taken for the next answer."""
    try:
        return bool(select.select([link.sock], [], [], 0)[0])
    except (OSError, ValueError):
        return True


def _check_private(link: Link) -> None:
    if link.address.scheme == "http" and link.reach is not Reach.LOOPBACK:
        raise RegistryError(
            f"{str(link.address)!r}: a token is not sent over http, where others can read it; "
            f"write https:// in registry.toml"
        )


def _busy(answer: Answer, asked: float | None) -> RegistryError:
    wanted = "" if asked is None else f", and wants to be asked again in {asked:.0f} s"
    return RegistryError(f"{answer.url!r}: {status_of(answer)}{wanted}; {LATER}")


def status_of(answer: Answer) -> str:
    return f"the server answered {answer.status} {clipped(answer.reason, 40)}".rstrip()
