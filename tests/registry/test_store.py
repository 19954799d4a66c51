"""Publishing and reading in one process."""

import json
import stat

import pytest
from drafts import draft

from zoo.errors import RegistryError, StorageError
from zoo.registry import layout
from zoo.registry.store import Registry

FILES = {"model.safetensors": b"weights", "README.md": b"card"}


def test_layout_and_round_trip(registry, tmp_path):
    (tmp_path / "w").write_bytes(b"weights")
    record = registry.publish(draft(), {**FILES, "model.safetensors": tmp_path / "w"})
    assert (record.model, record.version, record.prev) == ("digits-tiny", 1, None)
    assert [file["path"] for file in record.files] == ["README.md", "model.safetensors"]
    path = registry.tree.root / "models/digits-tiny/versions/1.json"
    assert path.read_bytes() == record.to_bytes()
    digest = record.weights_sha256
    blob = registry.tree.root / "blobs/sha256" / digest[:2] / digest
    assert blob.read_bytes() == b"weights"
    assert stat.S_IMODE(blob.stat().st_mode) == 0o444
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    marker = json.loads((registry.tree.root / "zoo-registry.json").read_bytes())
    assert marker["format"] == 1
    assert list((registry.tree.root / "tmp").iterdir()) == []
    assert registry.record("digits-tiny") == record
    assert registry.read_file(record, "README.md") == b"card"


def test_versions_are_chained_and_referred_to(registry):
    first = registry.publish(draft(), FILES)
    second = registry.publish(draft(licence="MIT"), FILES)
    assert second.prev == registry.digest(first)
    assert registry.versions("digits-tiny") == [1, 2]
    assert registry.latest("digits-tiny") == 2
    assert registry.record("digits-tiny") == second
    assert registry.record("digits-tiny@1") == first
    assert registry.record(f"digits-tiny@sha256:{registry.digest(first)}") == first
    assert registry.models() == ["digits-tiny"]


def test_an_empty_registry(registry):
    assert registry.models() == []
    with pytest.raises(RegistryError) as caught:
        registry.record("x")
    assert str(caught.value) == (
        f"model 'x' is not in registry 'local' ({registry.tree.root}); see: zoo models list"
    )
    assert not registry.tree.root.exists()  # reading makes nothing


def test_create(registry):
    registry.create()
    assert (registry.tree.root / "zoo-registry.json").is_file()
    before = (registry.tree.root / "zoo-registry.json").read_bytes()
    registry.publish(draft(), FILES)
    Registry.at(registry.tree.root).create()
    assert (registry.tree.root / "zoo-registry.json").read_bytes() == before


@pytest.mark.parametrize(
    ("reference", "what"),
    [
        (
            "digit-tiny",
            "model 'digit-tiny' is not in registry 'local' (ROOT) (did you mean 'digits-tiny'?); "
            "see: zoo models list",
        ),
        (
            "digits-tiny@7",
            "model 'digits-tiny' has no version 7; the newest is 1; "
            "see: zoo models show digits-tiny",
        ),
        ("digits-tiny@best", "model 'digits-tiny' has no alias 'best'; aliases: none"),
        (
            "digits-tiny@sha256:" + "0" * 64,
            "model 'digits-tiny' has no version with the record sha256:" + "0" * 64,
        ),
    ],
)
def test_what_is_not_there(registry, reference, what):
    registry.publish(draft(), FILES)
    with pytest.raises(RegistryError) as caught:
        registry.record(reference)
    assert str(caught.value) == what.replace("ROOT", str(registry.tree.root))


def test_names_that_are_too_like(registry):
    registry.publish(draft(), FILES)
    with pytest.raises(RegistryError) as caught:
        registry.publish(draft(model="digits_tiny"), FILES)
    assert str(caught.value) == (
        f"model name 'digits_tiny' is too like 'digits-tiny', which is in {registry}; publish a "
        f"version of 'digits-tiny', or choose another name"
    )
    registry.publish(draft(model="digitstiny"), FILES)
    assert registry.models() == ["digits-tiny", "digitstiny"]


