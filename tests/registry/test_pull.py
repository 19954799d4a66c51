"""What pulling gives: files in the cache or in a folder, whole or not at all, members along."""

from __future__ import annotations

import hashlib
import os
import threading
from types import SimpleNamespace

import endless_faults as endless
import faults as f
import pytest
from fault_server import FaultServer
from pull_bench import BLOB, CARD, MODEL, SHA, WEIGHTS, Bench, publish

from zoo.errors import StorageError, ZooWarning
from zoo.registry import folder_copy
from zoo.registry.names import Reference
from zoo.registry.places import cache
from zoo.registry.pulling import pull_from
from zoo.registry.store import Registry
from zoo.storage import commit


@pytest.fixture
def home(tmp_path):
    """A registry in a folder, with version 1 of digits-tiny."""
    publish(tmp_path / "registry")
    return Registry.at(tmp_path / "registry")


@pytest.fixture
def served(home, tmp_path):
    server = FaultServer(home.tree.root)
    (tmp_path / "beside").mkdir()
    yield Bench(server, tmp_path / "beside" / "target")
    server.close()


def pulled(registry, to=None, reference=MODEL, report=None):
    return pull_from(registry, Reference.parse(reference), to, report)


# Places


def test_without_a_folder_it_is_in_the_cache(served):
    found = pulled(served.registry())
    path = cache.folder() / "blobs" / SHA[:2] / SHA
    assert found.files["model.safetensors"] == path
    assert path.read_bytes() == WEIGHTS
    assert (found.record.version, found.folder, found.members) == (1, None, ())


def test_of_a_folder_it_is_where_it_lies_and_compared(home):
    found = pulled(home)
    assert found.files["model.safetensors"] == home.tree.root / BLOB
    (home.tree.root / BLOB).chmod(0o644)
    (home.tree.root / BLOB).write_bytes(WEIGHTS[:-1] + b"!")
    with pytest.raises(StorageError) as caught:
        pulled(home)
    assert str(caught.value) == (
        f"model.safetensors of model '{MODEL}' version 1, {str(home.tree.root / BLOB)!r} is "
        f"damaged or missing; restore it"
    )


def test_of_a_folder_too_it_is_copied_whole_or_not_at_all(home, tmp_path):
    target = tmp_path / "new" / "target"
    found = pulled(home, target)
    assert found.folder == target
    assert {name: path.read_bytes() for name, path in found.files.items()} == {
        "model.safetensors": WEIGHTS, "README.md": CARD,
    }  # fmt: skip
    assert not (target / "model.safetensors").is_symlink()
    assert (target / "model.safetensors").stat().st_nlink == 1
    digest = hashlib.sha256((target / "record.json").read_bytes()).hexdigest()
    assert digest == found.digest == home.digest(found.record)


def test_progress_is_told_by_file_up_to_its_size(served):
    told = []
    served.break_(BLOB, f.dropped_at(1 << 18), f.whole_to_a_range)
    pulled(served.registry(), report=lambda *given: told.append(given))
    of_weights = [done for name, done, _ in told if name == "model.safetensors"]
    assert of_weights[-1] == len(WEIGHTS)
    assert 0 in of_weights  # it began anew
    assert {(name, total) for name, _, total in told} == {
        ("model.safetensors", len(WEIGHTS)), ("README.md", len(CARD)),
    }  # fmt: skip


# Folders


def test_an_empty_folder_is_filled_and_an_equal_one_left_alone(served):
    served.target.mkdir()
    served.pull()
    served.assert_whole()
    inode = (served.target / "README.md").stat().st_ino
    served.server.requests.clear()
    served.pull()
    served.assert_whole()
    assert (served.target / "README.md").stat().st_ino == inode
    assert served.server.asked(BLOB) == 0


def more(target):
    (target / "mine.txt").write_bytes(b"mine")


def less(target):
    (target / "README.md").unlink()


def other(target):
    (target / "README.md").write_bytes(b"# mine")


def linked(target):
    (target / "README.md").rename(target.parent / "card")
    (target / "README.md").symlink_to(target.parent / "card")


def deeper(target):
    (target / "sub").mkdir()
    (target / "sub" / "README.md").write_bytes(CARD)


