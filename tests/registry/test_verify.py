"""What ``zoo registry verify`` finds, one damage at a time; and that it finds nothing else."""

import hashlib
import json
import os
import shutil

import pytest
from damages import A1, DAMAGES, MODEL, REPAIR, W, blob, change, put, remove
from drafts import draft, weights

from zoo.errors import RegistryError, StorageError
from zoo.registry import derived
from zoo.registry.derived import RESTORE
from zoo.registry.store import Registry
from zoo.registry.upkeep import hashing, verify

ENSEMBLE = {"method": "mean", "options": {}}
NONE = {"preprocessing": None, "architecture": None, "plugin": None, "weights": None}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three versions, four states, another model, an ensemble of both."""
    registry = Registry.at(tmp_path_factory.mktemp("made") / "registry")
    for _ in range(3):
        registry.publish(
            draft(), {"model.safetensors": weights(), "README.md": lambda n: b"card %d" % n}
        )
    registry.set_alias("digits-tiny", "best", 2)
    registry.set_alias("digits-tiny", "best", 1)
    registry.yank("digits-tiny", 3, "why not")
    registry.set_alias("digits-tiny", "first", 1)
    registry.publish(draft(model="other"), {"a": b"other"})
    members = [
        {"model": name, "version": 1, "digest": registry.digest(registry.record(f"{name}@1"))}
        for name in ("digits-tiny", "other")
    ]
    one = draft(model="both", ensemble={**ENSEMBLE, "members": members}, **NONE)
    registry.publish(one, {"README.md": b"both"})
    return registry.tree.root


@pytest.fixture
def whole(made, registry):
    shutil.copytree(made, registry.tree.root)
    return registry


def lines(registry, **options):
    return [str(one) for one in verify.verify(registry.tree, str(registry), **options).findings]


def test_a_whole_registry(whole):
    report = verify.verify(whole.tree, str(whole))
    assert report.findings == []
    assert (report.models, report.versions, report.states, report.spare) == (3, 5, 4, 0)
    assert (report.files, report.bytes) == (
        6,
        len(weights()) + 3 * len("card 1") + len("otherboth"),
    )
    assert report.summary(fast=False) == (
        f"3 models, 5 versions, 4 states, 6 files of {report.bytes} bytes; 0 errors, 0 notices"
    )
    assert json.loads(json.dumps(report.as_json()))["findings"] == []


def test_it_changes_nothing(whole):
    def state():
        return {
            path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes())
            for path in whole.tree.root.rglob("*")
        }

    before = state()
    verify.verify(whole.tree, str(whole))
    assert state() == before


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_told(whole, name):
    damage, expected = DAMAGES[name]
    root = whole.tree.root
    damage(root)
    found = lines(whole)
    assert expected.replace("ROOT", str(root)) in found
    assert all(one.isprintable() for one in found)
    if expected.startswith("notice"):
        assert [one for one in found if one.startswith("error")] == []


def test_a_bit_is_not_seen_by_the_fast_look(whole):
    put(blob(A1), b"cars 1")(whole.tree.root)
    assert lines(whole, fast=True) == []


def test_what_the_trash_holds_is_told_where_it_is_missed(whole):
    root, there = whole.tree.root, f"trash/20260102T030405Z/{W}"
    (root / there).parent.mkdir(parents=True)
    (root / blob(W)).rename(root / there)
    assert lines(whole)[0] == (
        f"error: {blob(W)}: it is missing; needed by {MODEL}/versions/1.json (model.safetensors) "
        "and 2 others; it lies in trash/20260102T030405Z; to put it back, type: zoo registry gc "
        "--apply"
    )


def test_a_member_that_is_gone_or_another(whole):
    root = whole.tree.root
    change("models/other/versions/1.json", b'"accuracy":0.75', b'"accuracy":0.99')(root)
    path = "models/both/versions/1.json"
    assert f"error: {path}: its member other@1 is another one than it was; {RESTORE}" in lines(
        whole
    )
    shutil.rmtree(root / "models/other")
    said = "its member other@1 is not here, so it cannot be loaded; publish that one here too"
    assert f"error: {path}: {said}" in lines(whole)


def test_pages_beyond_the_versions(whole):
    page = json.loads((whole.tree.root / MODEL / "index/0.json").read_bytes())
    page["rows"] = [{**page["rows"][0], "v": 1001}]
    put(f"{MODEL}/index/1.json", json.dumps(page).encode())(whole.tree.root)
    assert lines(whole) == [
        f"error: {MODEL}/index/1.json: there are no such versions; {RESTORE}; if nothing is lost, "
        f"{REPAIR}"
    ]


def test_an_unreadable_folder_is_one_line(whole, monkeypatch):
    real = os.scandir

    def scandir(path):
        if str(path).endswith("blobs/sha256"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    folder = str(whole.tree.root / "blobs/sha256")
    what = "permission denied; ask the folder's owner, or choose another folder"
    assert f"error: blobs/sha256: cannot list {folder!r}: {what}" in lines(whole)


def test_a_record_with_a_great_number_costs_nothing(whole):
    put(f"{MODEL}/versions/999999.json")(whole.tree.root)
    said = f"version 4 to 999998 is missing, but 999999 is there; {RESTORE}"
    assert f"error: {MODEL}/versions: {said}" in lines(whole)


class Served:
    """A place that lists nothing, as a static server does."""

    local = listed = False

    def __init__(self, tree):
        self._tree, self.url = tree, tree.url
        self.read, self.fetch, self.exists = tree.read, tree.fetch, tree.exists


def test_a_place_that_lists_nothing(whole):
    tree = Served(whole.tree)
    report = verify.verify(tree, "it")
    assert report.findings == []
    assert (report.models, report.versions, report.states, report.files) == (3, 5, 4, 6)
    put(blob(A1), b"cars 1")(whole.tree.root)
    assert [one.path for one in verify.verify(tree, "it").findings] == [blob(A1)]
    assert verify.verify(tree, "it", fast=True).findings == []
    remove(blob(A1))(whole.tree.root)
    for fast in (True, False):
        assert [one.path for one in verify.verify(tree, "it", fast=fast).findings] == [blob(A1)]
    remove(f"{MODEL}/versions/3.json")(whole.tree.root)
    assert f"{MODEL}/versions/3.json" in [one.path for one in verify.verify(tree, "it").errors]


def test_a_head_that_lies_is_not_followed_far(whole):
    """A stranger's server may say that there are a million versions."""
    root, asked = whole.tree.root, []
    change(f"{MODEL}/head.json", b'"newest":3', b'"newest":999999')(root)
    change(f"{MODEL}/head.json", b'"state":4', b'"state":999999')(root)
    tree = Served(whole.tree)
    tree.read = lambda path, limit: asked.append(path) or whole.tree.read(path, limit)
    assert verify.verify(tree, "it").errors
    assert len(asked) < 200


