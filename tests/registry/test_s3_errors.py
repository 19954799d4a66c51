"""What a bucket refuses is one line, soon, and holds no secret."""

import io
import socket
import time
import traceback

import pytest
import s3_server
from s3_server import KEY, SECRET, refuse

from zoo.errors import RegistryError, StorageError
from zoo.registry.places import s3_client

ACTIONS = {
    "read": lambda tree: tree.read("x.json", 10),
    "list": lambda tree: tree.names("x.json"),
    "write": lambda tree: tree.create("x.json", b"1"),
    "replace": lambda tree: tree.replace("x.json", b"1"),
    "look": lambda tree: tree.exists("x.json"),
    "fetch": lambda tree: tree.fetch("x.json", 10, io.BytesIO(), lambda _: None),
}
VERBS = {"replace": "write", "look": "read", "fetch": "read"}
DENIED = "access denied; check the credentials, and that they may list, read and write there"


@pytest.fixture
def hasty(monkeypatch):
    """Nothing is tried a second time."""
    monkeypatch.setattr(s3_client, "SMALL_RETRY_SECONDS", 0)
    monkeypatch.setattr(s3_client, "LARGE_RETRY_SECONDS", 0)


@pytest.fixture
def store(monkeypatch):
    with s3_server.store(monkeypatch) as one:
        yield one


def failure(tree, action):
    """The message, after it was looked for secrets in all that a traceback would show."""
    with pytest.raises((StorageError, RegistryError)) as caught:
        ACTIONS[action](tree)
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert KEY not in shown
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("status", "code", "said"), [
    ("403 Forbidden", "AccessDenied", DENIED),
    ("500 Internal Server Error", "InternalError",
     "the store answers with InternalError (500); try again later"),
    ("503 Slow Down", "SlowDown", "the store answers with SlowDown (503); try again later"),
    ("400 Bad Request", "Strange", "the store answers with Strange (400)"),
    ("301 Moved", "PermanentRedirect",
     "the bucket is in another region; name it as region in registry.toml"),
])  # fmt: skip
def test_an_answer_is_told(store, hasty, action, status, code, said):
    if action == "look":  # an answer to HEAD has no body, which would name the error
        said = said.replace(code, "an error")
    store.fault = refuse(status, code)
    what = failure(store.tree(), action)
    assert what == f"cannot {VERBS.get(action, action)} '{store.url}/x.json': {said}"


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidAccessKeyId"])
def test_refused_credentials_are_told(store, code):
    store.fault = refuse("403 Forbidden", code)
    assert failure(store.tree(), "read") == (
        f"cannot read '{store.url}/x.json': the credentials are not accepted ({code}); check "
        f"them, and the region"
    )


@pytest.mark.parametrize("action", [one for one in ACTIONS if one != "look"])
def test_a_missing_bucket_is_told(store, action):
    url = "s3://zoo-nowhere-at-all"
    assert failure(store.tree(url=url), action) == (
        f"cannot {VERBS.get(action, action)} '{url}/x.json': there is no such bucket; make it, or "
        f"name another one in registry.toml"
    )


@pytest.mark.parametrize("action", ["read", "write"])
def test_a_store_that_cannot_be_reached_is_told_soon(store, action):
    tree = store.tree(endpoint="http://127.0.0.1:9")
    began = time.monotonic()
    said = failure(tree, action)
    assert time.monotonic() - began < 5
    assert said == (
        f"cannot {action} '{store.url}/x.json': the store cannot be reached; "
        f"check the network, and the endpoint in registry.toml"
    )


def test_a_store_that_never_answers_is_told_soon(store):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tree = store.tree(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        said = failure(tree, "read")
        assert time.monotonic() - began < 5.5
    assert said == (
        f"cannot read '{store.url}/x.json': the store does not answer in time; try again later"
    )


def test_a_store_that_leads_on_and_on_is_told(store):
    def lead(environ, start, moto):
        start("302 Found", [("Location", f"{store.endpoint}/x"), ("Content-Length", "0")])
        return [b""]

    store.fault = lead
    assert failure(store.tree(), "read") == (
        f"cannot read '{store.url}/x.json': the store leads on and on, or from https to http; "
        f"check the endpoint"
    )
    assert len(store.asked) < 50


def test_a_page_of_html_is_told(store):
    def page(environ, start, moto):
        body = b"<html>log in</html>"
        start("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    store.fault = page
    assert failure(store.tree(), "write") == (
        f"cannot write '{store.url}/x.json': the store does not answer as one that speaks S3 "
        f"should; check the endpoint, or try again later"
    )


def test_without_credentials_it_says_how_to_give_them(store):
    tree = store.tree(access_key_env=None, secret_key_env=None)
    assert failure(tree, "read") == (
        f"cannot read '{store.url}/x.json': there are no credentials; name their environment "
        f"variables in registry.toml, or write anonymous = true for a public bucket"
    )


def test_a_public_bucket_is_read_without_credentials(store):
    store.make_public()
    store.tree().create("x.json", b"1")
    signed = []

    def look(environ, start, moto):
        signed.append(environ.get("HTTP_AUTHORIZATION"))
        return moto(environ, start)

    store.fault = look
    tree = store.tree(access_key_env=None, secret_key_env=None, anonymous=True)
    assert tree.read("x.json", 1) == b"1"
    assert signed == [None]


def test_credentials_of_the_registry_are_not_mixed_with_the_machine_s(store, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-another-key")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    sent = []

    def look(environ, start, moto):
        sent.append((environ["HTTP_AUTHORIZATION"], environ.get("HTTP_X_AMZ_SECURITY_TOKEN")))
        return moto(environ, start)

    store.fault = look
    store.tree().read("x.json", 1)
    monkeypatch.setenv("ZOO_TOKEN", "mine")
    store.tree(session_token_env="ZOO_TOKEN").read("x.json", 1)
    assert [token for _, token in sent] == [None, "mine"]
    assert all(f"Credential={KEY}/" in header for header, _ in sent)


def test_a_variable_that_is_not_set_is_named(store, monkeypatch):
    monkeypatch.delenv("ZOO_SECRET")
    assert failure(store.tree(), "read") == (
        f"registry {store.url!r}: the environment variable 'ZOO_SECRET', which secret_key_env "
        f"names, is not set"
    )
    assert failure(store.tree(secret_key_env=None), "read") == (
        f"registry {store.url!r}: give access_key_env and secret_key_env together"
    )


@pytest.mark.parametrize("endpoint", [
    f"https://me:{SECRET}@host", "ftp://host", "host", "https://", "http://[", "http://h:99999",
    f"https://host?{SECRET}",
])  # fmt: skip
def test_an_endpoint_is_an_address_without_secrets(store, endpoint):
    assert failure(store.tree(endpoint=endpoint), "read") == (
        f"registry {store.url!r}: endpoint: expected the address of a store, such as "
        f"https://s3.example.org, without a user or password"
    )


@pytest.mark.parametrize(("path_style", "host"), [(None, False), (True, False), (False, True)])
def test_the_bucket_stands_in_the_path_or_before_the_host(store, path_style, host):
    from zoo.registry.places.s3_client import Settings, connect

    settings = Settings(
        endpoint="http://s3.localhost:9", path_style=path_style, anonymous=True, region="eu-west-1"
    )
    config = connect("s3://bucket/x", settings).small.config
    expected = "http://bucket.s3.localhost:9" if host else "http://s3.localhost:9"
    assert config["endpoint"] == expected
    assert config["virtual_hosted_style_request"] == str(host).lower()
