"""To whom a token is shown. Nothing leaves loopback."""

from __future__ import annotations

import faults as f
import pytest
from pull_bench import BLOB, HEAD, WEIGHTS

from zoo.registry.places import http_rules, http_session


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv("ZOO_TEST_TOKEN", "s3cret")
    return {"token_env": "ZOO_TEST_TOKEN"}


def test_the_token_is_shown_to_the_registry(bench, token):
    bench.pull(registry=bench.registry(**token))
    bench.assert_whole()
    assert set(bench.server.tokens) == {"Bearer s3cret"}


def test_the_token_is_not_shown_to_whom_the_registry_leads(bench, other, token):
    bench.break_(BLOB, f.moved(f"{other.url}/{BLOB}"))
    bench.pull(registry=bench.registry(**token))
    bench.assert_whole()
    assert set(bench.server.tokens) == {"Bearer s3cret"}
    assert other.tokens == [None]


def test_nor_to_the_registry_when_another_leads_back(bench, other, token):
    """What is asked for then was written by the other one."""
    bench.break_(BLOB, f.moved(f"{other.url}/x"))
    other.faults["x"] = [f.moved(f"{bench.server.url}/secret")]
    bench.break_("secret", f.with_body(WEIGHTS))
    bench.pull(registry=bench.registry(**token))
    shown = dict(zip((path for _, path in bench.server.requests), bench.server.tokens, strict=True))
    assert shown["secret"] is None
    assert shown[BLOB] == "Bearer s3cret"


def test_a_401_that_names_another_host_is_not_obeyed(bench, other, token):
    realm = f'Bearer realm="{other.url}/token",service="zoo"'
    bench.break_(BLOB, f.status("401 Unauthorized", www_authenticate=realm))
    assert bench.refused(bench.registry(**token)) == (
        f"'{bench.server.url}/{BLOB}': the server answered 401 Unauthorized; check the token in "
        f"$ZOO_TEST_TOKEN"
    )
    assert other.requests == []


def test_without_the_comparison_of_hosts_the_token_leaks(bench, other, token, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(http_rules.Address, "origin", property(lambda self: self.scheme))
    monkeypatch.setattr(http_session, "_IDLE", 0)
    bench.break_(BLOB, f.moved(f"{other.url}/{BLOB}"))
    bench.pull(registry=bench.registry(**token))
    assert other.tokens == ["Bearer s3cret"]


def test_a_token_is_not_sent_where_others_can_read_it(bench, net, wire, token):
    registry = bench.registry("http://zoo.test", wire, **token)
    assert bench.refused(registry) == (
        f"'http://zoo.test/{HEAD}': a token is not sent over http, where others can read it; "
        f"write https:// in registry.toml"
    )
    assert bench.server.requests == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "the environment variable 'ZOO_TEST_TOKEN', which token_env names, is not set; set "
               "it to the server's token"),
        ("a b", "the environment variable 'ZOO_TEST_TOKEN' holds no token: it has blanks"),
        ("a\r\nHost: x", "the environment variable 'ZOO_TEST_TOKEN' holds no token: it has blanks"),
    ],
)  # fmt: skip
def test_a_token_that_is_none(bench, monkeypatch, value, expected):
    monkeypatch.delenv("ZOO_TEST_TOKEN", raising=False)
    if value is not None:
        monkeypatch.setenv("ZOO_TEST_TOKEN", value)
    registry = bench.registry(token_env="ZOO_TEST_TOKEN")  # to be listed, it needs none
    assert bench.refused(registry) == expected
    assert bench.server.requests == []
