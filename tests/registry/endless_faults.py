"""Servers that never come to an end, or take too long for it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from fault_server import Fault, HungError, Request
from faults import body_of


def endless(request: Request) -> None:
    request.head(connection="close")
    _pour(request, iter(lambda: b"x" * 65536, b""))


def endless_chunks(request: Request) -> None:
    request.head(transfer_encoding="chunked")
    _pour(request, iter(lambda: b"10000\r\n" + b"x" * 65536 + b"\r\n", b""))


def endless_headers(request: Request) -> None:
    request.send(b"HTTP/1.1 200 OK\r\n")
    _pour(request, (b"X-%d: y\r\n" % i for i in itertools.count()))


def endless_header_line(request: Request) -> None:
    request.send(b"HTTP/1.1 200 OK\r\nX: ")
    _pour(request, iter(lambda: b"x" * 65536, b""))


def endless_continues(request: Request) -> None:
    _pour(request, iter(lambda: b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, b""))


def endless_trailers(request: Request) -> None:
    body = body_of(request)
    request.head(transfer_encoding="chunked")
    request.send(b"%x\r\n" % len(body) + body + b"\r\n0\r\n")
    _pour(request, iter(lambda: b"X: y\r\n" * 1000, b""))


def _pour(request: Request, blocks: Iterator[bytes]) -> None:
    for block in blocks:
        if request.server.over.is_set():
            break
        request.send(block)


def silent(request: Request) -> None:
    raise HungError


def silent_after_headers(request: Request) -> None:
    request.head(content_length=len(body_of(request)))
    raise HungError


def silent_after(k: int) -> Fault:
    def fault(request: Request) -> None:
        request.head(content_length=len(body_of(request)), etag=request.etag)
        request.send(body_of(request)[:k])
        raise HungError

    return fault


def dripping(request: Request) -> None:
    """A byte at a time: each comes within any limit on a single read."""
    request.head(content_length=len(body_of(request)))
    for byte in body_of(request):
        if request.server.over.wait(0.02):
            break
        request.send(bytes([byte]))


def dripping_headers(request: Request) -> None:
    request.send(b"HTTP/1.1 200 OK\r\nX: ")
    while not request.server.over.wait(0.02):
        request.send(b"x")


def garbage(request: Request) -> None:
    """Another service listens there."""
    request.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    request.drop()


def slow_then_served(seconds: float) -> Fault:
    def fault(request: Request) -> None:
        time.sleep(seconds)
        request.serve()

    return fault
