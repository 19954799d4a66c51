"""A killed, failed or contended publish never breaks the registry."""

import errno
import os
from pathlib import Path

import pytest
from drafts import draft

from zoo.errors import StorageError
from zoo.registry.loading import load
from zoo.registry.store import Registry
from zoo.storage import commit


def test_killed_at_every_call_what_is_listed_loads(
    registry, published, trained, catalog, tmp_path, monkeypatch
):
    """With a real network, in this process: BaseException stands for the kill. Kills that are none,
    at every call and of every action, are in ``proofs``."""
    (tmp_path / "registry.toml").write_text('[registry.local]\nurl = "registry"\n')
    monkeypatch.chdir(tmp_path)
    published()
    point = 0
    one, _, files = trained()
    while True:
        point += 7  # every seventh
        with monkeypatch.context() as patched:
            made = interrupt_at(patched, point)
            try:
                registry.publish(one, files)
            except KeyboardInterrupt:
                pass
            else:
                break
            finally:
                assert made
        for number in registry.versions(one.model):
            model = load(f"{one.model}@{number}", device="cpu", catalog=catalog)
            assert model.version == number


def interrupt_at(monkeypatch, point):
    made, close = [], os.close

    def wrap(real):
        def call(*args, **kwargs):
            made.append(real)
            if len(made) == point:
                if real is close:  # as the system does for a dead process: its locks go
                    real(*args)
                raise KeyboardInterrupt
            return real(*args, **kwargs)

        return call

    for name in ("open", "write", "chmod", "fsync", "close", "mkdir", "link", "replace"):
        monkeypatch.setattr(os, name, wrap(getattr(os, name)))
    return made


def record_calls(monkeypatch):
    """The durability-relevant calls of a publish, in order, with paths."""
    trace, paths = [], {}
    real = {
        name: getattr(os, name) for name in ("open", "write", "fsync", "replace", "link", "mkdir")
    }

    def opening(path, *args, **kwargs):
        descriptor = real["open"](path, *args, **kwargs)
        paths[descriptor] = str(path)
        return descriptor

    def writing(descriptor, data):
        trace.append(("write", paths[descriptor]))
        return real["write"](descriptor, data)

    def syncing(descriptor):
        trace.append(("sync", paths[descriptor]))
        return real["fsync"](descriptor)

    def naming(name):
        def call(source, target):
            trace.append(("name", str(source), str(target)))
            return real[name](source, target)

        return call

    def making(path, *args):
        trace.append(("make", str(path)))
        return real["mkdir"](path, *args)

    for name, wrapped in {
        "open": opening, "write": writing, "fsync": syncing, "mkdir": making,
        "replace": naming("replace"), "link": naming("link"),
    }.items():  # fmt: skip
        monkeypatch.setattr(os, name, wrapped)
    return trace


def undurable(trace):
    """What a power cut could still take: a name given to unsynced bytes, an entry whose folder is
    not synced before a record is linked or the publish returns."""
    unsynced, entries, found = set(), {}, []
    for kind, *names in trace:
        if kind == "write":
            unsynced.add(names[0])
        elif kind == "make":
            entries[names[0]] = str(Path(names[0]).parent)
        elif kind == "sync":
            unsynced.discard(names[0])
            entries = {one: parent for one, parent in entries.items() if parent != names[0]}
        else:
            source, target = names
            if source in unsynced:
                found.append(f"{target} is named before its bytes are synced")
            if "/versions/" in target:
                found += [f"{one} is not synced before {target}" for one in entries]
            entries[target] = str(Path(target).parent)
    return found + [f"{one} is not synced at the end" for one in entries]


def test_everything_is_synced_before_it_is_named_and_before_the_end(registry, monkeypatch):
    trace = record_calls(monkeypatch)
    for _ in range(2):
        registry.publish(draft(), {"model.safetensors": b"w", "README.md": lambda n: b"%d" % n})
    assert undurable(trace) == []
    # The marker; 2 x (2 blobs, a record, a page of the index, the head); 2 of the catalog.
    assert sum(kind == "name" for kind, *_ in trace) == 13


@pytest.mark.parametrize("without", ["_sync", "sync_folder"])
def test_the_order_test_sees_a_missing_sync(registry, monkeypatch, without):
    trace = record_calls(monkeypatch)
    if without == "sync_folder":
        monkeypatch.setattr(commit, "sync_folder", lambda folder: None)
    else:
        monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    registry.publish(draft(), {"model.safetensors": b"w"})
    assert undurable(trace)


@pytest.mark.parametrize("taken", [1, 3])
def test_a_taken_number_is_passed_over_and_the_card_made_again(registry, monkeypatch, taken):
    registry.publish(draft(), {"a": b"0"})
    real, left = os.link, [taken]

    def link(source, target):
        if left[0]:
            left[0] -= 1
            with monkeypatch.context() as patched:
                patched.setattr(os, "link", real)
                Registry.at(registry.tree.root).publish(draft(), {"a": b"other"})
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    record = registry.publish(draft(), {"README.md": lambda number: b"card of %d" % number})
    assert record.version == 2 + taken
    assert registry.read_file(record, "README.md") == b"card of %d" % record.version


def test_a_read_only_registry_is_one_line(registry, monkeypatch):
    registry.publish(draft(), {"a": b"0"})
    real = os.open

    def read_only(path, flags, *args, **kwargs):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(StorageError) as caught:
        registry.publish(draft(), {"a": b"1"})
    folder = str(registry.tree.root / "tmp")
    assert str(caught.value) == (
        f"cannot write into {folder!r}: the file system is read-only; choose a folder that can be "
        f"written"
    )
    assert registry.versions("digits-tiny") == [1]
    assert registry.read_file(registry.record("digits-tiny"), "a") == b"0"


def test_a_full_disk_leaves_the_earlier_versions_and_no_rest(registry, monkeypatch):
    registry.publish(draft(), {"a": b"0"})
    files = sorted(registry.tree.root.rglob("*"))
    real = os.write

    def full(descriptor, data):
        real(descriptor, bytes(data)[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError, match="the disk is full"):
        registry.publish(draft(), {"a": b"1"})
    assert sorted(registry.tree.root.rglob("*")) == files