def test_it_looks_while_others_publish(whole, monkeypatch):
    """What is published between two looks is no contradiction."""
    real = derived.read_head

    def read_head(tree, name):
        head = real(tree, name)
        monkeypatch.setattr(derived, "read_head", real)
        Registry.at(whole.tree.root).publish(draft(model=name), {"a": b"new"})
        Registry.at(whole.tree.root).set_alias(name, "new", 2)
        return head

    monkeypatch.setattr("zoo.registry.upkeep.verify_derived.derived.read_head", read_head)
    assert verify.verify(whole.tree, "it").errors == []


def test_a_later_format_is_refused(whole):
    change("zoo-registry.json", b'"format":1', b'"format":2')(whole.tree.root)
    with pytest.raises(RegistryError, match="has format 2, this zoo reads 1"):
        verify.verify(whole.tree, str(whole))


def test_hashed_bytes_can_begin_again_and_not_be_changed():
    digest = hashing._Digest()
    digest.write(b"half")
    digest.seek(0)
    with pytest.raises(OSError, match="cannot be changed"):
        digest.write(b"x")
    digest.truncate()
    digest.write(b"whole")
    assert (digest.sha256.hexdigest(), digest.tell()) == (hashlib.sha256(b"whole").hexdigest(), 5)
    with pytest.raises(OSError, match="cannot be taken back"):
        digest.truncate(3)


def test_a_blob_that_cannot_be_read_is_one_line(whole, monkeypatch):
    real = type(whole.tree).fetch

    def fetch(self, path, size, into, progress):
        if path == blob(W):
            raise StorageError("cannot read 'it': the disk reports an error")
        real(self, path, size, into, progress)

    monkeypatch.setattr(type(whole.tree), "fetch", fetch)
    assert lines(whole) == [
        f"error: {blob(W)}: cannot read 'it': the disk reports an error; needed by "
        f"{MODEL}/versions/1.json (model.safetensors) and 2 others; {RESTORE}"
    ]
