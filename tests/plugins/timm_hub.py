"""A stand-in for the Hub that goes wrong in every way, for timm's weights.

The right one is that of the registry's tests; it is asked by the Hub's own client.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "registry"))

import hub_server

FILE = "model.safetensors"
Fault = Callable[["Handler"], None]


class Handler(hub_server.Handler):
    """``heads`` and ``bodies``: what answers instead of the right answer to the question for a
    file, and to that for its bytes; ``leave``: set at the end, for those that wait."""

    heads: Fault | None = None
    bodies: Fault | None = None
    leave: threading.Event

    def _resolve(self, name: str, revision: str, path: str) -> None:
        if self.heads is not None:
            type(self).heads(self)
        else:
            super()._resolve(name, revision, path)

    def do_GET(self) -> None:  # noqa: N802
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if self.path.startswith("/cdn/") and self.bodies is not None:
                self._note()
                type(self).bodies(self)
            else:
                super().do_GET()

    do_HEAD = do_GET  # noqa: N815

    def body(self) -> bytes:
        return self.hub.lfs[self.path.rpartition("/")[2]]

    def begin(self, size: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()


@contextlib.contextmanager
def serving() -> Iterator[Any]:
    """The class of the handler, whose ``hub`` is the Hub."""

    class One(Handler):
        leave = threading.Event()

    with ThreadingHTTPServer(("127.0.0.1", 0), One) as web:
        web.daemon_threads, web.block_on_close = True, False
        One.hub = hub_server.Hub(f"http://127.0.0.1:{web.server_address[1]}")
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield One
        One.leave.set()
        web.shutdown()
        thread.join()


def put(hub: hub_server.Hub, name: str, data: bytes, file: str = FILE) -> None:
    hub.repositories[name] = hub_server.Repository(branches={"main": {file: data}})


def cut_short(one: Handler) -> None:
    one.begin(len(one.body()))
    one.wfile.write(one.body()[: len(one.body()) // 2])
    one.close_connection = True


def other_bytes(one: Handler) -> None:
    one.begin(len(one.body()))
    one.wfile.write(one.body()[:-1] + b"!")


def web_page(one: Handler) -> None:
    page = b"<!doctype html><title>Log in to the hotel's network</title>"
    one.begin(len(page))
    one.wfile.write(page)


def stalls(one: Handler) -> None:
    one.begin(len(one.body()))
    one.wfile.write(one.body()[:100])
    one.wfile.flush()
    one.leave.wait(20)


def trickles(one: Handler) -> None:
    one.begin(len(one.body()))
    for byte in one.body():
        one.wfile.write(bytes([byte]))
        one.wfile.flush()
        if one.leave.wait(0.02):
            return


def too_much(one: Handler) -> None:
    one.begin(len(one.body()) + 7)
    one.wfile.write(one.body() + b"surplus")


def gone(one: Handler) -> None:
    one.send_error(404)


def broken(one: Handler) -> None:
    one.send_error(500)


def silent(one: Handler) -> None:
    one.leave.wait(20)


def round_and_round(one: Handler) -> None:
    one.send_response(302)
    one.send_header("Location", one.path)
    one.send_header("Content-Length", "0")
    one.end_headers()


def portal(one: Handler) -> None:
    """What a hotel's network says to every question."""
    one.send_response(200)
    one.send_header("ETag", '"abc"')
    one.send_header("Content-Length", "20")
    one.end_headers()
    if one.command != "HEAD":
        one.wfile.write(b"<!doctype html>login")


def head(**changes: str) -> Fault:
    """The right answer but for these headers."""

    def answer(one: Handler) -> None:
        said = {
            "X-Repo-Commit": "0" * 40,
            "X-Linked-Etag": f'"{"a" * 64}"',
            "X-Linked-Size": "1000",
            "Location": f"{one.hub.elsewhere}/cdn/{'a' * 64}",
            **changes,
        }
        one.send_response(302)
        for name, value in said.items():
            one.send_header(name, value)
        one.send_header("Content-Length", "0")
        one.end_headers()

    return answer
