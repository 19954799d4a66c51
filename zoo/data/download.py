"""One file from a server: in the time one can wait for, no larger than said, with the right digest.

The reading happens in a thread, because nothing else ends a look-up of a name that never answers.
The file appears under its name only when it is whole and right.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import ipaddress
import queue
import shutil
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal
from urllib.parse import urlsplit

from zoo.errors import DataError, reason
from zoo.plugins.specs import RemoteFile

CONNECT_SECONDS = 3.0  # to resolve the name, connect and agree on keys
STALL_SECONDS = 30.0  # for the answer to begin, and for each block
BLOCK = 1 << 18
REDIRECTS = 5
_LATER = "type the same command again, or later"

Report = Callable[[str, int, int | None], None]


class UnreachableError(DataError):
    """No server answered: there is no network, or none that leads there."""


@dataclass(frozen=True)
class Wanted:
    """A file by its address and its digest. ``begins``: how that begins, or all of it; ``plain``:
    which servers may be asked over http, without the s: none, those of this machine, or any."""

    url: str
    digest: Literal["md5", "sha256"]
    begins: str
    largest: int
    plain: Literal["none", "loopback", "any"] = "none"

    @classmethod
    def of(cls, file: RemoteFile) -> Wanted:
        return cls(file.url, "md5", file.md5, file.largest, "any" if file.http else "none")

    def may_ask(self, url: str) -> bool:
        """Whether that address may be asked, at first or by a redirect."""
        scheme = urlsplit(url).scheme
        if scheme == "http" and self.plain != "loopback":
            return self.plain == "any"
        return is_private_address(url)

    def require(self, found: str, what: str, then: str) -> None:
        """Raise :class:`DataError` unless ``found``, in hexadecimal digits, is the digest."""
        if found.startswith(self.begins):
            return
        whole = len(self.begins) == 2 * _hash(self.digest).digest_size
        raise DataError(
            f"{what} has the {self.digest} {found}; expected "
            f"{self.begins if whole else f'one that begins with {self.begins}'}: it is not the "
            f"published file{then}"
        )


def download(file: Wanted, path: Path, report: Report) -> None:
    """Put ``file`` at ``path``. ``report(name, bytes so far, bytes in all or None)`` is called at
    every block.

    Raises :class:`DataError`, and leaves nothing behind, when the server cannot be reached within
    :data:`CONNECT_SECONDS`, answers with an error, stalls, ends early or sends too much, when the
    disk is too small, or the digest is another one.
    """
    if not file.may_ask(file.url):
        raise DataError(f"{file.url!r}: expected an https address")
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.part"
    try:
        with temporary.open("xb") as out:
            found = _copy(file, out, path, report)
        file.require(found, repr(file.url), f", or was damaged on its way; {_LATER}")
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"cannot write {str(path)!r}: {reason(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)


def digest_of(path: Path, digest: str) -> str:
    """The ``"md5"`` or ``"sha256"`` of a file, in hexadecimal digits. Raises ``OSError``."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: _hash(digest)).hexdigest()


def _hash(digest: str) -> Any:
    # md5 is a name for published bytes, not against an adversary: publishers give no other digest.
    return hashlib.new(digest, usedforsecurity=False)


def is_private_address(url: str) -> bool:
    """Whether nobody on the way can read what is asked or forge the answer: https, or http on this
    machine."""
    parts = urlsplit(url)
    if parts.scheme != "http":
        return parts.scheme == "https"
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:  # a name, which somebody answers for
        return parts.hostname == "localhost"


def _copy(file: Wanted, out: IO[bytes], path: Path, report: Report) -> str:
    """Write what the server sends; the md5 of it."""
    digest, done, total = _hash(file.digest), 0, None
    for item in _received(file):
        if isinstance(item, int):
            total = item if item >= 0 else None
            _check_room(file, total, path)
        else:
            out.write(item)
            digest.update(item)
            done += len(item)
            if done > file.largest:
                raise _too_large(file)
        report(path.name, done, total)
    if total is not None and done != total:
        raise DataError(f"{file.url!r} ended after {done} of {total} bytes; {_LATER}")
    return str(digest.hexdigest())


