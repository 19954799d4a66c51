"""What is known of a registry from before: it serves where there is no network, and notices a step
back. Nothing leaves loopback."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from datetime import UTC, datetime

import faults as f
import pytest
from drafts import draft
from fault_server import FaultServer
from pull_bench import BLOB, CARD, HEAD, MODEL, PAGE, RECORD, WEIGHTS, Bench, publish

from zoo.errors import RegistryError, ZooWarning
from zoo.registry.places import cached_tree
from zoo.registry.places.known import Known
from zoo.registry.store import Registry

TODAY = datetime.now(UTC).strftime("%Y-%m-%d")


@pytest.fixture
def grown(tmp_path):
    """A bench over a registry that a test may change."""
    root = tmp_path / "registry"
    publish(root)
    server = FaultServer(root)
    (tmp_path / "beside").mkdir()
    yield Bench(server, tmp_path / "beside" / "target")
    server.close()


def said(registry, reference):
    with pytest.raises(RegistryError) as caught:
        registry.record(reference)
    return str(caught.value)


def test_latest_costs_three_small_files_and_an_alias_four(grown):
    local = Registry.at(grown.server.root)
    grown.registry().record(MODEL)
    assert [path for _, path in grown.server.requests] == [HEAD, PAGE, RECORD]
    local.set_alias(MODEL, "best", 1)
    publish(grown.server.root)
    grown.server.requests.clear()
    record = grown.registry().record(f"{MODEL}@best")
    assert record.version == 1
    # The record is known from before.
    assert [path for _, path in grown.server.requests] == [
        HEAD, f"models/{MODEL}/state/1.json", PAGE,
    ]  # fmt: skip
    grown.server.requests.clear()
    assert grown.registry().record(f"{MODEL}@1") == record
    assert [path for _, path in grown.server.requests] == [HEAD]  # whether it is yanked


def test_what_is_as_before_is_not_sent_again(grown):
    grown.registry().record(MODEL)
    grown.server.answers.clear()
    grown.server.accepted = 0
    grown.registry().record(MODEL)
    assert (grown.server.answers, grown.server.accepted) == ([304, 304], 1)
    publish(grown.server.root)
    grown.server.answers.clear()
    assert grown.registry().record(MODEL).version == 2
    assert grown.server.answers == [200, 200, 200]


def test_a_new_process_pulls_nothing_twice(grown):
    grown.pull()
    shutil.rmtree(grown.target)
    grown.server.requests.clear()
    grown.pull()
    grown.assert_whole()
    assert grown.server.asked(BLOB) == 0


# Offline


@pytest.mark.parametrize(
    "reference", [MODEL, f"{MODEL}@1", f"{MODEL}@best", f"{MODEL}@sha256:"], ids=str
)
def test_without_a_network_what_was_seen_serves_with_one_warning(grown, reference):
    Registry.at(grown.server.root).set_alias(MODEL, "best", 1)
    digest = hashlib.sha256((grown.server.root / RECORD).read_bytes()).hexdigest()
    reference = reference.replace("sha256:", f"sha256:{digest}")
    grown.pull(reference)
    shutil.rmtree(grown.target)
    grown.server.close()
    host = grown.server.url.removeprefix("http://")
    started = time.monotonic()
    with pytest.warns(ZooWarning) as caught:
        grown.pull(reference)
    assert time.monotonic() - started < 5
    grown.assert_whole()
    (one,) = caught
    assert str(one.message).startswith(
        f"{host!r} cannot be reached: ConnectionRefusedError: [Errno 111] Connection refused; "
        f"going by what was there on {TODAY}"
    )


def test_without_a_network_what_was_never_seen_is_refused(grown):
    grown.registry().record(MODEL)  # its files are not here
    grown.server.close()
    registry = grown.registry()
    with pytest.warns(ZooWarning, match="going by what was there"):
        record = registry.record(MODEL)
    with pytest.raises(RegistryError, match="cannot be reached"):
        registry.read_file(record, "README.md")
    assert "cannot be reached" in said(grown.registry(), "other")
    assert "cannot be reached" in said(grown.registry(), f"{MODEL}@7")


def test_without_a_network_it_is_asked_for_once_and_not_with_every_file(grown, monkeypatch):
    grown.pull()
    grown.server.close()
    asked = []
    wire = grown.wire(connect=lambda *given: asked.append(given) or refuse())

    def refuse():
        raise ConnectionRefusedError

    shutil.rmtree(grown.target)
    with pytest.warns(ZooWarning):
        grown.pull(registry=grown.registry(wire=wire))
    assert len(asked) == 1
    # The negative control.
    monkeypatch.setattr(cached_tree, "OFFLINE_SECONDS", -1.0)
    shutil.rmtree(grown.target)
    with pytest.warns(ZooWarning):
        grown.pull(registry=grown.registry(wire=wire))
    assert len(asked) > 2


def test_a_server_that_is_busy_is_there(grown):
    """Only who cannot be reached is done without."""
    grown.pull()
    grown.break_(HEAD, f.status("503 Busy"))
    assert said(grown.registry(), MODEL).startswith(f"'{grown.server.url}/{HEAD}': the server")


# Steps back


IF_MEANT = "; if that is meant, type: zoo registry cache --forget site"


def replace(root, path, **changes):
    data = json.loads((root / path).read_bytes())
    (root / path).write_bytes(json.dumps({**data, **changes}).encode())


def test_a_stale_head_is_noticed(grown):
    stale = (grown.server.root / HEAD).read_bytes()
    publish(grown.server.root)
    assert grown.registry().record(MODEL).version == 2
    grown.break_(HEAD, f.with_body(stale))
    line = said(grown.registry(), MODEL)
    assert line.startswith(
        f"model '{MODEL}' of registry 'site' ({grown.server.url}): the newest version is 1, but 2 "
        f"was there on {TODAY}"
    )
    assert line.endswith(": it is an old copy, or was set back" + IF_MEANT)
    Known(grown.server.url, "site").forget()
    assert grown.registry().record(MODEL).version == 1


def test_a_state_that_went_back_is_noticed(grown):
    Registry.at(grown.server.root).set_alias(MODEL, "best", 1)
    grown.registry().record(f"{MODEL}@best")
    replace(grown.server.root, HEAD, state=0)
    assert "the newest state is 0, but 1 was there on" in said(grown.registry(), MODEL)


def test_a_model_that_vanished_is_noticed(grown):
    grown.registry().record(MODEL)
    grown.break_(HEAD, f.status("404 Not Found"))
    assert said(grown.registry(), MODEL).startswith(
        f"model '{MODEL}' of registry 'site' ({grown.server.url}) is gone, but was there on {TODAY}"
    )


def rewrite(root):
    """Version 1 becomes another one, under a head and a page that fit it."""
    shutil.rmtree(root)
    publish(root, licence="MIT")


def test_a_version_that_was_rewritten_is_noticed(grown):
    before = hashlib.sha256((grown.server.root / RECORD).read_bytes()).hexdigest()
    grown.registry().record(MODEL)
    rewrite(grown.server.root)
    now = hashlib.sha256((grown.server.root / RECORD).read_bytes()).hexdigest()
    line = said(grown.registry(), MODEL)
    assert line.startswith(
        f"model '{MODEL}' version 1 of registry 'site' ({grown.server.url}) is another one than "
        f"before: its record was sha256:{before} on {TODAY}"
    )
    assert line.endswith(
        f", now it is sha256:{now}; versions never change, so one of the two is not to be "
        f"trusted{IF_MEANT}"
    )
    # A pin goes on to mean what it meant.
    assert grown.registry().record(f"{MODEL}@1").licence == "Apache-2.0"


def test_without_the_memory_nothing_is_noticed(grown, monkeypatch):
    """The negative control."""
    grown.registry().record(MODEL)
    rewrite(grown.server.root)
    monkeypatch.setattr(Known, "check_records", lambda *given: None)
    monkeypatch.setattr(Known, "kept", lambda *given: None)
    assert grown.registry().record(MODEL).licence == "MIT"


def test_two_registries_on_one_cache_do_not_meet(grown, tmp_path):
    """The same model and version, another content: what is known is known by its url."""
    publish(tmp_path / "second", licence="MIT")
    second = FaultServer(tmp_path / "second")
    assert grown.registry().record(f"{MODEL}@1").licence == "Apache-2.0"
    assert grown.registry(second.url).record(f"{MODEL}@1").licence == "MIT"
    assert grown.registry().record(f"{MODEL}@1").licence == "Apache-2.0"
    second.close()


# What is kept


@pytest.mark.parametrize("path", [HEAD, PAGE, RECORD])
def test_a_bad_answer_spoils_nothing_that_is_known(grown, path):
    grown.break_(path, f.with_body(b'{"format":1}'), f.serve)
    registry = grown.registry()
    with pytest.raises(RegistryError):
        registry.record(MODEL)
    assert grown.registry().record(MODEL).version == 1


@pytest.mark.parametrize("path", [HEAD, PAGE, RECORD])
@pytest.mark.parametrize("damage", [b"", b"x", b'{"at":"x","etag":null,"sha256":"0"}\nx'])
def test_damage_in_the_cache_is_mended(grown, path, damage):
    grown.registry().record(MODEL)
    place = Known(grown.server.url, "site").folder / path
    assert place.is_file()
    place.write_bytes(damage)
    assert grown.registry().record(MODEL).version == 1
    assert place.read_bytes() != damage
    (place.parents[len(path.split("/")) - 3] / "seen.json").write_bytes(b"{")
    assert grown.registry().record(MODEL).version == 1


def test_a_record_of_another_model_is_refused_and_not_kept(grown):
    local = Registry.at(grown.server.root)
    local.publish(draft(model="other"), {"model.safetensors": WEIGHTS, "README.md": CARD})
    other = (grown.server.root / "models/other/versions/1.json").read_bytes()
    grown.break_(RECORD, f.with_body(other), f.serve)
    assert said(grown.registry(), f"{MODEL}@1") == (
        f"the record of model '{MODEL}' version 1 is that of model 'other' version 1: registry "
        f"'site' ({grown.server.url}) is damaged"
    )
    assert grown.registry().record(f"{MODEL}@1").model == MODEL


def test_a_page_that_does_not_know_the_record(grown):
    replace(
        grown.server.root,
        PAGE,
        rows=[{"v": 1, "sha256": "0" * 64, "created": "2026-01-01T00:00:00Z"}],
    )
    assert said(grown.registry(), MODEL) == (
        f"the record of model '{MODEL}' version 1 is not the one in the index of registry 'site' "
        f"({grown.server.url}): it is damaged, or just being changed; try again"
    )


def test_a_head_that_is_ahead_of_its_page(grown):
    replace(grown.server.root, HEAD, latest=2, newest=2)
    assert said(grown.registry(), MODEL) == (
        f"models/{MODEL}/versions/2.json of {grown.server.url}: it is missing; whoever may write "
        f"there mends it with: zoo registry repair"
    )


def test_a_yank_is_told_over_the_network_too(grown):
    publish(grown.server.root)
    Registry.at(grown.server.root).yank(MODEL, 2, "wrong labels")
    assert grown.registry().record(MODEL).version == 1
    with pytest.warns(ZooWarning, match="version 2 is yanked: wrong labels"):
        assert grown.registry().record(f"{MODEL}@2").version == 2


def test_models_of_a_server_are_those_of_its_catalog(grown):
    assert grown.registry().models() == [MODEL]
