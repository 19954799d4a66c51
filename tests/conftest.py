"""For every test: one thread, no waiting for the disk, no new process and no drawing to publish,
and a web server on the loopback interface to download from."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

# Before torch is imported: what tests compute is too small for two threads to share.
os.environ.setdefault("OMP_NUM_THREADS", "1")

Answer = Callable[[BaseHTTPRequestHandler], None]


class Loopback:
    """``server.url("/x")`` is where ``server.answers["/x"]`` answers; ``asked``: every path asked
    for, in order."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def give(self, path: str, body: bytes) -> str:
        """Serve ``body``; its address."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(200)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)

        self.answers[path] = answer
        return self.url(path)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests pull and decode goes to no user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """No power is cut here; that and in which order files are synced is tried by shims of those
    tests' own, and in processes that sync for real."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def one_picture_for_all() -> Iterator[None]:
    """Of confusions in this process: to draw one takes longer than all else of a version. They are
    drawn where they are tested, and by commands in processes of their own."""
    from zoo.predictions.confusion import draw_confusion
    from zoo.registry import release
    from zoo.tasks import MULTICLASS, Task

    drawn = draw_confusion(Task(MULTICLASS, ("a", "b")), [[2, 1], [0, 3]], "test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "draw_confusion", lambda *_: drawn)
        yield


@pytest.fixture(autouse=True)
def gate_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishing looks at what it publishes in this process: a new one takes seconds. What tests
    the new one overrides this by a fixture of the same name."""
    from zoo.registry import fresh

    def check(_: object, *given: Any) -> None:
        from zoo.plugins.catalog import catalog
        from zoo.registry.gate import check_version

        draft, files, digest, handed = given
        check_version(draft, files, catalog(), weights_sha256=digest, handed=handed)

    monkeypatch.setattr(fresh.FreshProcess, "__init__", lambda _: None)
    monkeypatch.setattr(fresh.FreshProcess, "__exit__", lambda *_: None)
    monkeypatch.setattr(fresh.FreshProcess, "check", check)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            loopback.asked.append(self.path)
            answer = loopback.answers.get(self.path)
            if answer is None:
                self.send_error(404)
                return
            # Some tests want the reader to leave.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        web.daemon_threads = True
        web.block_on_close = False
        loopback = Loopback(web.server_address[1])
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield loopback
        web.shutdown()
        thread.join()
