"""Connections: certificates, and the time one waits for what never comes. Nothing leaves
loopback."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from pathlib import Path

import faults as f
import pytest
from fault_server import FaultServer
from pull_bench import BLOB, HEAD, PUBLIC, WEIGHTS

from zoo.registry.places import http_wire
from zoo.registry.places.http_wire import Wire

CERTIFICATE = Path(__file__).with_name("loopback.pem")


@pytest.fixture
def secure(published_site):
    """A server that speaks TLS, as zoo.test and 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server = FaultServer(published_site, tls=context)
    yield server
    server.close()


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


@pytest.fixture
def safe_wire(bench, net, secure):
    net.port = secure.port
    return bench.wire(resolve=net.resolve, connect=net.connect, tls=trusting)


def test_over_https_all_is_the_same(bench, secure, safe_wire):
    secure.faults[BLOB] = [f.dropped_at(1 << 18), f.serve]
    bench.pull(registry=bench.registry("https://zoo.test", safe_wire))
    bench.assert_whole()


def test_a_token_goes_over_https_to_any_address(bench, secure, safe_wire, monkeypatch):
    monkeypatch.setenv("ZOO_TEST_TOKEN", "s3cret")
    options = {"token_env": "ZOO_TEST_TOKEN"}
    bench.pull(registry=bench.registry("https://zoo.test", safe_wire, **options))
    assert set(secure.tokens) == {"Bearer s3cret"}


def test_a_certificate_nobody_vouches_for(bench, net, secure):
    net.port = secure.port
    wire = bench.wire(resolve=net.resolve, connect=net.connect)
    assert bench.refused(bench.registry("https://zoo.test", wire)) == (
        "'zoo.test' cannot prove that it is 'zoo.test': self-signed certificate"
    )


def test_a_certificate_of_another_host(bench, net, safe_wire):
    net.names["cdn.test"] = [PUBLIC]
    assert bench.refused(bench.registry("https://cdn.test", safe_wire)) == (
        "'cdn.test' cannot prove that it is 'cdn.test': Hostname mismatch, certificate is not "
        "valid for 'cdn.test'."
    )


def test_https_does_not_lead_to_http(bench, secure, safe_wire):
    secure.faults[BLOB] = [f.moved(f"http://zoo.test/{BLOB}")]
    assert bench.refused(bench.registry("https://zoo.test", safe_wire)) == (
        f"'https://zoo.test/{BLOB}' leads to 'http://zoo.test/{BLOB}': expected an https address, "
        f"as the one it came from"
    )


def test_http_may_lead_to_https(bench, net, secure):
    net.ports[443] = secure.port
    wire = bench.wire(resolve=net.resolve, connect=net.connect, tls=trusting)
    bench.break_(BLOB, f.moved("https://zoo.test/x"))
    secure.faults["x"] = [f.with_body(WEIGHTS)]
    bench.pull(registry=bench.registry("http://zoo.test", wire))
    bench.assert_whole()
    assert secure.asked("x") == 1


def test_a_server_that_speaks_no_tls(bench, net):
    def answer():
        sock, _ = plain.accept()
        with sock:
            sock.recv(1)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            sock.recv(10_000)  # what is left unread would end the connection by a reset

    with socket.create_server(("127.0.0.1", 0)) as plain:
        net.port = plain.getsockname()[1]
        thread = threading.Thread(target=answer)
        thread.start()
        wire = bench.wire(resolve=net.resolve, connect=net.connect)
        said = bench.refused(bench.registry("https://zoo.test", wire))
        thread.join()
    assert said.startswith("'zoo.test' cannot be reached: SSLError: [SSL")


# Time


def refused_in_time(bench, wire, most=5.0):
    started = time.monotonic()
    said = bench.refused(bench.registry("http://zoo.test", wire))
    assert time.monotonic() - started < most
    return said


def test_a_name_that_is_never_found_costs_three_seconds(bench):
    over = threading.Event()

    def resolve(host, port):
        over.wait(30)
        raise socket.gaierror("over")

    said = refused_in_time(bench, Wire(resolve))
    over.set()
    assert said == "'zoo.test' cannot be reached: no connection within 3 s"


def test_a_name_that_does_not_exist(bench):
    def resolve(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    assert refused_in_time(bench, Wire(resolve), 1.0) == (
        "'zoo.test' cannot be reached: gaierror: [Errno -2] Name or service not known"
    )


def test_a_name_without_an_address(bench):
    assert refused_in_time(bench, Wire(lambda host, port: []), 1.0) == (
        "'zoo.test' cannot be reached: OSError: the name has no address"
    )


def test_addresses_that_swallow_everything_cost_three_seconds(bench):
    asked = []

    def connect(address, port, seconds):
        asked.append(address)
        time.sleep(seconds)
        raise TimeoutError

    many = [f"93.184.216.{n}" for n in range(20)]
    said = refused_in_time(bench, Wire(lambda host, port: many, connect))
    assert said == "'zoo.test' cannot be reached: no connection within 3 s"
    assert asked == many[:8]


def test_an_address_that_swallows_everything_leaves_time_for_the_next(bench, net, monkeypatch):
    monkeypatch.setattr(http_wire, "CONNECT_SECONDS", 1.0)

    def connect(address, port, seconds):
        if address != PUBLIC:
            time.sleep(seconds)
            raise TimeoutError
        return net.connect(address, port, seconds)

    names = ["2606:2800:220:1::1", PUBLIC]
    bench.pull(registry=bench.registry("http://zoo.test", Wire(lambda *_: names, connect)))
    bench.assert_whole()


def test_nobody_listens(bench):
    with contextlib.closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        assert bench.refused(bench.registry(f"http://{host}")) == (
            f"{host!r} cannot be reached: ConnectionRefusedError: [Errno 111] Connection refused"
        )


def test_a_handshake_that_never_ends(bench, net, monkeypatch):
    monkeypatch.setattr(http_wire, "CONNECT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        net.port = silent.getsockname()[1]
        wire = bench.wire(resolve=net.resolve, connect=net.connect)
        started = time.monotonic()
        said = bench.refused(bench.registry("https://zoo.test", wire))
        assert time.monotonic() - started < 3
    assert said == "'zoo.test' cannot be reached: no connection within 0.5 s"


def test_one_connection_serves_one_request_after_the_other(bench):
    registry = bench.registry()
    for _ in range(5):
        registry.tree.read(HEAD, 4096)
    assert bench.server.accepted == 1
    assert bench.server.asked(HEAD) == 5


@pytest.mark.parametrize("host", ["93.184.216.34", "169.254.169.254", "10.0.0.1", "zoo.test"])
def test_no_test_here_reaches_beyond_loopback(host):
    with pytest.raises((AssertionError, ValueError)):
        http_wire.look_up(host, 80)
    if host != "zoo.test":
        with socket.socket() as sock, pytest.raises(AssertionError):
            sock.connect((host, 80))
