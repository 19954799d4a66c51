"""What can go wrong with the Hub: no network, no right, and repositories of strangers."""

import json
import os
import socket
import subprocess
import sys
import time
import warnings

import hub_server
import pytest
from hub_server import TOKEN

from zoo.errors import RegistryError, StorageError, ZooError, ZooWarning
from zoo.registry import layout
from zoo.registry.config import find
from zoo.registry.hub import push as hub_push
from zoo.registry.hub.push import push
from zoo.registry.hub.repository import Address
from zoo.registry.tree import UnreachableError

pytest_plugins = ["hub_fixtures"]
REPOSITORY = "me/digits"
ADDRESS = f"hf://{REPOSITORY}"


def refused(action, kind=RegistryError):
    with pytest.raises(kind) as caught:
        action()
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def files(web, version):
    """Those of the main branch, which may be changed."""
    push("digits-tiny", ADDRESS)
    return web.files(REPOSITORY)


def read_all():
    opened, reference = find(ADDRESS)
    record = opened.record(reference)
    return [opened.read_file(record, file["path"]) for file in record.files]


@pytest.mark.parametrize("text", [
    "hf://", "hf://me", "hf://me/digits/x", "hf:///digits", "hf://me/", "hf://me/../x", "hf://../x",
    "hf://me/di gits", "hf://me/digits@", "hf://me/digits@a..b", "hf://me/digits@/x", "hf://me/-x",
    "hf://me/digits@-x", "hf://me/digits?x", "hf://me/digits#x", "hf://me/di%2egits", "hf://me/x--y",
    "hf://me/digits@a@b", "hf://me/digit\N{CYRILLIC SMALL LETTER ES}", "hf://me/x\n", "hf://me/x.git",
    f"hf://me/{'x' * 97}", "hf://me@host/x", "HF://me/x",
])  # fmt: skip
def test_an_address_names_a_repository(text):
    assert refused(lambda: Address.parse(text)) == (
        f"{text!r}: expected hf://owner/name or hf://owner/name@revision, a repository of the "
        f"Hugging Face Hub and a branch, tag or commit of it"
    )


@pytest.mark.parametrize("text", [
    "hf://me/digits", "hf://Me-2/Di.gi_ts", "hf://me/x@v1.0", "hf://me/x@refs/pr/1",
])  # fmt: skip
def test_addresses_are_written_as_they_were_read(text):
    assert str(Address.parse(text)) == text


def test_a_registry_is_not_named_beside_an_address(web, version):
    assert refused(lambda: find(ADDRESS, "local")) == (
        "'hf://me/digits' is in no registry of registry.toml; leave 'local' out"
    )


def test_a_repository_that_zoo_did_not_write_is_told(web):
    said = (
        "'hf://me/digits' has no zoo/record.json: there is no such repository or revision, or none "
        "that zoo push wrote"
    )
    assert refused(lambda: find(ADDRESS)) == said
    web.repositories[REPOSITORY] = hub_server.Repository()
    web.files(REPOSITORY)["pytorch_model.bin"] = b"a pickle"
    assert refused(lambda: find(ADDRESS)) == said
    assert {path for _, path in web.asked} == {"/me/digits/resolve/main/zoo/record.json"}


def test_a_private_repository_wants_a_token(web, version, monkeypatch):
    push("digits-tiny", ADDRESS, private=True)
    hub_server.use(monkeypatch, web.url, token=None)
    assert refused(lambda: find(ADDRESS)) == (
        "'hf://me/digits/zoo/record.json': the server answered 401 Unauthorized; check the name; "
        "if it is private, or gated, log in with: hf auth login, or set HF_TOKEN"
    )


def test_without_a_token_nothing_is_pushed(web, version, monkeypatch):
    hub_server.use(monkeypatch, web.url, token=None)
    assert refused(lambda: push("digits-tiny", ADDRESS)) == (
        "cannot push to 'hf://me/digits': not logged in; type: hf auth login, or set HF_TOKEN"
    )
    assert web.repositories == {}


def test_to_another_s_name_nothing_is_pushed(web, version):
    assert refused(lambda: push("digits-tiny", "hf://other/digits")) == (
        "cannot push to 'hf://other/digits': the token may not write there (403); check the "
        "owner's name, and give the token the right to write"
    )


def silent():
    return socket.create_server(("127.0.0.1", 0))


@pytest.mark.parametrize("action", [lambda: push("digits-tiny", ADDRESS), lambda: find(ADDRESS)])
def test_without_a_network_it_is_told_soon(web, version, monkeypatch, action):
    hub_server.use(monkeypatch, "http://127.0.0.1:9")
    began = time.monotonic()
    said = refused(action, UnreachableError)
    assert time.monotonic() - began < 5
    assert "cannot be reached: " in said
    assert "127.0.0.1:9" in said