@pytest.mark.parametrize("damage", [b"", b"weightS", b"weights and more", None])
def test_a_damaged_blob_is_refused_and_published_again(registry, damage):
    record = registry.publish(draft(), FILES)
    digest = record.weights_sha256
    blob = registry.tree.root / "blobs/sha256" / digest[:2] / digest
    blob.unlink()
    if damage is not None:
        blob.write_bytes(damage)
    with pytest.raises(StorageError) as caught:
        registry.read_file(record, "model.safetensors")
    assert "model.safetensors of model 'digits-tiny' version 1" in str(caught.value)
    registry.publish(draft(), FILES)
    assert registry.read_file(record, "model.safetensors") == b"weights"


def test_a_record_of_another_model_or_version(registry):
    registry.publish(draft(), FILES)
    registry.publish(draft(model="other"), FILES)
    versions = registry.tree.root / "models/digits-tiny/versions"
    (versions / "2.json").write_bytes((versions / "1.json").read_bytes())
    (versions / "3.json").write_bytes(
        (registry.tree.root / "models/other/versions/1.json").read_bytes()
    )
    for number in (2, 3):
        with pytest.raises(RegistryError, match="is damaged"):
            registry.record(f"digits-tiny@{number}")


def test_strange_entries_are_not_versions(registry):
    registry.publish(draft(), FILES)
    versions = registry.tree.root / "models/digits-tiny/versions"
    for name in ("0.json", "01.json", "2.json.tmp", ".zoo-tmp-1.json", "x", "\u0663.json"):
        (versions / name).write_bytes(b"")
    (registry.tree.root / "models/.DS_Store").write_bytes(b"")
    (registry.tree.root / "models/Strange Name").mkdir()
    (registry.tree.root / "models/unfinished/versions").mkdir(parents=True)
    assert registry.versions("digits-tiny") == [1]
    assert registry.models() == ["digits-tiny"]


def test_a_registry_of_a_later_format(registry):
    registry.tree.root.mkdir()
    (registry.tree.root / "zoo-registry.json").write_bytes(b'{"format":2,"id":"x"}')
    for act in (registry.models, lambda: registry.publish(draft(), FILES)):
        with pytest.raises(RegistryError) as caught:
            act()
        assert str(caught.value) == (
            f"{registry} has format 2, this zoo reads 1; type: pip install --upgrade zoo"
        )


def test_a_gate_that_refuses_leaves_nothing(registry):
    registry.publish(draft(), FILES)
    before = sorted(registry.tree.root.rglob("*"))
    seen = {}

    def gate(one, paths):
        seen.update({path: place.read_bytes() for path, place in paths.items()})
        raise RegistryError("no")

    with pytest.raises(RegistryError, match="no"):
        registry.publish(draft(), {"model.safetensors": b"other", "late": lambda n: b"x"}, gate)
    assert seen == {"model.safetensors": b"other"}
    assert sorted(registry.tree.root.rglob("*")) == before


@pytest.mark.parametrize("path", ["../x", "/x", "a/b/c", "nul"])
def test_hostile_file_names(registry, path):
    with pytest.raises(RegistryError, match="expected letters and digits"):
        registry.publish(draft(), {path: b""})
    assert not registry.tree.root.exists()


def test_a_file_that_is_a_link_is_refused(registry, tmp_path):
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "link").symlink_to("secret")
    with pytest.raises(StorageError, match="it is a symbolic link"):
        registry.publish(draft(), {"a": tmp_path / "link"})
    assert registry.models() == []


def test_a_file_that_comes_while_it_is_looked_for_is_read(registry, monkeypatch):
    registry.create()
    tree, real = registry.tree, type(registry.tree).exists

    def exists(self, path):
        monkeypatch.setattr(type(tree), "exists", real)
        tree.replace(path, b"it")
        return real(self, path)

    monkeypatch.setattr(type(tree), "exists", exists)
    assert tree.read("models/a/head.json", 9) == b"it"
    assert tree.read("models/a/none.json", 9) is None


def test_a_record_that_is_gone_comes_back_from_a_copy_only(registry):
    for _ in range(2):
        registry.publish(draft(), FILES)
    (registry.tree.root / layout.version("digits-tiny", 1)).unlink()
    with pytest.raises(RegistryError) as caught:
        registry.record("digits-tiny@1")
    assert str(caught.value) == (
        f"models/digits-tiny/versions/1.json of {registry.tree.url}: it is missing; restore it "
        f"from a copy of the registry"
    )
