"""Downloading from a server that behaves, and from those that do not. Nothing leaves loopback."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from zoo.data import download as downloads
from zoo.data.download import UnreachableError, Wanted, digest_of, download
from zoo.errors import DataError
from zoo.plugins.specs import RemoteFile

BODY = bytes(range(256)) * 4096  # four blocks
LATER = "type the same command again, or later"


def silent(name, done, total):
    pass


def remote(url, body=BODY, largest=1 << 21, http=True):
    file = RemoteFile(url, "x.bin", hashlib.md5(body).hexdigest(), largest, http=http)
    return Wanted.of(file)


def refused(file, path):
    """The message; and nothing is left behind."""
    with pytest.raises(DataError) as caught:
        download(file, path, silent)
    assert list(path.parent.iterdir()) == []
    return str(caught.value)


def test_a_file_comes_whole_and_its_progress_is_told(server, tmp_path):
    told = []
    file = remote(server.give("/x", BODY))
    download(file, tmp_path / "x.bin", lambda *given: told.append(given))
    assert (tmp_path / "x.bin").read_bytes() == BODY
    assert digest_of(tmp_path / "x.bin", "md5") == file.begins
    assert [path.name for path in tmp_path.iterdir()] == ["x.bin"]
    assert told[0] == ("x.bin", 0, len(BODY))
    assert told[-1] == ("x.bin", len(BODY), len(BODY))


def test_another_files_bytes_are_refused(server, tmp_path):
    other = BODY[:-1] + b"!"
    file = remote(server.give("/x", other))
    assert refused(file, tmp_path / "x.bin") == (
        f"{file.url!r} has the md5 {hashlib.md5(other).hexdigest()}; expected {file.begins}: it is "
        f"not the published file, or was damaged on its way; {LATER}"
    )


def test_a_file_that_was_there_outlives_a_failure(server, tmp_path):
    (tmp_path / "x.bin").write_bytes(b"before")
    with pytest.raises(DataError):
        download(remote(server.give("/x", b"other")), tmp_path / "x.bin", silent)
    assert (tmp_path / "x.bin").read_bytes() == b"before"


def test_a_download_cut_short_is_refused(server, tmp_path):
    def answer(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(BODY)))
        request.end_headers()
        request.wfile.write(BODY[:1000])

    server.answers["/x"] = answer
    file = remote(server.url("/x"))
    said = refused(file, tmp_path / "x.bin")
    assert said == f"{file.url!r} ended after 1000 of {len(BODY)} bytes; {LATER}"


@pytest.mark.parametrize("told", [True, False])
def test_more_than_the_published_bytes_are_not_read(server, tmp_path, told):
    def answer(request):
        request.send_response(200)
        if told:
            request.send_header("Content-Length", str(len(BODY)))
        request.end_headers()
        request.wfile.write(BODY)

    server.answers["/x"] = answer
    file = remote(server.url("/x"), largest=1000)
    said = refused(file, tmp_path / "x.bin")
    assert said == f"{file.url!r} has more than 1000 bytes: it is not the published file"


def test_a_full_disk_is_seen_before_it_is_full(server, tmp_path, monkeypatch):
    file = remote(server.give("/x", BODY))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=5))
    said = refused(file, tmp_path / "x.bin")
    assert said == f"{file.url!r} has {len(BODY)} bytes; {str(tmp_path)!r} has room for 5"


@pytest.mark.parametrize("bytes_first", [0, 100])
def test_a_server_that_falls_silent_is_left(server, tmp_path, monkeypatch, bytes_first):
    over = threading.Event()

    def answer(request):
        if bytes_first:
            request.send_response(200)
            request.send_header("Content-Length", str(len(BODY)))
            request.end_headers()
            request.wfile.write(BODY[:bytes_first])
            request.wfile.flush()
        over.wait(30)

    server.answers["/x"] = answer
    monkeypatch.setattr(downloads, "STALL_SECONDS", 0.3)
    file = remote(server.url("/x"))
    started = time.monotonic()
    try:
        said = refused(file, tmp_path / "x.bin")
    finally:
        over.set()
    assert time.monotonic() - started < 3
    assert said.startswith(f"{file.url!r}: ")
    assert said.endswith(LATER)


def test_a_server_that_drips_is_left(server, tmp_path, monkeypatch):
    """Each byte comes in time; the block does not. The negative control: given time, it is read."""

    def answer(request):
        request.send_response(200)
        request.end_headers()
        for _ in range(15):
            request.wfile.write(b"x")
            request.wfile.flush()
            time.sleep(0.1)

    server.answers["/x"] = answer
    file = remote(server.url("/x"), body=b"x" * 15)
    download(file, tmp_path / "x.bin", silent)
    (tmp_path / "x.bin").unlink()
    monkeypatch.setattr(downloads, "STALL_SECONDS", 0.4)
    assert refused(file, tmp_path / "x.bin") == (
        f"{file.url!r}: less than {downloads.BLOCK} bytes came within 0.4 s; {LATER}"
    )


def test_an_error_of_the_server_is_told(server, tmp_path):
    file = remote(server.url("/nothing"))
    said = refused(file, tmp_path / "x.bin")
    assert said == f"{file.url!r}: the server answered 404 Not Found"


def moved(to):
    def answer(request):
        request.send_response(302)
        request.send_header("Location", to)
        request.end_headers()

    return answer


def test_redirects_are_followed_but_not_for_ever(server, tmp_path):
    server.give("/x", BODY)
    server.answers["/old"] = moved("/x")
    download(remote(server.url("/old")), tmp_path / "x.bin", silent)
    (tmp_path / "x.bin").unlink()
    server.answers["/round"] = moved("/round")
    assert "redirect" in refused(remote(server.url("/round")), tmp_path / "x.bin")
    assert server.asked.count("/round") <= downloads.REDIRECTS + 1


def test_a_redirect_does_not_lead_out_of_the_web(server, tmp_path):
    (tmp_path / "secret").mkdir()
    secret = tmp_path / "secret" / "x"
    secret.write_bytes(BODY)
    (tmp_path / "here").mkdir()
    server.answers["/x"] = moved(secret.as_uri())
    file = remote(server.url("/x"))
    said = refused(file, tmp_path / "here" / "x.bin")
    assert f"url '{secret.as_uri()}' is not allowed" in said


def test_a_redirect_does_not_lead_from_https_to_http():
    request = urllib.request.Request("https://data.example/x")
    given = (request, io.BytesIO(), 302, "Found", {})
    with pytest.raises(DataError) as caught:
        downloads._Redirects(remote("https://data.example/x", http=False)).redirect_request(
            *given, "http://data.example/x"
        )
    assert str(caught.value) == (
        "'https://data.example/x' leads to 'http://data.example/x': expected an https address"
    )
    assert downloads._Redirects(remote("https://data.example/x")).redirect_request(
        *given, "http://data.example/x"
    )


def test_without_https_only_what_says_so_is_taken(server, tmp_path):
    file = remote(server.give("/x", BODY), http=False)
    assert refused(file, tmp_path / "x.bin") == f"{file.url!r}: expected an https address"
    assert server.asked == []


def test_a_refused_connection_is_told_at_once(server, tmp_path):
    with contextlib.closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(UnreachableError) as caught:
            download(remote(f"http://{host}/x"), tmp_path / "x.bin", silent)
    assert str(caught.value) == (
        f"{host!r} cannot be reached: ConnectionRefusedError: [Errno 111] Connection refused"
    )


@pytest.fixture
def no_names(monkeypatch) -> Iterator[None]:
    """A network that swallows every question for a name: without the deadline, it hangs."""
    over = threading.Event()

    def look_up(*_: object, **__: object) -> None:
        over.wait(30)
        raise socket.gaierror("over")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    over.set()


@pytest.mark.usefixtures("no_names")
def test_a_name_that_is_never_found_costs_three_seconds(tmp_path):
    started = time.monotonic()
    with pytest.raises(UnreachableError) as caught:
        download(remote("https://data.example/x", http=False), tmp_path / "x.bin", silent)
    assert 2 < time.monotonic() - started < 4
    assert str(caught.value) == "'data.example' cannot be reached: no connection within 3 s"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_file_is_named(server, tmp_path):
    path = Path(tmp_path / "missing" / "x.bin")
    with pytest.raises(DataError, match=r"^cannot write '.*x\.bin': FileNotFoundError"):
        download(remote(server.give("/x", BODY)), path, silent)
