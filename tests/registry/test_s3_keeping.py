"""A registry in a bucket: verified, repaired and collected."""

import pytest
import s3_server
from drafts import draft

from zoo.registry import layout
from zoo.registry.store import Registry
from zoo.registry.upkeep import collection, verify
from zoo.registry.upkeep.collection import DAY, collect
from zoo.registry.upkeep.repair import repair


@pytest.fixture
def store(monkeypatch):
    with s3_server.store(monkeypatch) as one:
        yield one


@pytest.fixture
def registry(store):
    return Registry(store.tree(), "bucket")


def findings(registry):
    return [str(one) for one in verify.verify(registry.tree, str(registry)).findings]


def test_what_lies_there_is_listed_taken_and_given_back(store, registry):
    tree = registry.tree
    tree.create("a/x.json", b"one")
    tree.create("a/b/y.json", b"three")
    found = {one.name: one for one in tree.entries("a")}
    assert {name: one.size for name, one in found.items()} == {"x.json": 3, "b": None}
    assert [one.name for one in tree.entries("")] == ["a"]
    assert tree.entries("nowhere") == []
    assert found["x.json"].modified == tree.modified("a/x.json")
    assert abs(tree.now() - tree.modified("a/x.json")) < 60
    assert tree.names("tmp") == []
    at = tree.modified("a/x.json")
    assert tree.take("a/x.json", "trash/x") == at
    assert (tree.modified("a/x.json"), tree.read("trash/x", 9)) == (None, b"one")
    assert tree.take("a/x.json", "trash/x") is None
    tree.give_back("trash/x", "a/x.json")
    assert (tree.read("a/x.json", 9), tree.exists("trash/x")) == (b"one", False)
    tree.remove("a/x.json")
    tree.remove("a/x.json")
    assert not tree.exists("a/x.json")


def test_what_comes_while_it_is_copied_stays(store, registry, monkeypatch):
    tree = registry.tree
    tree.create("x", b"old")
    times = iter([100.0, 200.0])
    monkeypatch.setattr(tree, "modified", lambda path: next(times))
    assert tree.take("x", "trash/x") == 200.0
    assert tree.read("x", 9) == b"old"
    tree.give_back("trash/x", "x")
    assert not tree.exists("trash/x")


def test_verify_and_repair(store, registry):
    for number in range(2):
        registry.publish(draft(), {"a": b"%d" % number})
    registry.set_alias("digits-tiny", "best", 1)
    assert findings(registry) == []
    tree = registry.tree
    tree.remove("models/digits-tiny/head.json")
    tree.replace("models/digits-tiny/index/4.json", b"{}")
    tree.remove(layout.blob(registry.record("digits-tiny@1").files[0]["sha256"]))
    assert len(findings(registry)) == 3
    done = repair(tree, str(registry))
    assert (done.removed, done.left) == (["models/digits-tiny/index/4.json"], [])
    left = findings(registry)
    assert len(left) == 1
    assert "it is missing; needed by models/digits-tiny/versions/1.json (a)" in left[0]


def test_what_no_version_names_is_collected_and_what_one_names_is_kept(
    store, registry, monkeypatch
):
    record = registry.publish(draft(), {"a": b"kept"})
    tree = registry.tree
    staged = tree.stage(b"spare")
    tree.keep(staged)
    tree.discard(staged)
    spare = layout.blob(staged.sha256)
    assert collect(tree, "it", apply=True).young == 1
    now, late = tree.now(), [8 * DAY]
    monkeypatch.setattr(tree, "now", lambda: now + late[0])
    monkeypatch.setattr(collection.time, "time", lambda: now + late[0])
    assert collect(tree, "it").taken == [spare]
    assert tree.exists(spare)
    assert collect(tree, "it", apply=True).taken == [spare]
    assert not tree.exists(spare)
    assert collect(tree, "it", apply=True).deleted == []
    late[0] = 16 * DAY
    assert len(collect(tree, "it", apply=True).deleted) == 1
    assert tree.names("trash") == []
    assert registry.read_file(record, "a") == b"kept"
    assert findings(registry) == []
