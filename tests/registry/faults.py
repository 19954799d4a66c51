"""What a server can do wrong, each as a function of the request it answers.

A fault that is a list is used up one a request; :func:`zoo`'s reader may well come again.
"""

from __future__ import annotations

import gzip

from fault_server import Fault, Request

PAGE = b"<!DOCTYPE html>\n<html><body>Please log in</body></html>"


def serve(request: Request) -> None:
    request.serve()


def body_of(request: Request) -> bytes:
    assert request.body is not None
    return request.body


def dropped_at(k: int, etag: str | None = "") -> Fault:
    """The connection ends after ``k`` bytes of what was asked for. ``etag``: "" for the true one,
    None for none."""

    def fault(request: Request) -> None:
        body = body_of(request)
        told = {} if etag is None else {"etag": etag or request.etag}
        first = request.range_start()
        if first is None:
            request.head(content_length=len(body), **told)
            request.send(body[:k])
        else:
            span = f"bytes {first}-{len(body) - 1}/{len(body)}"
            request.head(
                "206 Partial Content",
                content_length=len(body) - first,
                content_range=span,
                **told,
            )
            request.send(body[first : first + k])
        request.drop()

    return fault


def dropped_without_length(k: int) -> Fault:
    def fault(request: Request) -> None:
        request.head(connection="close")
        request.send(body_of(request)[:k])
        request.drop()

    return fault


def dropped_chunk(k: int) -> Fault:
    def fault(request: Request) -> None:
        request.head(transfer_encoding="chunked")
        request.send(b"%x\r\n" % len(body_of(request)) + body_of(request)[:k])
        request.drop()

    return fault


def dropped_before_headers(request: Request) -> None:
    request.drop()


def dropped_in_headers(request: Request) -> None:
    request.send(b"HTTP/1.1 200 OK\r\nContent-")
    request.drop()


def with_body(change: bytes | None, **headers: object) -> Fault:
    def fault(request: Request) -> None:
        request.answer(body_of(request) if change is None else change, **headers)

    return fault


def shorter(request: Request) -> None:
    request.answer(body_of(request)[:-1])


def longer(request: Request) -> None:
    request.answer(body_of(request) + b"x")


def longer_without_length(request: Request) -> None:
    request.head(connection="close")
    request.send(body_of(request) + b"x")
    request.drop()


def shorter_in_chunks(request: Request) -> None:
    body = body_of(request)[:-1]
    request.head(transfer_encoding="chunked")
    request.send(b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")


def in_chunks(request: Request) -> None:
    """Nothing wrong with it: static hosts do that."""
    request.head(transfer_encoding="chunked")
    body = body_of(request)
    for start in range(0, len(body), 70_000):
        block = body[start : start + 70_000]
        request.send(b"%x\r\n" % len(block) + block + b"\r\n")
    request.send(b"0\r\n\r\n")


def chunk_of_no_number(request: Request) -> None:
    request.head(transfer_encoding="chunked")
    request.send(b"many\r\n")
    request.drop()


def length_lies(said: object) -> Fault:
    """The whole body, under another length."""

    def fault(request: Request) -> None:
        request.head(content_length=said)
        request.send(body_of(request))
        request.drop()

    return fault


def two_lengths(request: Request) -> None:
    size = len(body_of(request))
    request.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nContent-Length: {size + 1}\r\n\r\n"
                 .encode() + body_of(request))  # fmt: skip
    request.drop()


def more_than_its_length(request: Request) -> None:
    """What follows poisons the connection for the next answer."""
    request.answer(body_of(request))
    request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")


def flipped(bit: int) -> Fault:
    def fault(request: Request) -> None:
        body = bytearray(body_of(request))
        body[bit // 8 % len(body)] ^= 1 << bit % 8
        request.answer(bytes(body))

    return fault


def zipped(request: Request) -> None:
    request.answer(gzip.compress(body_of(request)), content_encoding="gzip")


def zipped_transfer(request: Request) -> None:
    request.answer(gzip.compress(body_of(request)), transfer_encoding="gzip")


def whole_to_a_range(request: Request) -> None:
    request.answer(body_of(request), etag=request.etag)


def not_satisfiable(request: Request) -> None:
    if request.range_start() is None:
        request.serve()
    else:
        request.answer(b"", "416 Range Not Satisfiable")


def wrong_range(request: Request) -> None:
    first = request.range_start()
    if first is None:
        request.serve()
    else:
        request.part(body_of(request), first - 1)


def lying_range(request: Request) -> None:
    """Says that it goes on, and begins one byte earlier."""
    first = request.range_start()
    if first is None:
        request.serve()
    else:
        request.part(body_of(request), first - 1, said=first)


def range_of_a_longer_file(request: Request) -> None:
    first = request.range_start()
    if first is None:
        request.serve()
    else:
        request.part(body_of(request) + b"more", first)


def another(etag: str | None, k: int | None = None) -> Fault:
    """Another content of the same size, under the name ``etag``, ranges too; after ``k`` bytes the
    connection ends."""

    def fault(request: Request) -> None:
        other = bytes(255 - byte for byte in body_of(request))
        told = {} if etag is None else {"etag": etag}
        first = request.range_start()
        if first is not None:
            request.part(other, first, **told)
        elif k is None:
            request.answer(other, **told)
        else:
            request.head(content_length=len(other), **told)
            request.send(other[:k])
            request.drop()

    return fault


def leaving(request: Request) -> None:
    """Serves, and closes the connection without having said so."""
    request.serve()
    request.drop()


def status(line: str, body: bytes = b"", **headers: object) -> Fault:
    def fault(request: Request) -> None:
        request.answer(body, line, **headers)

    return fault


def moved(to: str, line: str = "302 Found") -> Fault:
    return status(line, location=to)


def page(request: Request) -> None:
    request.answer(PAGE, content_type="text/html; charset=utf-8")


def page_of_that_size(request: Request) -> None:
    request.answer(page_like(body_of(request)), content_type="text/html")


def page_like(body: bytes) -> bytes:
    return (PAGE * (len(body) // len(PAGE) + 1))[: len(body)]


def page_in_chunks(request: Request) -> None:
    request.head(transfer_encoding="chunked", content_type="text/html")
    request.send(b"%x\r\n" % len(PAGE) + PAGE + b"\r\n0\r\n\r\n")