@pytest.mark.parametrize("change", [more, less, other, linked, deeper])
def test_a_folder_that_holds_something_else_is_not_touched(served, change):
    served.pull()
    change(served.target)
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in served.target.rglob("*"))
    with pytest.raises(StorageError) as caught:
        served.pull()
    assert str(caught.value) == (
        f"{str(served.target)!r} is there and holds something else; nothing in it was touched; "
        f"remove it, or choose another place"
    )
    after = sorted((str(path), path.lstat().st_mtime_ns) for path in served.target.rglob("*"))
    assert after == before


@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_a_target_that_is_no_folder(served, kind):
    if kind == "file":
        served.target.write_bytes(b"x")
    else:
        served.target.symlink_to("/" if kind == "link" else "nowhere")
    with pytest.raises(StorageError) as caught:
        served.pull()
    assert str(caught.value) == (
        f"{str(served.target)!r} is there and is no folder; choose another place"
    )


def test_whoever_makes_the_folder_meanwhile_keeps_it(served, monkeypatch):
    rename = os.rename

    def late(source, target):
        served.target.mkdir()
        (served.target / "mine").write_bytes(b"x")
        rename(source, target)

    monkeypatch.setattr(folder_copy.os, "rename", late)
    with pytest.raises(StorageError, match=r"cannot write '.*target': directory not empty"):
        served.pull()
    assert [path.name for path in served.target.iterdir()] == ["mine"]
    assert list(served.target.parent.iterdir()) == [served.target]


@pytest.mark.parametrize("call", ["copy_hashed", "adopt", "sync_folder"])
@pytest.mark.parametrize("turn", [0, 1, 2])
def test_a_failure_while_it_is_written_leaves_no_part_of_it(served, monkeypatch, call, turn):
    done, calls = getattr(commit, call), []
    pulled(served.registry())  # the cache is written by the same calls

    def failing(*given, **more):
        calls.append(given)
        if len(calls) > turn:
            raise OSError(28, "No space left on device")
        return done(*given, **more)

    monkeypatch.setattr(commit, call, failing)
    with pytest.raises((StorageError, OSError)):
        served.pull()
    served.assert_nothing()


def test_without_clearing_up_a_part_is_left(served, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(folder_copy.shutil, "rmtree", lambda *given, **more: None)
    monkeypatch.setattr(folder_copy.os, "rename", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        served.pull()
    with pytest.raises(AssertionError):
        served.assert_nothing()


# The cache


@pytest.mark.parametrize("damage", [b"", WEIGHTS[:-1], WEIGHTS + b"x", WEIGHTS[:-1] + b"!"])
@pytest.mark.parametrize("use", ["pull", "read"])
def test_a_damaged_blob_is_noticed_whenever_it_is_used(served, damage, use):
    path = pulled(served.registry()).files["model.safetensors"]
    path.write_bytes(damage)
    registry = served.registry()
    with pytest.warns(ZooWarning) as caught:
        if use == "pull":
            served.pull(registry=registry)
        else:
            record = registry.record(MODEL)
            assert registry.read_file(record, "model.safetensors") == WEIGHTS
    assert [str(one.message) for one in caught] == [
        f"{str(path)!r} no longer holds what was put there; it is fetched again"
    ]
    assert path.read_bytes() == WEIGHTS


def test_a_full_disk_is_seen_before_it_is_full(served, monkeypatch):
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda folder: SimpleNamespace(free=9))
    folder = cache.folder() / "blobs" / SHA[:2]
    assert served.refused() == (
        f"model.safetensors of model '{MODEL}' version 1, has 700000 bytes; {str(folder)!r} has "
        f"room for 9; free some space, or set ZOO_CACHE to another folder"
    )
    assert served.server.asked(BLOB) == 0


def test_a_cache_that_cannot_be_written(served, monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file"))
    assert "file of that name is there" in served.refused()


def test_two_processes_that_pull_the_same_do_not_disturb_each_other(served):
    served.break_(BLOB, endless.slow_then_served(0.2))
    results = []

    def one():
        results.append(pulled(served.registry()).files["model.safetensors"].read_bytes())

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [WEIGHTS] * 4
    served.assert_no_wrong_bytes()


def test_the_cache_is_counted_and_cleared(served):
    pulled(served.registry())
    blobs, total = cache.usage()
    assert blobs == 2
    assert total > len(WEIGHTS)
    cache.clear()
    assert cache.usage() == (0, 0)
    assert (cache.folder() / "known").is_dir()  # what tells that a registry was set back
    cache.clear()
    served.pull()
    served.assert_whole()
