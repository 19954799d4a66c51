"""Where a server may send zoo. Names and addresses beyond loopback are
stubs: whatever address is connected to, a server on loopback answers, or nobody."""

from __future__ import annotations

import faults as f
import pytest
from pull_bench import BLOB, HEAD, METADATA, OTHER, PUBLIC, WEIGHTS

from zoo.registry.places import http_wire
from zoo.registry.places.http_rules import Reach, reach_of
from zoo.registry.places.http_wire import Wire

# Redirects


@pytest.mark.parametrize("line", ["301 x", "302 x", "303 x", "307 x", "308 x"])
@pytest.mark.parametrize("absolute", [True, False])
def test_a_redirect_is_followed(bench, line, absolute):
    bench.break_("elsewhere", f.with_body(WEIGHTS))
    bench.break_(BLOB, f.moved((bench.server.url if absolute else "") + "/elsewhere", line))
    bench.pull()
    bench.assert_whole()


def test_five_redirects_are_followed_and_no_sixth(bench):
    for hop in range(5):
        bench.break_(f"hop{hop}", f.moved(f"/hop{hop + 1}"))
    bench.break_("hop5", f.with_body(WEIGHTS))
    bench.break_(BLOB, f.moved("/hop1"))
    bench.pull()
    bench.assert_whole()


def test_redirects_that_never_end(bench):
    bench.break_(BLOB, f.moved(f"/{BLOB}"))
    assert bench.refused(bench.registry()) == (
        f"'{bench.server.url}/{BLOB}' leads on and on, more than 5 times"
    )
    assert bench.server.asked(BLOB) == 6


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("file:///etc/passwd", "expected an http(s) address"),
        ("ftp://127.0.0.1/x", "expected an http(s) address"),
        ("data:text/plain,x", "expected an http(s) address"),
        ("javascript:alert(1)", "expected an http(s) address"),
        ("//user:secret@127.0.0.1/x", "expected no user or password in it"),
        ("http://", "expected the name or address of a host"),
        ("http:///etc/passwd", "expected the name or address of a host"),
        ("http://127.0.0.1\\@evil.test/", "expected no blanks and no backslashes"),
        ("http://127.0.0.1/a b", "expected no blanks and no backslashes"),
        ("http://127.0.0.1:99999/", "Port out of range 0-65535"),
        ("http://b\u00fccher.test/", "expected at most 4096 printable ascii characters"),
        ("http://127.0.0.1/" + "x" * 5000, "expected at most 4096 printable ascii characters"),
    ],
)
def test_a_redirect_that_leads_out_of_the_web(bench, location, expected):
    bench.break_(BLOB, f.moved(location))
    said = bench.refused(bench.registry())
    assert said.startswith(f"'{bench.server.url}/{BLOB}' leads to '")
    assert said.endswith(f"': {expected}")
    assert len(said) < 500


# Addresses


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("93.184.216.34", Reach.PUBLIC),
        ("2606:2800:220:1::1", Reach.PUBLIC),
        ("10.0.0.1", Reach.PRIVATE),
        ("172.16.0.1", Reach.PRIVATE),
        ("192.168.1.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),  # behind a provider's translation
        ("192.0.2.1", Reach.PRIVATE),
        ("224.0.0.1", Reach.PRIVATE),
        ("255.255.255.255", Reach.PRIVATE),
        ("fd00::1", Reach.PRIVATE),
        ("ff02::1", Reach.PRIVATE),
        ("169.254.169.254", Reach.LINK_LOCAL),
        ("fe80::1", Reach.LINK_LOCAL),
        ("fe80::1%1", Reach.LINK_LOCAL),
        ("127.0.0.1", Reach.LOOPBACK),
        ("127.9.9.9", Reach.LOOPBACK),
        ("0.0.0.0", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("::", Reach.LOOPBACK),
        # IPv4 inside: mapped, 6to4, NAT64
        ("::ffff:127.0.0.1", Reach.LOOPBACK),
        ("::ffff:169.254.169.254", Reach.LINK_LOCAL),
        ("2002:7f00:1::", Reach.LOOPBACK),
        ("2002:a9fe:a9fe::", Reach.LINK_LOCAL),
        ("64:ff9b::a9fe:a9fe", Reach.LINK_LOCAL),
        ("64:ff9b::5db8:d822", Reach.PUBLIC),
        # Ways into IPv4 and into sites that belong to no network of the internet
        ("64:ff9b:1::a9fe:a9fe", Reach.PRIVATE),
        ("::169.254.169.254", Reach.PRIVATE),
        ("::ffff:0:a9fe:a9fe", Reach.PRIVATE),
        ("fec0::1", Reach.PRIVATE),
    ],
)
def test_from_where_an_address_is_reached(address, reach):
    assert reach_of(address) is reach


