"""``zoo registry gc``: what goes, what stays, what comes back."""

import os
import shutil

import pytest
from drafts import draft

from zoo.errors import RegistryError, StorageError, ZooWarning
from zoo.registry import layout, publishing
from zoo.registry.store import Registry
from zoo.registry.upkeep import collection, verify
from zoo.registry.upkeep.collection import DAY, collect
from zoo.registry.upkeep.references import References
from zoo.storage.commit import TEMPORARY_PREFIX

MODEL = "digits-tiny"


@pytest.fixture
def clock(monkeypatch):
    """``clock.days += 8``: the present is as many days later."""

    class Clock:
        days = 0.0

    real = collection.time.time
    monkeypatch.setattr(collection.time, "time", lambda: real() + Clock.days * DAY)
    monkeypatch.setattr(
        "zoo.registry.places.folder_tree.FolderTree.now", lambda self: real() + Clock.days * DAY
    )
    return Clock


@pytest.fixture
def filled(registry):
    """Two versions, one of them yanked, and a file that no version names."""
    for number in range(2):
        registry.publish(draft(), {"a": b"%d" % number, "same": b"same"})
    registry.yank(MODEL, 1)
    registry.spare = keep(registry, b"spare")
    return registry


def keep(registry, data):
    """What a publisher leaves that was killed before its record was there."""
    staged = registry.tree.stage(data)
    registry.tree.keep(staged)
    registry.tree.discard(staged)
    return layout.blob(staged.sha256)


def files(registry):
    root = registry.tree.root
    return {str(path.relative_to(root)) for path in root.rglob("*")
            if path.is_file() and path.name != "lock"}  # fmt: skip


def errors(registry):
    return verify.verify(registry.tree, str(registry)).errors


def run(registry, **options):
    return collect(registry.tree, str(registry), **options)


def test_what_no_version_names_goes_to_the_trash_and_then_for_good(filled, clock):
    before = files(filled)
    assert (run(filled, apply=True).young, run(filled, apply=True).taken) == (1, [])
    clock.days = 8
    assert run(filled).taken == [filled.spare]
    assert files(filled) == before  # only told
    done = run(filled, apply=True)
    assert (done.taken, done.deleted, done.bytes) == ([filled.spare], [], 5)
    trashed = files(filled) - before
    assert {path.rpartition("/")[2] for path in trashed} == {filled.spare.rpartition("/")[2]}
    assert run(filled, apply=True).deleted == []
    clock.days = 16
    assert run(filled).deleted == sorted(trashed)
    assert run(filled, apply=True).deleted == sorted(trashed)
    assert files(filled) == before - {filled.spare}
    assert os.listdir(filled.tree.root / "trash") == ["lock"]  # noqa: PTH208
    assert errors(filled) == []


def test_every_version_is_kept_yanked_ones_and_members_too(filled, clock):
    with pytest.warns(ZooWarning, match="is yanked"):
        record = filled.record(f"{MODEL}@1")
    member = {"model": MODEL, "version": 1, "digest": filled.digest(record)}
    absent = {"preprocessing": None, "architecture": None, "plugin": None, "weights": None}
    ensemble = {"method": "mean", "options": {}, "members": [member]}
    filled.publish(draft(model="both", ensemble=ensemble, **absent), {"README.md": b"both"})
    before = files(filled)
    clock.days = 100
    run(filled, apply=True, grace=0)
    run(filled, apply=True, grace=0)
    assert files(filled) == before - {filled.spare}


def test_a_file_that_is_used_again_is_young_again(filled, clock):
    clock.days = 8
    path = filled.tree.root / filled.spare
    os.utime(path, (0, 0))
    assert keep(filled, b"spare") == filled.spare
    assert path.stat().st_mtime > 1
    clock.days = 0
    assert run(filled, apply=True).taken == []


def meanwhile(monkeypatch, tree, name, act):
    """``act`` once, before the tree's method ``name`` is called."""
    real = getattr(type(tree), name)

    def call(self, *args):
        monkeypatch.setattr(type(tree), name, real)
        act()
        return real(self, *args)

    monkeypatch.setattr(type(tree), name, call)


@pytest.mark.parametrize("before", ["modified", "take"])
def test_a_file_that_is_used_again_while_it_is_taken_comes_back(filled, clock, monkeypatch, before):
    """The publisher has made it young, and its record is not there yet."""
    root = filled.tree.root
    os.utime(root / filled.spare, (1000, 1000))
    meanwhile(monkeypatch, filled.tree, before, lambda: keep(filled, b"spare"))
    done = run(filled, apply=True)
    assert done.taken == []
    assert len(done.returned) == (before == "take")
    assert (root / filled.spare).read_bytes() == b"spare"


def test_a_file_that_a_new_version_names_comes_back(filled, clock, monkeypatch):
    """The publisher has looked already whether its files are there."""
    clock.days = 8

    def publish():
        Registry.at(filled.tree.root).publish(draft(), {"a": b"spare"})
        os.utime(filled.tree.root / filled.spare, (1000, 1000))  # whatever its date says

    os.utime(filled.tree.root / filled.spare, (1000, 1000))
    meanwhile(monkeypatch, filled.tree, "take", publish)
    done = run(filled, apply=True)
    assert [one.path for one in errors(filled)] == []
    assert (done.taken, len(done.returned)) == ([], 1)


def test_without_the_second_look_it_would_be_lost(filled, clock, monkeypatch):
    """The negative control of the one before."""
    monkeypatch.setattr(References, "look_again", only_once(References.look_again))
    with pytest.raises(AssertionError, match=filled.spare):
        test_a_file_that_a_new_version_names_comes_back(filled, clock, monkeypatch)


