"""A web server on loopback that serves a registry's folder and breaks whatever it is told to.

It speaks through the bare socket, so that it can say what no server should. A fault is a function
that is given the request and answers it; ``server.faults[path]`` are used up one a request, the
last one for ever; a path without one is served as it lies, with ranges and ETags.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Fault = Callable[["Request"], None]


class HungError(Exception):
    """The server is to say nothing more, and to keep the connection."""


@dataclass
class Request:
    """One request and the means to answer it. ``body``: what lies at the path."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    server: FaultServer
    sock: socket.socket
    close: bool = False

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def head(self, status: str = "200 OK", **headers: object) -> None:
        """A status line and headers; ``content_length=3`` becomes ``Content-Length: 3``."""
        self.server.answers.append(int(status[:3]))
        lines = [f"HTTP/1.1 {status}"]
        lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def answer(self, body: bytes, status: str = "200 OK", **headers: object) -> None:
        self.head(status, **{"content_length": len(body), **headers})
        if self.method != "HEAD":
            self.send(body)

    def drop(self) -> None:
        self.close = True

    def serve(self) -> None:
        """What a good server does."""
        if self.body is None:
            self.answer(b"no such file", "404 Not Found")
            return
        etag = self.etag
        if self.headers.get("if-none-match") == etag:
            self.head("304 Not Modified", etag=etag)
            return
        first = self.range_start()
        if first is None or self.headers.get("if-range", etag) != etag:
            self.answer(self.body, etag=etag)
        elif first >= len(self.body):
            self.answer(b"", "416 Range Not Satisfiable", content_range=f"bytes */{len(self.body)}")
        else:
            self.part(self.body, first, etag=etag)

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body or b"").hexdigest()}"'

    def range_start(self) -> int | None:
        match = re.fullmatch(r"bytes=([0-9]+)-", self.headers.get("range", ""))
        return int(match[1]) if match else None

    def part(self, body: bytes, first: int, said: int | None = None, **headers: object) -> None:
        """206 with what comes from ``first`` on, saying that it begins at ``said``."""
        begins = first if said is None else said
        span = f"bytes {begins}-{len(body) - 1}/{len(body)}"
        self.answer(body[first:], "206 Partial Content", content_range=span, **headers)


@dataclass
class FaultServer:
    """``requests``: (method, path) of every one; ``answers``: the statuses; ``tokens``: what was
    shown as Authorization; ``encodings``: every Accept-Encoding; ``accepted``: connections."""

    root: Path
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    encodings: set[str | None] = field(default_factory=set)
    accepted: int = 0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        if self.over.is_set():
            return
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def asked(self, path: str) -> int:
        return sum(one == path for _, one in self.requests)

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._open.add(sock)
            self._threads.append(threading.Thread(target=self._serve, args=(sock,), daemon=True))
            self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        if self.tls is not None:
            plain = sock
            try:
                sock = self.tls.wrap_socket(plain, server_side=True)
            except OSError:  # a client that does not trust us
                plain.close()
                return
            finally:
                self._open.discard(plain)  # it has given up its descriptor
            self._open.add(sock)
        # Clients leave in the middle of what is sent; that is what is tested.
        with contextlib.suppress(OSError), sock, sock.makefile("rb") as stream:
            while (request := self._request(sock, stream)) is not None and not self.over.is_set():
                try:
                    self._fault(request.path.lstrip("/"))(request)
                except HungError:
                    self.over.wait(30)
                    break
                if request.close:
                    break
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._open.discard(sock)

    def _fault(self, path: str) -> Fault:
        left = self.faults.get(path)
        if not left:
            return Request.serve
        return left.pop(0) if len(left) > 1 else left[0]

    def _request(self, sock: socket.socket, stream: object) -> Request | None:
        lines: list[str] = []
        while line := stream.readline().decode("latin-1").rstrip("\r\n"):  # type: ignore[attr-defined]
            lines.append(line)
        if not lines:
            return None
        method, path, _ = lines[0].split(" ")
        pairs = (line.partition(":") for line in lines[1:])
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        self.requests.append((method, path.lstrip("/")))
        self.tokens.append(headers.get("authorization"))
        self.encodings.add(headers.get("accept-encoding"))
        file = self.root / path.lstrip("/")
        body = file.read_bytes() if file.is_file() else None
        return Request(method, path, headers, body, self, sock)
