"""``zoo registry repair`` makes what is derived anew, and touches nothing else."""

import shutil

import pytest
from drafts import draft

from zoo.errors import RegistryError, StorageError
from zoo.registry import following, layout
from zoo.registry.derived import RESTORE
from zoo.registry.store import Registry
from zoo.registry.upkeep import verify
from zoo.registry.upkeep.repair import repair

MODEL = "models/digits-tiny"
DERIVED = (
    f"{MODEL}/head.json", f"{MODEL}/index/0.json", "models/other/head.json",
    "catalog/shards.json", layout.shard("other"), layout.shard("digits-tiny"),
)  # fmt: skip


@pytest.fixture
def whole(registry):
    for number in range(2):
        registry.publish(draft(), {"a": b"%d" % number})
    registry.yank("digits-tiny", 2)
    registry.publish(draft(model="other"), {"a": b"other"})
    return registry


def content(registry, *, derived=True):
    return {
        str(path.relative_to(registry.tree.root)): path.read_bytes()
        for path in registry.tree.root.rglob("*.json")
        if derived or "versions" in path.parts or "state" in path.parts
    }


def findings(registry):
    return [str(one) for one in verify.verify(registry.tree, str(registry)).findings]


@pytest.mark.parametrize("path", [*DERIVED, "all"])
@pytest.mark.parametrize("damage", ["gone", "damaged", "a byte"])
def test_each_derived_file_is_made_again_as_it_was(whole, path, damage):
    before = content(whole)
    for one in DERIVED if path == "all" else [path]:
        place = whole.tree.root / one
        if damage == "gone":
            place.unlink()
        elif damage == "damaged":
            place.write_bytes(b"{")
        else:
            place.write_bytes(place.read_bytes().replace(b"1", b"3"))
    if path == "all" or damage != "a byte":
        assert findings(whole)
    done = repair(whole.tree, str(whole))
    assert (done.models, done.left) == (2, [])
    assert content(whole) == before
    assert findings(whole) == []


def test_what_is_not_there_any_more_is_not_listed(whole):
    """Versions were removed by hand, or a copy lacks them."""
    root = whole.tree.root
    (root / MODEL / "versions/2.json").unlink()
    shutil.rmtree(root / MODEL / "state")
    shutil.rmtree(root / "models/other")
    shutil.copy(root / MODEL / "index/0.json", root / MODEL / "index/7.json")
    assert len(findings(whole)) > 3
    done = repair(whole.tree, str(whole))
    assert done.removed == [f"{MODEL}/index/7.json", layout.shard("other")]
    assert findings(whole) == []
    assert Registry.at(root).models() == ["digits-tiny"]


def test_what_only_a_copy_mends_is_told_and_left(whole):
    root = whole.tree.root
    record = root / MODEL / "versions/1.json"
    record.write_bytes(b"{")
    (root / "models/other/head.json").unlink()
    before = content(whole, derived=False)
    done = repair(whole.tree, str(whole))
    assert [str(one) for one in done.left] == [
        f"error: {MODEL}: the record of model 'digits-tiny' version 1 is not the JSON expected: "
        f"Expecting property name enclosed in double quotes: line 1 column 2 (char 1); {RESTORE}"
    ]
    assert done.models == 1
    assert (root / "models/other/head.json").exists()
    assert content(whole, derived=False) == before
    assert Registry.at(root).models() == ["digits-tiny", "other"]
    record.unlink()
    assert [str(one) for one in repair(whole.tree, str(whole)).left] == [
        f"error: {MODEL}: {MODEL}/versions/1.json of {root}: it is missing; {RESTORE}"
    ]


def test_an_empty_registry(registry):
    registry.create()
    assert repair(registry.tree, str(registry)).summary() == (
        "head, index and catalog of 0 models are made anew"
    )
    assert findings(registry) == []


def test_a_model_that_comes_meanwhile_is_listed(whole, monkeypatch):
    real = following.write_catalog

    def write_catalog(tree, models):
        monkeypatch.setattr(following, "write_catalog", real)
        Registry.at(whole.tree.root).publish(draft(model="third"), {"a": b"3"})
        real(tree, models)

    monkeypatch.setattr(following, "write_catalog", write_catalog)
    assert repair(whole.tree, str(whole)).models == 3
    assert findings(whole) == []


def test_what_is_no_registry_or_cannot_be_written_is_one_line(registry, whole, tmp_path):
    nothing = Registry.at(tmp_path / "nothing")
    with pytest.raises(RegistryError) as caught:
        repair(nothing.tree, str(nothing))
    assert str(caught.value) == f"{nothing} is no registry: it has no zoo-registry.json"
    assert not (tmp_path / "nothing").exists()

    class Read:
        local = listed = True
        url = "it"

    with pytest.raises(RegistryError) as caught:
        repair(Read(), "it")
    assert str(caught.value) == "it can only be read; repair it where it can be written"


def test_a_full_disk_is_told(whole, monkeypatch):
    def replace(self, path, data):
        raise StorageError("cannot write 'it': the disk is full")

    monkeypatch.setattr(type(whole.tree), "replace", replace)
    with pytest.raises(StorageError, match="the disk is full"):
        repair(whole.tree, str(whole))


def test_what_is_derived_of_a_version_that_is_gone_is_made_anew_by_the_next_publication(whole):
    """A power cut took a version back that another process had seen and indexed."""
    (whole.tree.root / MODEL / "versions/2.json").unlink()
    shutil.rmtree(whole.tree.root / MODEL / "state")
    assert Registry.at(whole.tree.root).publish(draft(), {"a": b"another"}).version == 2
    assert findings(whole) == []


def test_an_edited_record_is_told_before_the_index_follows_it(whole):
    path = f"{MODEL}/versions/1.json"
    place = whole.tree.root / path
    digest = whole.digest(whole.record("digits-tiny@1"))
    place.chmod(0o644)
    place.write_bytes(place.read_bytes().replace(b'"accuracy":0.75', b'"accuracy":0.99'))
    done = repair(whole.tree, str(whole))
    assert [str(one) for one in done.left] == [
        f"error: {path}: its record is not the one that was indexed (sha256:{digest}): unless a "
        f"power cut took that one back, somebody changed it; {RESTORE}"
    ]
    assert repair(whole.tree, str(whole)).left == []  # the index says what is there now