INWARD = {
    "link-local": f"http://{METADATA}/latest/meta-data",
    "loopback": "http://127.0.0.1:9/x",
    "loopback by another name": "http://localhost/x",
    "loopback as one number": "http://2130706433/x",
    "all of this machine": "http://0.0.0.0/x",
    "private": "http://192.168.0.1/x",
    "private by a name": "http://inside.test/x",
    "mapped into IPv6": "http://[::ffff:169.254.169.254]/x",
}


@pytest.mark.parametrize("name", INWARD)
def test_a_public_server_does_not_send_zoo_inward(bench, net, wire, name):
    net.names |= {"localhost": ["127.0.0.1"], "2130706433": ["127.0.0.1"]}
    bench.break_(BLOB, f.moved(INWARD[name]))
    said = bench.refused(bench.registry("http://zoo.test", wire))
    assert said.endswith(", to which a public server may not send zoo")
    assert set(net.met) == {PUBLIC}


def test_the_whole_line_names_host_and_address(bench, net, wire):
    bench.break_(BLOB, f.moved("http://inside.test/x"))
    assert bench.refused(bench.registry("http://zoo.test", wire)) == (
        "'inside.test' has the private address 10.1.2.3, to which a public server may not send zoo"
    )


@pytest.mark.parametrize("name", INWARD)
def test_without_the_check_of_addresses_the_hop_is_made(bench, net, wire, monkeypatch, name):
    """The negative control: the connection is asked for, and the stub answers."""
    net.names |= {"localhost": ["127.0.0.1"], "2130706433": ["127.0.0.1"]}
    monkeypatch.setattr(http_wire, "may_reach", lambda before, after: True)
    bench.break_(BLOB, f.moved(INWARD[name]))
    for path in ("x", "latest/meta-data"):
        bench.break_(path, f.with_body(WEIGHTS))
    bench.pull(registry=bench.registry("http://zoo.test", wire))
    assert set(net.met) - {PUBLIC}


def test_among_public_servers_a_hop_is_free(bench, net, wire):
    bench.break_(BLOB, f.moved("http://cdn.test/elsewhere"))
    bench.break_("elsewhere", f.with_body(WEIGHTS))
    bench.pull(registry=bench.registry("http://zoo.test", wire))
    bench.assert_whole()
    assert set(net.met) == {PUBLIC, OTHER}


def test_of_several_addresses_only_those_allowed_are_tried(bench, net, wire):
    net.names["cdn.test"] = ["127.0.0.1", METADATA, OTHER]
    bench.break_(BLOB, f.moved("http://cdn.test/elsewhere"))
    bench.break_("elsewhere", f.with_body(WEIGHTS))
    bench.pull(registry=bench.registry("http://zoo.test", wire))
    assert set(net.met) == {PUBLIC, OTHER}


@pytest.mark.parametrize("url", ["http://inside.test", "http://127.0.0.1"])
def test_a_server_inside_may_be_named_by_the_user_and_send_no_further_inward(bench, net, wire, url):
    bench.pull(registry=bench.registry(url, wire))
    bench.assert_whole()
    for path in bench.target.iterdir():
        path.unlink()
    bench.target.rmdir()
    bench.break_(HEAD, f.moved(f"http://{METADATA}/x"))
    said = bench.refused(bench.registry(url, wire))
    assert said.endswith("server may not send zoo")
    assert METADATA not in net.met


def test_a_name_that_points_elsewhere_the_second_time(bench, net, wire):
    """DNS rebinding: the registry's own name, public at first, is looked up anew for each
    connection. Nothing is kept open, so that there are several."""
    looked_up = []

    def resolve(host, port):
        looked_up.append(host)
        return [PUBLIC] if len(looked_up) == 1 else ["127.0.0.1"]

    rebound = Wire(resolve, wire.connect, sleep=bench.slept.append)
    bench.break_(HEAD, f.leaving)
    assert bench.refused(bench.registry("http://zoo.test", rebound)) == (
        "'zoo.test' has the loopback address 127.0.0.1, to which a public server may not send zoo"
    )
    assert net.met == [PUBLIC]


def test_the_address_judged_is_the_one_connected_to(bench, net, wire):
    """One look-up a connection: there is no second answer that could be another."""
    asked = []

    def resolve(host, port):
        asked.append(host)
        return net.resolve(host, port)

    counted = Wire(resolve, wire.connect, sleep=bench.slept.append)
    bench.registry("http://zoo.test", counted).record("digits-tiny")
    assert (asked, net.met) == (["zoo.test"], [PUBLIC])
