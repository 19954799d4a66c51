"""A read-only web server for a registry in a folder: to try one on a network of one's own.

Only paths of a registry exist for it, by an allowlist: nothing else in the folder, hidden or not,
can be named. Files are opened part by part without following links, so none leads out. For many
readers put the folder behind a real web server, which needs no settings for it.
"""

# ruff: noqa: PTH123

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import stat
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any, BinaryIO, NamedTuple

from zoo import __version__
from zoo.errors import RegistryError, reason
from zoo.registry import layout

IDLE_SECONDS = 60.0  # after which a reader who asks for nothing is let go
_FOLDED = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_NUMBER = r"[1-9][0-9]{0,8}"
# What a path may be; those of _FIXED never change once they are there.
_FIXED = re.compile(
    rf"{layout.BLOBS}/[0-9a-f]{{2}}/[0-9a-f]{{64}}|"
    rf"{layout.MODELS}/{_FOLDED}/(?:versions|state)/{_NUMBER}\.json"
)
_CHANGING = re.compile(
    rf"{re.escape(layout.MARKER)}|{layout.MODELS}/{_FOLDED}/(?:head|index/[0-9]{{1,6}})\.json|"
    rf"{layout.CATALOG}/(?:[0-9a-f]{{2}}|shards)\.json"
)
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FILE = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)
_BYTES = "application/octet-stream"


class Span(NamedTuple):
    """Bytes from ``start`` up to ``stop``."""

    start: int
    stop: int


class RegistryServer(ThreadingHTTPServer):
    """Serves the registry in the folder ``root`` at ``host`` and ``port`` (0: any that is free)."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, root: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        if not (root / layout.MARKER).is_file():
            raise RegistryError(
                f"{str(root)!r} is no registry: it has no {layout.MARKER}; make one with: zoo "
                f"registry init"
            )
        self.root = root.resolve()
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise RegistryError(
                f"cannot listen at {host!r}, port {port}: {reason(error)}"
            ) from error

    @property
    def url(self) -> str:
        host = str(self.server_address[0])
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.server_address[1]}"

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's own asks a name server who we are

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent: readers leave in the middle, which is theirs to do."""


def span_of(header: str | None, size: int) -> Span | None:
    """The one range that a header asks for; None where it asks for none, or for what need not be
    understood. Raises ``ValueError`` where nothing of it is there."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, stop = max(0, size - int(match[2])), size
    else:
        start, stop = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
        if match[2] and int(match[2]) < start:
            return None
    if start >= stop:
        raise ValueError(f"{header!r} of {size} bytes")
    return Span(start, stop)


class _Handler(BaseHTTPRequestHandler):
    server: RegistryServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = f"zoo/{__version__}", ""
    error_content_type, error_message_format = "text/plain", "%(code)d %(message)s\n"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        # Nothing is decoded: a path of a registry has nothing that could be encoded.
        path = self.path.partition("?")[0].removeprefix("/")
        fixed = _FIXED.fullmatch(path) is not None
        try:
            if not fixed and _CHANGING.fullmatch(path) is None:
                raise FileNotFoundError
            stream = _opened(self.server.root, path)
        except PermissionError:
            self.send_error(HTTPStatus.FORBIDDEN)
        except OSError:  # nothing there; or a link, or a folder
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            with stream:
                self._serve(path, stream, fixed)

    do_HEAD = do_GET  # noqa: N815

    def _serve(self, path: str, stream: BinaryIO, fixed: bool) -> None:
        size = os.fstat(stream.fileno()).st_size
        etag = f'"{_tag(path, stream)}"'
        headers = {
            "ETag": etag,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/json" if path.endswith(".json") else _BYTES,
            "Cache-Control": "public, max-age=31536000, immutable" if fixed else "no-cache",
            "X-Content-Type-Options": "nosniff",
        }
        if self._has("If-None-Match", etag):
            self._answer(HTTPStatus.NOT_MODIFIED, headers)
            return
        whole = Span(0, size)
        try:
            asked = span_of(self.headers.get("Range"), size)
        except ValueError:
            headers["Content-Range"] = f"bytes */{size}"
            self._answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers, Span(0, 0))
            return
        if asked is None or not self._has("If-Range", etag, default=True):
            self._answer(HTTPStatus.OK, headers, whole, stream)
            return
        headers["Content-Range"] = f"bytes {asked.start}-{asked.stop - 1}/{size}"
        self._answer(HTTPStatus.PARTIAL_CONTENT, headers, asked, stream)

    def _has(self, header: str, etag: str, default: bool = False) -> bool:
        """Whether ``header`` names this content; ``default`` where it is not there."""
        said = self.headers.get(header)
        if said is None:
            return default
        named = {one.strip() for one in said.split(",")}
        return etag in named or (header == "If-None-Match" and "*" in named)

    def _answer(
        self,
        status: HTTPStatus,
        headers: Mapping[str, str],
        span: Span | None = None,
        stream: BinaryIO | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if span is not None:
            self.send_header("Content-Length", str(span.stop - span.start))
        self.end_headers()
        if stream is not None and span is not None and self.command == "GET":
            count = span.stop - span.start
            if count and self.connection.sendfile(stream, span.start, count) != count:
                self.close_connection = True  # it was cut short under us

    def log_message(self, format: str, *values: object) -> None:
        pass


def _tag(path: str, stream: BinaryIO) -> str:
    """A name of the content: of a blob its digest, else that of what is there."""
    if path.startswith(layout.BLOBS):
        return path.rpartition("/")[2]
    digest = hashlib.sha256(stream.read(layout.SHARD_BYTES)).hexdigest()
    stream.seek(0)
    return digest


def _opened(root: Path, path: str) -> BinaryIO:
    """A regular file of the registry, reached by folders that are folders. Raises ``OSError``."""
    descriptor = _descriptor(root, path.split("/"))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError
    return open(descriptor, "rb")


def _descriptor(root: Path, parts: list[str]) -> int:
    if os.open not in os.supports_dir_fd:  # Windows
        whole = root.joinpath(*parts)
        if whole.resolve() != whole:
            raise FileNotFoundError
        return os.open(whole, _FILE)
    with contextlib.ExitStack() as stack:
        folder = os.open(root, _DIRECTORY)
        stack.callback(os.close, folder)
        for part in parts[:-1]:
            folder = os.open(part, _DIRECTORY, dir_fd=folder)
            stack.callback(os.close, folder)
        return os.open(parts[-1], _FILE, dir_fd=folder)