def publish_while_collected(registry, monkeypatch):
    """A collection without a grace takes the files before their record is there."""
    done = []
    meanwhile(
        monkeypatch,
        registry.tree,
        "create",
        lambda: done.append(run(Registry.at(registry.tree.root), apply=True, grace=0)),
    )
    record = registry.publish(draft(), {"a": b"new", "README.md": lambda number: b"%d" % number})
    assert {layout.blob(file["sha256"]) for file in record.files} <= set(done[0].taken)


def test_a_publisher_puts_there_again_what_was_taken(filled, clock, monkeypatch):
    publish_while_collected(filled, monkeypatch)
    assert errors(filled) == []


def test_without_the_look_back_it_would_be_lost(filled, clock, monkeypatch):
    """The negative control of the one before."""
    monkeypatch.setattr(publishing, "_keep_again", lambda *given: None)
    publish_while_collected(filled, monkeypatch)
    assert len(errors(filled)) == 2


def only_once(look):
    def once(self):
        if not self.blobs:
            look(self)

    return once


def test_what_lies_in_the_trash_and_is_named_comes_back(filled, clock):
    """A collection was killed before it could give it back."""
    root = filled.tree.root
    blob = layout.blob(filled.record(f"{MODEL}@2").file("a")["sha256"])
    there = root / "trash" / "20200102T030405Z" / blob.rpartition("/")[2]
    there.parent.mkdir(parents=True)
    shutil.move(root / blob, there)
    assert [one.path for one in errors(filled)] == [blob]
    assert len(run(filled).returned) == 1
    assert there.exists()
    assert len(run(filled, apply=True).returned) == 1
    assert errors(filled) == []
    assert not there.parent.exists()


def test_a_file_that_cannot_be_moved_is_told_and_the_others_go(filled, clock, monkeypatch):
    clock.days = 8
    other = keep(filled, b"more")
    real = type(filled.tree).take

    def take(self, path, to):
        if path == filled.spare:
            raise StorageError("cannot copy 'it': the store refuses")
        return real(self, path, to)

    monkeypatch.setattr(type(filled.tree), "take", take)
    done = run(filled, apply=True)
    assert (done.taken, done.problem) == ([other], "cannot copy 'it': the store refuses")
    assert (filled.tree.root / filled.spare).exists()


@pytest.mark.parametrize("error", [StorageError("no disk"), KeyboardInterrupt()])
def test_without_a_second_look_nothing_stays_taken(filled, clock, monkeypatch, error):
    clock.days = 8

    def look_again(self):
        raise error

    meanwhile(
        monkeypatch,
        filled.tree,
        "take",
        lambda: monkeypatch.setattr(References, "look_again", look_again),
    )
    with pytest.raises(type(error)):
        run(filled, apply=True)
    assert (filled.tree.root / filled.spare).read_bytes() == b"spare"


def test_two_collections_at_once(filled, clock, monkeypatch):
    clock.days = 8
    other = Registry.at(filled.tree.root)
    monkeypatch.setattr("zoo.registry.places.folder_tree.fcntl.flock", lambda *args: None)
    meanwhile(monkeypatch, filled.tree, "take", lambda: run(other, apply=True))
    assert run(filled, apply=True).taken == []
    assert not (filled.tree.root / filled.spare).exists()
    assert errors(filled) == []


def test_unfinished_files_go_when_nobody_can_be_at_work_on_them(filled, clock):
    places = [f"{folder}/{TEMPORARY_PREFIX}0" for folder in ("tmp", f"models/{MODEL}/versions")]
    for place in places:
        (filled.tree.root / place).write_bytes(b"half")
    assert run(filled, apply=True, grace=0).unfinished == []
    clock.days = 1.01
    assert sorted(run(filled, apply=True, grace=0).unfinished) == sorted(places)
    assert not any((filled.tree.root / place).exists() for place in places)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            lambda root: (root / f"models/{MODEL}/versions/1.json").write_bytes(b"{}"),
            "the record of model 'digits-tiny' version 1 is not one of zoo's: ",
        ),
        (
            lambda root: (root / f"models/{MODEL}/versions/1.json").unlink(),
            f"models/{MODEL}/versions/1.json of ROOT: it is missing; restore it from a copy of "
            "the registry; until then nothing is removed, for it may name any file",
        ),
        (
            lambda root: (root / f"models/{MODEL}").rename(root / "models/Digits-Tiny"),
            "models/Digits-Tiny is the folder of no model, and what is in it may name files; move "
            "it elsewhere; until then nothing is removed",
        ),
    ],
)
def test_nothing_is_removed_while_a_record_cannot_be_read(filled, clock, damage, said):
    clock.days = 100
    root = filled.tree.root
    keep(filled, b"more")
    damage(root)
    before = files(filled)
    with pytest.raises(RegistryError) as caught:
        run(filled, apply=True)
    assert str(caught.value).startswith(said.replace("ROOT", str(root)))
    assert files(filled) == before


def test_strays_are_never_touched(filled, clock):
    root = filled.tree.root
    (root / "blobs/sha256/zz").mkdir()
    for place in ("mine", "blobs/sha256/zz/mine", "trash/mine", "tmp/mine"):
        (root / place).parent.mkdir(exist_ok=True)
        (root / place).write_bytes(b"mine")
    (root / "blobs/sha256/00").symlink_to(root / "mine")
    clock.days = 100
    run(filled, apply=True, grace=0)
    for place in ("mine", "blobs/sha256/zz/mine", "trash/mine", "tmp/mine", "blobs/sha256/00"):
        assert (root / place).read_bytes() == b"mine"
