"""``zoo registry serve``: what it gives, and that nothing else can be had."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import threading

import pytest
from pull_bench import BLOB, CARD, HEAD, MODEL, PAGE, RECORD, SHA, WEIGHTS, publish

from zoo.errors import RegistryError
from zoo.registry.names import Reference
from zoo.registry.places import serving
from zoo.registry.places.http_tree import HttpTree
from zoo.registry.places.serving import RegistryServer, Span, span_of
from zoo.registry.pulling import pull_from
from zoo.registry.store import Registry


@pytest.fixture
def root(tmp_path):
    publish(tmp_path / "outside" / "registry")
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    return tmp_path / "outside" / "registry"


@pytest.fixture
def server(root):
    with RegistryServer(root) as web:
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield web
        web.shutdown()
        thread.join()


@pytest.fixture
def ask(server):
    """``ask("/path", Range="…")`` -> (status, headers, body)."""
    opened = []

    def one(target, method="GET", **headers):
        connection = http.client.HTTPConnection(*server.server_address[:2], timeout=5)
        opened.append(connection)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, headers=named)
        response = connection.getresponse()
        return response.status, response.headers, response.read()

    yield one
    for connection in opened:
        connection.close()


def test_a_registry_is_pulled_from_it(server, tmp_path):
    registry = Registry(HttpTree(server.url), "lan")
    found = pull_from(registry, Reference.parse(MODEL), tmp_path / "target")
    assert found.files["model.safetensors"].read_bytes() == WEIGHTS
    assert registry.models() == [MODEL]
    assert registry.tree.exists(RECORD) and not registry.tree.exists(HEAD.replace("head", "tail"))


def test_an_address_without_a_registry_is_no_empty_one(server, root):
    (root / "catalog" / "shards.json").unlink()  # as if nobody had published yet
    assert Registry(HttpTree(server.url), "lan").models() == []
    with pytest.raises(RegistryError) as caught:
        Registry(HttpTree(f"{server.url}/elsewhere"), "lan").models()
    assert str(caught.value) == (
        f"'{server.url}/elsewhere' is no registry: it has no zoo-registry.json; check its url in "
        f"registry.toml"
    )


@pytest.mark.parametrize(
    ("path", "kind", "lasts"),
    [
        (BLOB, "application/octet-stream", True),
        (RECORD, "application/json", True),
        (HEAD, "application/json", False),
        (PAGE, "application/json", False),
        ("zoo-registry.json", "application/json", False),
        ("catalog/shards.json", "application/json", False),
    ],
)
def test_every_kind_of_file(ask, root, path, kind, lasts):
    status, headers, body = ask(f"/{path}")
    assert (status, body) == (200, (root / path).read_bytes())
    assert headers["Content-Type"] == kind
    assert headers["Content-Length"] == str(len(body))
    assert headers["ETag"] == f'"{hashlib.sha256(body).hexdigest()}"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Accept-Ranges"] == "bytes"
    assert ("immutable" in headers["Cache-Control"]) is lasts
    assert "Python" not in headers["Server"]
    status, of_head, nothing = ask(f"/{path}", "HEAD")
    assert (status, nothing) == (200, b"")
    assert {k: v for k, v in of_head.items() if k != "Date"} == {
        k: v for k, v in headers.items() if k != "Date"
    }
    assert ask(f"/{path}", If_None_Match=headers["ETag"])[::2] == (304, b"")
    assert ask(f"/{path}", If_None_Match=f'"0", {headers["ETag"]}')[::2] == (304, b"")
    assert ask(f"/{path}", If_None_Match='"0"')[::2] == (200, body)


@pytest.mark.parametrize(
    ("asked", "status", "span"),
    [
        ("bytes=0-", 206, (0, 700_000)),
        ("bytes=262144-", 206, (262_144, 700_000)),
        ("bytes=10-19", 206, (10, 20)),
        ("bytes=699999-999999", 206, (699_999, 700_000)),
        ("bytes=-5", 206, (699_995, 700_000)),
        ("bytes=-9999999", 206, (0, 700_000)),
        ("bytes=700000-", 416, None),
        ("bytes=-0", 416, None),
        # What need not be understood is not there.
        ("bytes=5-2", 200, None),
        ("bytes=-", 200, None),
        ("bytes=0-1,5-6", 200, None),
        ("lines=0-1", 200, None),
        ("bytes=1e3-", 200, None),
    ],
)
def test_ranges(ask, asked, status, span):
    found, headers, body = ask(f"/{BLOB}", Range=asked)
    assert found == status
    if span:
        assert body == WEIGHTS[slice(*span)]
        assert headers["Content-Range"] == f"bytes {span[0]}-{span[1] - 1}/700000"
    elif status == 416:
        assert (headers["Content-Range"], body) == ("bytes */700000", b"")
    else:
        assert body == WEIGHTS


def test_a_range_of_what_changed_is_the_whole(ask):
    assert ask(f"/{BLOB}", Range="bytes=5-", If_Range=f'"{SHA}"')[0] == 206
    assert ask(f"/{BLOB}", Range="bytes=5-", If_Range='"0"')[::2] == (200, WEIGHTS)


def test_an_empty_file_has_no_range():
    with pytest.raises(ValueError, match="0 bytes"):
        span_of("bytes=0-", 0)
    assert span_of(None, 0) is None
    assert span_of("bytes=0-0", 1) == Span(0, 1)


OUTSIDE = [
    "/", "", "/..", "/../secret", "/blobs/../../secret", "/./zoo-registry.json",
    "/%2e%2e/secret", "/..%2fsecret", "/%252e%252e/secret", "/..%c0%afsecret", "//secret",
    "/models/..%5c..%5csecret", "/models/../zoo-registry.json", f"/{MODEL}",
    "/models/digits-tiny", "/models/digits-tiny/", "/models/digits-tiny/versions/",
    "/models/digits-tiny/versions/0.json", "/models/digits-tiny/versions/1.json/",
    "/models/digits-tiny/versions/1.json.bak", "/models/digits-tiny/versions/1.json%00",
    "/models/Digits-Tiny/head.json", "/models/digits_tiny/head.json",
    "/models/digits-tiny/versions/99.json", "/models/digits-tiny/lock", "/tmp/x", "/trash/x",
    "/.git/config", "/catalog/zz.json", f"/blobs/sha256/00/{'0' * 64}", f"/blobs/sha256/{SHA}",
    "http://127.0.0.1/zoo-registry.json", "file:///etc/passwd", "/" + "a/" * 5000, "*",
]  # fmt: skip


@pytest.mark.parametrize("target", OUTSIDE, ids=range(len(OUTSIDE)))
def test_nothing_else_can_be_named(ask, root, target):
    (root / "models/digits-tiny/lock").write_bytes(b"")
    (root / ".git").mkdir()
    (root / ".git/config").write_bytes(b"secret")
    status, headers, body = ask(target or "/")
    assert status in (400, 404)
    assert headers["Content-Type"] == "text/plain"
    assert body.decode() == f"{status} {http.client.responses[status]}\n" or status == 400
    assert b"secret" not in body


@pytest.mark.parametrize("part", ["models", "models/digits-tiny", "models/digits-tiny/head.json"])
@pytest.mark.parametrize("inside", [True, False])
def test_no_link_is_followed(ask, root, part, inside):
    """Not even one that leads to another place inside: none of ours is one."""
    place = root / part
    kept = (root if inside else root.parent) / "moved"
    place.rename(kept)
    place.symlink_to(kept)
    assert ask(f"/{HEAD}")[0] == 404


def test_what_is_no_file_is_not_there(ask, root):
    (root / HEAD).unlink()
    os.mkfifo(root / HEAD)
    assert ask(f"/{HEAD}")[0] == 404
    (root / HEAD).unlink()
    (root / HEAD).mkdir()
    assert ask(f"/{HEAD}")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_it_only_reads(ask, root, method):
    before = (root / HEAD).read_bytes()
    assert ask(f"/{HEAD}", method)[0] == 501
    assert (root / HEAD).read_bytes() == before


def test_a_file_that_is_cut_short_under_it_ends_the_connection(server, root, monkeypatch):
    (root / BLOB).chmod(0o644)
    (root / BLOB).write_bytes(CARD)
    monkeypatch.setattr(serving.os, "fstat", longer(os.fstat))
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=5)
    connection.request("GET", f"/{BLOB}")
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    connection.close()


def longer(fstat):
    def lying(descriptor):
        found = fstat(descriptor)
        return os.stat_result((*found[:6], 1000, *found[7:]))

    return lying


def test_readers_that_leave_or_say_nonsense_disturb_nobody(server, ask, capsys):
    for said in (b"", b"\x00\xff\r\n\r\n", b"GET /\r\n", b"GET " + b"/" * 70_000):
        with socket.create_connection(server.server_address[:2]) as sock:
            sock.sendall(said)
    assert ask(f"/{HEAD}")[0] == 200
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_asks_for_nothing_is_let_go(server, monkeypatch):
    monkeypatch.setattr(serving._Handler, "timeout", 0.2)
    with socket.create_connection(server.server_address[:2]) as sock:
        sock.settimeout(5)
        assert sock.recv(1) == b""


def test_what_is_no_registry_is_not_served(tmp_path):
    with pytest.raises(RegistryError) as caught:
        RegistryServer(tmp_path)
    assert str(caught.value) == (
        f"{str(tmp_path)!r} is no registry: it has no zoo-registry.json; make one with: zoo "
        f"registry init"
    )


def test_a_port_that_is_taken(server, root):
    with pytest.raises(RegistryError) as caught:
        RegistryServer(root, port=server.server_address[1])
    assert str(caught.value) == (
        f"cannot listen at '127.0.0.1', port {server.server_address[1]}: OSError: [Errno 98] "
        f"Address already in use"
    )