def test_a_hub_that_says_nothing_ends_a_push(web, version, monkeypatch):
    monkeypatch.setattr(hub_push, "BLOCK_SECONDS", 0.5)
    with silent() as nobody:
        hub_server.use(monkeypatch, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        said = refused(lambda: push("digits-tiny", ADDRESS), UnreachableError)
    assert said.endswith("cannot be reached: ReadTimeout: timed out")


@pytest.mark.parametrize("action", ["push('digits-tiny', 'hf://me/x')", "find('hf://me/x')"])
def test_offline_means_that_nothing_is_asked(web, version, action, tmp_path):
    """In a process of its own: the Hub's client reads its settings when it is imported."""
    (tmp_path / "registry.toml").write_text('[registry.local]\nurl = "registry"\n')
    code = (
        "from zoo.registry.config import find\nfrom zoo.registry.hub.push import push\n"
        f"from zoo.registry.tree import UnreachableError\ntry:\n    {action}\n"
        "except UnreachableError as error:\n    print(error)"
    )
    variables = {"HF_HUB_OFFLINE": "1", "HF_ENDPOINT": web.url, "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, **variables},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip().endswith("HF_HUB_OFFLINE is set; unset it to go online")
    assert web.asked == []


def test_what_was_fetched_before_serves_offline(web, files, monkeypatch):
    before = read_all()
    hub_server.use(monkeypatch, "http://127.0.0.1:9")
    with pytest.warns(ZooWarning, match="going by what was there on"):
        assert read_all() == before


def test_no_byte_that_the_record_does_not_name_is_taken(web, files):
    weights = files["model.safetensors"]
    for wrong in (weights[:-1] + b"\x01", weights[:-1], weights + b"x", b"", b"<!doctype html>"):
        files["model.safetensors"] = wrong
        refused(read_all, ZooError)
    files["model.safetensors"] = weights
    read_all()


def test_a_file_that_is_missing_is_told(web, files):
    del files["zoo/probe.safetensors"]
    assert refused(read_all) == (
        "'hf://me/digits/zoo/probe.safetensors' is missing; the registry is damaged"
    )


@pytest.mark.parametrize("path", [
    "../x", "/etc/passwd", "a/b/c", "pytorch_model.bin/../x", "C:x", "a\\b", "%2e%2e/x",
])  # fmt: skip
def test_a_record_names_no_way_out(web, files, path):
    record = json.loads(files["zoo/record.json"])
    record["files"][0]["path"] = path
    files["zoo/record.json"] = json.dumps(record).encode()
    web.asked.clear()
    assert "the record of 'hf://me/digits' is not one of zoo's" in refused(lambda: find(ADDRESS))
    assert len(web.asked) == 1


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\x80", b"{" * 1000, b"x" * (2 << 20)])
def test_a_record_that_is_none_is_refused(web, files, data):
    files["zoo/record.json"] = data
    refused(lambda: find(ADDRESS))


def test_only_what_the_record_names_is_asked_for(web, files):
    """Whatever else lies there, and whatever its names are."""
    for stranger in ("pytorch_model.bin", "../../x", "zoo/../../x", "model.pkl", "zoo/evil.pt"):
        files[stranger] = b"a pickle"
    web.asked.clear()
    read_all()
    names = {path.removeprefix("/me/digits/resolve/main/") for _, path in web.asked}
    assert {name for name in names if not name.startswith("/cdn/")} == {
        "model.safetensors", "zoo/README.md", "zoo/confusion-test.png", "zoo/probe.safetensors",
        "zoo/record.json",
    }  # fmt: skip


def test_a_damaged_file_is_not_pushed(web, version, local):
    record, _ = version
    path = local.tree.root / layout.blob(record.file("confusion-test.png")["sha256"])
    path.chmod(0o644)
    path.write_bytes(b"\x89PNX")
    said = refused(lambda: push("digits-tiny", ADDRESS), StorageError)
    assert said == (
        f"confusion-test.png of model 'digits-tiny' version 1, {str(path)!r} is damaged or "
        f"missing; restore it"
    )
    assert web.repositories == {}


def test_a_version_whose_file_would_be_taken_for_the_record_is_not_pushed(web, local, trained):
    draft, _, files = trained(model="other")
    local.publish(draft, {**files, "record.json": b"{}"})
    assert refused(lambda: push("other", ADDRESS)) == (
        "model 'other' version 1 has a file 'record.json', where the record lies on the Hub; it "
        "cannot be pushed"
    )


def test_what_the_hub_says_of_the_card_is_told(web, version):
    web.yaml_warning = "empty or missing yaml metadata"
    with pytest.warns(ZooWarning) as said:
        push("digits-tiny", ADDRESS)
    assert str(said[0].message) == (
        "'hf://me/digits': Warnings while validating metadata in README.md: - empty or missing "
        "yaml metadata"
    )
    web.yaml_error = '"license" must be one of [...]'
    before = dict(web.files(REPOSITORY))
    assert refused(lambda: push("digits-tiny", ADDRESS)) == (
        "cannot push to 'hf://me/digits': ValueError: Invalid metadata in README.md. - "
        '"license" must be one of [...]'
    )
    assert web.files(REPOSITORY) == before


def test_an_upload_that_fails_leaves_no_commit(web, version, monkeypatch):
    monkeypatch.setattr(hub_server.Handler, "do_PUT", lambda self: self._note() and self._send(400))
    refused(lambda: push("digits-tiny", ADDRESS))
    assert web.files(REPOSITORY) == {}


def test_the_token_is_shown_to_the_hub_alone(web, files):
    """What is in LFS lies with others, to whom the Hub leads."""
    web.asked.clear()
    web.tokens.clear()
    read_all()
    shown = {
        path.startswith("/cdn/"): token
        for (_, path), token in zip(web.asked, web.tokens, strict=True)
    }
    assert shown == {False: f"Bearer {TOKEN}", True: None}


def test_warnings_of_others_stay_theirs(web, version):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        push("digits-tiny", ADDRESS)
