"""Published weights: found where they lie, else downloaded once; never others, never run."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from pathlib import Path

import pytest
import torch

import zoo
from zoo.data import published_weights as published
from zoo.data.download import UnreachableError
from zoo.errors import DataError, PluginError, StorageError, ZooWarning
from zoo.storage import commit, foreign

BODY = b"weights" * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()
URL = "https://weights.example/models/net-1.pth"
AT = "/weights.example/models/net-1.pth"
MIB = 1 << 20


@pytest.fixture
def folders(tmp_path, monkeypatch):
    for variable, folder in (("ZOO_CACHE", "cache"), ("TORCH_HOME", "torch")):
        monkeypatch.setenv(variable, str(tmp_path / folder))
    for variable in (published.FOLDER_VARIABLE, published.MIRROR_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture
def mirror(server, folders, monkeypatch):
    monkeypatch.setenv(published.MIRROR_VARIABLE, server.url("/"))
    server.give(AT, BODY)
    return server


def fetch(url=URL, largest=MIB, **more):
    return zoo.fetch_weights(url=url, largest=largest, **(more or {"sha256": SHA256}))


def advice(folders, name="net-1.pth"):
    return (
        f"; or get {URL} by other means, put it here as "
        f"{str(folders / 'cache' / 'weights' / name)!r} or into a folder that ZOO_WEIGHTS names, "
        f"or set ZOO_WEIGHTS_MIRROR to a mirror's address"
    )


def kept(folders):
    return sorted(path.name for path in (folders / "cache" / "weights").iterdir())


def test_weights_are_downloaded_once_and_compared_each_time(mirror, folders):
    told = []
    with published.reporting(lambda *given: told.append(given)):
        path = fetch()
    assert path == folders / "cache" / "weights" / "net-1.pth"
    assert path.read_bytes() == BODY
    assert told[-1] == ("net-1.pth", len(BODY), len(BODY))
    assert fetch(sha256_prefix=SHA256[:8]) == path
    assert mirror.asked == [AT]
    path.write_bytes(BODY[:-1] + b"!")  # damaged meanwhile
    assert fetch().read_bytes() == BODY
    assert mirror.asked == [AT, AT]
    assert kept(folders) == ["net-1.pth"]


def test_a_file_put_by_hand_needs_no_network(folders, monkeypatch):
    own = folders / "own"
    own.mkdir()
    (own / "net.pth").write_bytes(BODY)
    monkeypatch.setenv("ZOO_WEIGHTS", str(own))
    assert fetch(name="net.pth", sha256=SHA256) == own / "net.pth"
    (own / "net.pth").write_bytes(b"other")
    with pytest.raises(DataError) as caught:
        fetch(name="net.pth", sha256_prefix=SHA256[:8])
    assert str(caught.value) == (
        f"{str(own / 'net.pth')!r} has the sha256 {hashlib.sha256(b'other').hexdigest()}; expected "
        f"one that begins with {SHA256[:8]}: it is not the published file; move it away, then type "
        f"the same command again"
    )
    monkeypatch.setenv("ZOO_WEIGHTS", str(own / "missing"))
    with pytest.raises(DataError, match=r"^ZOO_WEIGHTS '.*missing': no such folder$"):
        fetch()


def test_what_torch_downloaded_serves_where_it_is_right(mirror, folders):
    there = folders / "torch" / "hub" / "checkpoints" / "net-1.pth"
    there.parent.mkdir(parents=True)
    there.write_bytes(BODY[:100])  # cut short: torch's own business
    assert fetch() == folders / "cache" / "weights" / "net-1.pth"
    fetch().unlink()
    there.write_bytes(BODY)
    assert fetch() == there


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sha256": "0" * 64}, f"has the sha256 {SHA256}; expected {'0' * 64}: it is not the"),
        ({"sha256_prefix": "00000000"}, f"has the sha256 {SHA256}; expected one that begins with"),
    ],
)
def test_other_bytes_are_refused_and_nothing_is_kept(mirror, folders, given, says):
    with pytest.raises(DataError) as caught:
        fetch(**given)
    url = mirror.url(AT)
    assert str(caught.value).startswith(f"{url!r} {says}")
    assert str(caught.value).endswith(advice(folders))
    assert kept(folders) == []


def test_a_truncated_and_an_endless_answer_are_refused(mirror, folders):
    def short(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(BODY)))
        request.end_headers()
        request.wfile.write(BODY[:10])

    mirror.answers[AT] = short
    with pytest.raises(DataError, match=f"ended after 10 of {len(BODY)} bytes"):
        fetch()
    mirror.give(AT, BODY)
    with pytest.raises(DataError, match="has more than 100 bytes: it is not the published file"):
        fetch(largest=100, sha256=SHA256)
    assert kept(folders) == []


def test_without_a_network_the_file_and_its_place_are_named(folders, monkeypatch):
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    started = time.monotonic()
    with pytest.raises(UnreachableError) as caught:
        fetch()
    assert time.monotonic() - started < 5
    assert str(caught.value) == (
        "'weights.example' cannot be reached: gaierror: [Errno -3] Temporary failure in name "
        "resolution" + advice(folders)
    )


@pytest.mark.parametrize(
    "mirror_url", ["http://weights.example", "http://127.0.0.1.example/", "ftp://127.0.0.1", "x"]
)
def test_a_mirror_speaks_https_or_is_this_machine(folders, monkeypatch, mirror_url):
    monkeypatch.setenv("ZOO_WEIGHTS_MIRROR", mirror_url)
    with pytest.raises(DataError) as caught:
        fetch()
    assert str(caught.value) == (
        f"ZOO_WEIGHTS_MIRROR {mirror_url!r}: expected an https address, or an http one of this "
        f"machine" + advice(folders)
    )


def test_a_mirror_of_this_machine_leads_to_no_other(mirror):
    def moved(request):
        request.send_response(302)
        request.send_header("Location", "http://weights.example/net-1.pth")
        request.end_headers()

    mirror.answers[AT] = moved
    with pytest.raises(DataError, match=r"leads to 'http://weights.example/net-1.pth': expected"):
        fetch()


def test_http_is_not_asked_of_other_machines(server, folders):
    url = "http://weights.example/net-1.pth"
    with pytest.raises(DataError, match=f"^'{url}': expected an https address;"):
        fetch(url=url)
    assert fetch(url=server.give("/net-1.pth", BODY)).read_bytes() == BODY


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "expected either sha256, 64 hexadecimal digits in lower case, or"),
        ({"sha256": SHA256[:63]}, "expected either sha256, 64 hexadecimal digits"),
        ({"sha256": SHA256.upper()}, "expected either sha256, 64 hexadecimal digits in lower case"),
        ({"sha256_prefix": SHA256[:7]}, "or sha256_prefix, at least the first 8; given '' and"),
        ({"sha256": SHA256, "sha256_prefix": SHA256[:8]}, "expected either sha256"),
        ({"sha256": SHA256, "name": "../net.pth"}, "name '../net.pth': expected letters"),
        ({"sha256": SHA256, "name": ".hidden"}, "name '.hidden': expected letters"),
        ({"sha256": SHA256, "largest": 0}, "largest 0: expected a number of bytes above 0"),
    ],
)
def test_what_a_plugin_gets_wrong_is_named(folders, given, says):
    with pytest.raises(PluginError) as caught:
        zoo.fetch_weights(**{"url": URL, "largest": MIB, **given})
    assert str(caught.value).startswith(f"weights {URL!r}: ")
    assert says in str(caught.value)


@pytest.fixture
def net(tmp_path, folders) -> Path:
    weights = {"module.a": torch.arange(4.0), "module.b": torch.ones(2, dtype=torch.int64)}
    torch.save({"state_dict": weights, "epoch": 3}, tmp_path / "net.pth")
    return tmp_path / "net.pth"


def assert_read(found):
    assert sorted(found) == ["a", "b"]
    assert torch.equal(found["a"], torch.arange(4.0))
    assert found["b"].dtype == torch.int64


def test_what_torch_wrote_is_converted_once(net, folders, monkeypatch):
    assert_read(zoo.read_torch_weights(net))
    (converted,) = (folders / "cache" / "weights" / "converted").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(foreign, "read", lambda path: pytest.fail("read again"))
        assert_read(zoo.read_torch_weights(net))
    damaged = bytearray(converted.read_bytes())
    damaged[-1] ^= 1
    commit.write(converted, bytes(damaged))
    assert_read(zoo.read_torch_weights(net))
    assert_read(zoo.read_torch_weights(converted))


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


def test_a_pickle_that_runs_code_is_refused_and_nothing_is_kept(folders, monkeypatch):
    monkeypatch.chdir(folders)
    path = folders / "net.pth"
    torch.save({"a": Hostile()}, path)
    with pytest.raises(StorageError, match=r"is a pickle that asks for '\w+.mkdir', which no weig"):
        zoo.read_torch_weights(path)
    assert sorted(one.name for one in folders.iterdir()) == ["net.pth"]


def test_a_cache_that_takes_nothing_is_told(net, folders):
    (folders / "cache").write_text("a file")
    with pytest.warns(ZooWarning, match="the weights are converted each time$"):
        assert_read(zoo.read_torch_weights(net))


def test_a_missing_file_is_named(folders):
    with pytest.raises(DataError, match=r"^cannot read '.*none.pth': FileNotFoundError"):
        zoo.read_torch_weights(folders / "none.pth")