def _check_room(file: Wanted, total: int | None, path: Path) -> None:
    if total is None:
        return
    if total > file.largest:
        raise _too_large(file)
    free = shutil.disk_usage(path.parent).free
    if total > free:
        raise DataError(f"{file.url!r} has {total} bytes; {str(path.parent)!r} has room for {free}")


def _too_large(file: Wanted) -> DataError:
    return DataError(
        f"{file.url!r} has more than {file.largest} bytes: it is not the published file"
    )


def _received(file: Wanted) -> Iterator[int | bytes]:
    """First the length that the server promises (-1: none), then the blocks."""
    items: queue.Queue[Any] = queue.Queue(maxsize=8)
    stop = threading.Event()
    threading.Thread(target=_read, args=(file, items, stop), daemon=True).start()
    try:
        item = _next(items, CONNECT_SECONDS, _unreachable(file))
        while item is not _END:
            if item is not _CONNECTED:
                yield item
            item = _next(items, STALL_SECONDS, _stalled(file))
    finally:
        stop.set()
        with contextlib.suppress(queue.Empty):  # a reader that waits for room sees that we left
            while True:
                items.get_nowait()


def _next(items: queue.Queue[Any], wait: float, late: DataError) -> Any:
    try:
        item = items.get(timeout=wait)
    except queue.Empty:
        raise late from None
    if isinstance(item, Exception):
        raise item
    return item


def _unreachable(file: Wanted) -> UnreachableError:
    host = urlsplit(file.url).netloc
    return UnreachableError(
        f"{host!r} cannot be reached: no connection within {CONNECT_SECONDS:g} s"
    )


def _stalled(file: Wanted) -> DataError:
    return DataError(
        f"{file.url!r}: less than {BLOCK} bytes came within {STALL_SECONDS:g} s; {_LATER}"
    )


_CONNECTED, _END = object(), object()


def _read(file: Wanted, items: queue.Queue[Any], stop: threading.Event) -> None:
    """The thread: everything that happens, into ``items``."""
    host = urlsplit(file.url).netloc
    opener = urllib.request.build_opener(
        _Redirects(file),
        _Http(lambda: items.put(_CONNECTED)),
        _Https(lambda: items.put(_CONNECTED)),
    )
    headers = {"User-Agent": "zoo", "Accept-Encoding": "identity"}
    request = urllib.request.Request(file.url, headers=headers)
    try:
        with opener.open(request, timeout=CONNECT_SECONDS) as response:
            items.put(response.length if response.length is not None else -1)
            while not stop.is_set() and (block := response.read(BLOCK)):
                items.put(block)
        items.put(_END)
    except DataError as error:
        items.put(error)
    except urllib.error.HTTPError as error:
        items.put(DataError(f"{file.url!r}: the server answered {error.code} {error.reason}"))
    except urllib.error.URLError as error:
        why = reason(error.reason) if isinstance(error.reason, Exception) else error.reason
        items.put(UnreachableError(f"{host!r} cannot be reached: {why}"))
    except Exception as error:  # sockets, TLS and parsers each have their own
        items.put(DataError(f"{file.url!r}: {reason(error)}; {_LATER}"))


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = REDIRECTS

    def __init__(self, file: Wanted) -> None:
        self._file = file

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, hdrs: Any, new: str) -> Any:
        if not self._file.may_ask(new):
            fp.close()
            raise DataError(f"{req.full_url!r} leads to {new!r}: expected an https address")
        return super().redirect_request(req, fp, code, msg, hdrs, new)


def _announcing(connection: Any, connected: Callable[[], None]) -> Any:
    """The class ``connection``, saying when it is connected, and then waiting longer."""

    class Connection(connection):  # type: ignore[misc]
        def connect(self) -> None:
            super().connect()
            self.sock.settimeout(STALL_SECONDS)
            connected()

    return Connection


class _Http(urllib.request.HTTPHandler):
    def __init__(self, connected: Callable[[], None]) -> None:
        super().__init__()
        self._connected = connected

    def do_open(self, http_class: Any, req: Any, **more: Any) -> http.client.HTTPResponse:
        return super().do_open(_announcing(http_class, self._connected), req, **more)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, connected: Callable[[], None]) -> None:
        super().__init__()
        self._connected = connected

    def do_open(self, http_class: Any, req: Any, **more: Any) -> http.client.HTTPResponse:
        return super().do_open(_announcing(http_class, self._connected), req, **more)
