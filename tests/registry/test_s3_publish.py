"""Publishing to a bucket: nothing is half there, nothing lost, no number given twice."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import s3_server
from drafts import draft
from s3_server import refuse

from zoo.errors import RegistryError, StorageError, ZooWarning
from zoo.registry.config import parse
from zoo.registry.places import cache, s3_client
from zoo.registry.store import Registry
from zoo.registry.tree import UnreachableError

FILES = {
    "model.safetensors": b"weights",
    "README.md": lambda number: b"card of %d" % number,
    "metrics/test.json": b"{}\n",
}


@pytest.fixture
def store(monkeypatch):
    with s3_server.store(monkeypatch) as one:
        yield one


@pytest.fixture
def registry(store):
    return Registry(store.tree(), "bucket")


def contents(registry, after=0):
    """The cards of the versions after one, every file fetched and compared with its record."""
    cache.clear()
    cards = []
    for number in registry.versions("digits-tiny")[after:]:
        record = registry.record(f"digits-tiny@{number}")
        files = {file["path"]: registry.read_file(record, file["path"]) for file in record.files}
        cards.append(files["README.md"].decode())
    return cards


def test_what_is_published_is_read(store, registry):
    first = registry.publish(draft(), FILES)
    second = registry.publish(draft(), FILES)
    assert (first.version, second.version) == (1, 2)
    other = Registry(store.tree(), "bucket")
    assert other.models() == ["digits-tiny"]
    assert other.latest("digits-tiny") == 2
    assert other.record("digits-tiny") == second
    assert second.prev == registry.digest(first)
    assert other.record(f"digits-tiny@sha256:{other.digest(first)}") == first
    assert contents(other) == ["card of 1", "card of 2"]


def test_a_blob_with_another_content_is_refused(store, registry):
    record = registry.publish(draft(), FILES)
    sha256 = record.weights_sha256
    registry.tree.replace(f"blobs/sha256/{sha256[:2]}/{sha256}", b"Weights")
    with pytest.raises(StorageError, match=r"expected .*, as its record says"):
        registry.read_file(record, "model.safetensors")


def test_a_registry_is_opened_as_its_file_says(store, registry, tmp_path):
    registry.publish(draft(), FILES)
    text = f"""
        [registry.team]
        url = "{store.url}/"
        endpoint = "{store.endpoint}"
        region = "us-east-1"
        path_style = true
        anonymous = false
        access_key_env = "ZOO_KEY"
        secret_key_env = "ZOO_SECRET"
    """
    opened = parse(text.encode(), tmp_path / "registry.toml").open("team")
    assert opened.record("digits-tiny").version == 1
    assert str(opened) == f"registry 'team' ({store.url})"


def test_what_was_read_before_serves_when_the_bucket_cannot_be_reached(store, registry):
    made = registry.publish(draft(), FILES)
    Registry(store.tree(), "bucket").read_file(registry.record("digits-tiny"), "model.safetensors")
    gone = Registry(store.tree(endpoint="http://127.0.0.1:9"), "bucket")
    with pytest.warns(ZooWarning, match="going by what was there on|whether .* is yanked"):
        record = gone.record("digits-tiny@1")
    assert record == made
    assert gone.read_file(record, "model.safetensors") == b"weights"
    with pytest.raises(UnreachableError):
        gone.read_file(record, "README.md")


def test_an_alias_is_moved_by_one_of_two(store, registry):
    registry.publish(draft(), FILES)
    registry.publish(draft(), FILES)
    registry.set_alias("digits-tiny", "best", 1, expected=None)
    other = Registry(store.tree(), "bucket")
    other.set_alias("digits-tiny", "best", 2, expected=1)
    with pytest.raises(RegistryError) as caught:
        registry.set_alias("digits-tiny", "best", 2, expected=1)
    assert str(caught.value) == (
        "alias 'best' of model 'digits-tiny' points to version 2, not to version 1; somebody "
        "moved it: look again"
    )
    assert registry.record("digits-tiny@best").version == 2
    registry.yank("digits-tiny", 2, "worse")
    assert other.latest("digits-tiny") == 1
    assert [one.serial for one in other.history("digits-tiny")] == [1, 2, 3]


def test_two_who_change_at_once_both_come_through(store, registry):
    """One looks; before it writes, the other has."""
    registry.publish(draft(), FILES)
    other = Registry(store.tree(), "bucket")
    create = registry.tree.create

    def late(path, data):
        registry.tree.create = create
        other.set_alias("digits-tiny", "theirs", 1)
        create(path, data)

    registry.tree.create = late
    registry.set_alias("digits-tiny", "mine", 1)
    assert registry.state("digits-tiny").aliases == {"mine": 1, "theirs": 1}


def publish_at_once(store, count):
    script = Path(__file__).with_name("s3_publish_many.py")
    command = [sys.executable, str(script), store.url, store.endpoint, str(count)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        store.tree().create("go", b"")
        return [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_two_publishers_at_once_get_numbers_of_their_own(store, registry):
    first, second = publish_at_once(store, 8)
    assert sorted(first + second) == list(range(1, 17))
    assert contents(registry) == [f"card of {n}" for n in range(1, 17)]
    assert registry.latest("digits-tiny") == 16


def test_with_puts_that_overwrite_versions_are_lost(store, registry, monkeypatch):
    """The negative control."""
    monkeypatch.setattr("zoo.registry.places.s3_tree.S3Tree.prepare", lambda *_: None)
    registry.publish(draft(), FILES)
    late = Registry(store.tree(), "bucket")
    create = registry.tree.create

    def overwrite(path, data):
        if path == "models/digits-tiny/versions/2.json":
            late.publish(draft(licence="mit"), FILES)
        registry.tree.replace(path, data)

    monkeypatch.setattr(registry.tree, "create", overwrite)
    registry.publish(draft(), FILES)
    assert registry.versions("digits-tiny") == [1, 2]
    assert registry.record("digits-tiny@2").licence != "mit"

    monkeypatch.setattr(registry.tree, "create", create)  # with the guard it is not
    assert registry.publish(draft(), FILES).version == 3


def dies_after(requests):
    """From one of its requests on, nothing of the publisher reaches the store."""

    def fault(environ, start, moto):
        nonlocal requests
        requests -= 1
        dead = refuse("403 Forbidden", "Dead")
        return moto(environ, start) if requests >= 0 else dead(environ, start, moto)

    return fault


@pytest.mark.filterwarnings("ignore:.*is published, but readers that go by the index")
def test_a_publisher_that_dies_anywhere_leaves_a_whole_version_or_none(
    store, registry, monkeypatch
):
    monkeypatch.setattr(s3_client, "SMALL_RETRY_SECONDS", 0)
    monkeypatch.setattr(s3_client, "LARGE_RETRY_SECONDS", 0)
    registry.publish(draft(), FILES)
    store.asked.clear()
    acknowledged = registry.publish(draft(), FILES).version
    requests = len(store.asked)
    assert requests > 10
    counts = []
    for one in range(requests):
        store.fault = dies_after(one)
        with contextlib.suppress(StorageError):
            acknowledged = Registry(store.tree(), "bucket").publish(draft(), FILES).version
        store.fault = None
        known = counts[-1] if counts else 0
        found = contents(Registry(store.tree(), "bucket"), known)
        counts.append(known + len(found))
        assert found == [f"card of {n}" for n in range(known + 1, counts[-1] + 1)]
        assert counts[-1] >= acknowledged
    assert counts[0] == 2
    assert counts[-1] > 2, "every death came before the commit"
