"""moto's S3 on the loopback interface, and what a store or its network may do to a request.

moto looks and then puts, in threads: two creates at once would both succeed there, as they never do
on S3. So requests that write are served one at a time.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from zoo.registry.places.s3_tree import S3Tree

KEY, SECRET = "AKIAZOOTESTS", "a-secret-that-nobody-may-see"
Environ = dict[str, Any]
Start = Callable[..., Any]
Answer = Callable[[Environ, Start], Iterable[bytes]]
# Given the request, the way to answer it, and moto, which answers it rightly.
Fault = Callable[[Environ, Start, Answer], Iterable[bytes]]


class Quiet(MotoRequestHandler):
    def log_request(self, *_: object) -> None:
        pass

    def log_error(self, *_: object) -> None:
        pass


class Store:
    """``fault``: stands between clients and moto; ``asked``: (method, path) of every request, in
    order; ``headers``: of the last one."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.bucket = f"zoo-{uuid.uuid4().hex[:12]}"
        self.fault: Fault | None = None
        self.asked: list[tuple[str, str]] = []
        self._put("")

    def make_public(self) -> None:
        """Let everybody read what is put from now on."""
        self._put("?acl", {"x-amz-acl": "public-read"})

    def _put(self, query: str, headers: dict[str, str] | None = None) -> None:
        request = urllib.request.Request(
            f"{self.endpoint}/{self.bucket}{query}", method="PUT", headers=headers or {}
        )
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()
        self.asked.clear()

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/team/zoo"

    def tree(self, **changes: Any) -> S3Tree:
        settings = {
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "access_key_env": "ZOO_KEY",
            "secret_key_env": "ZOO_SECRET",
        }
        return S3Tree(changes.pop("url", self.url), **{**settings, **changes})


@contextlib.contextmanager
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store with an empty bucket; nothing of the machine's own credentials is seen."""
    for name in [*os.environ]:
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    # Where a client without credentials would ask the machine it runs on.
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("ZOO_KEY", KEY)
    monkeypatch.setenv("ZOO_SECRET", SECRET)
    with tempfile.TemporaryDirectory() as cache:
        monkeypatch.setenv("ZOO_CACHE", cache)
        yield from _serving()


def _serving() -> Iterator[Store]:
    app, alone = DomainDispatcherApplication(create_backend_app), threading.Lock()
    made: list[Store] = []

    def moto(environ: Environ, start: Start) -> Iterable[bytes]:
        with alone:
            return list(app(environ, start))

    def serve(environ: Environ, start: Start) -> Iterable[bytes]:
        if not made:
            return moto(environ, start)
        made[0].asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        fault = made[0].fault
        return fault(environ, start, moto) if fault else moto(environ, start)

    server = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=Quiet)
    server.daemon_threads, server.block_on_close = True, False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        made.append(Store(server.server_port))
        yield made[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refuse(status: str, code: str = "") -> Fault:
    """Every request is answered with that status, such as ``503 Slow Down``."""

    def fault(environ: Environ, start: Start, moto: Answer) -> Iterable[bytes]:
        body = f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode()
        start(status, [("Content-Length", str(len(body)))])
        return [body]

    return fault
