"""A version of one registry, published in another."""

import pytest
from drafts import draft, fields, weights

from zoo.errors import RegistryError, StorageError
from zoo.registry import layout
from zoo.registry.copying import copy
from zoo.registry.record import Draft
from zoo.registry.store import Registry

WEIGHTS = weights(b"weights")
FILES = {"model.safetensors": WEIGHTS, "README.md": lambda n: b'zoo.load("digits-tiny@%d")' % n}


@pytest.fixture
def other(tmp_path):
    return Registry.at(tmp_path / "other", "shared")


def ensemble(registry, *members):
    named = [
        {"model": one.model, "version": one.version, "digest": registry.digest(one)}
        for one in members
    ]
    plain = fields(model="both", ensemble={"method": "mean", "options": {}, "members": named})
    for key in ("preprocessing", "architecture", "plugin", "weights"):
        del plain[key]
    return Draft.of(**plain)


def test_it_is_the_same_record_to_the_byte(registry, other):
    first = registry.publish(draft(), FILES)
    second = registry.publish(draft(licence="MIT"), FILES)
    assert copy(registry, first, other) == first
    assert copy(registry, second, other) == second
    for record in (first, second):
        assert other.digest(record) == registry.digest(record)
        path = layout.version(record.model, record.version)
        assert (other.tree.root / path).read_bytes() == (registry.tree.root / path).read_bytes()
        assert other.read_file(record, "model.safetensors") == WEIGHTS
    assert other.record("digits-tiny") == second


def test_what_is_there_is_not_published_again(registry, other):
    record = registry.publish(draft(), FILES)
    for _ in range(2):
        copy(registry, record, other)
    assert other.versions("digits-tiny") == [1]


def test_where_its_number_is_taken_it_gets_the_next_and_its_card_says_so(registry, other):
    other.publish(draft(licence="MIT"), FILES)
    record = registry.publish(draft(), FILES)
    copied = copy(registry, record, other)
    assert copied.version == 2
    assert copied.licence == record.licence
    assert other.read_file(copied, "README.md") == b'zoo.load("digits-tiny@2")'
    assert copied.weights_sha256 == record.weights_sha256
    assert copy(registry, record, other) == copied
    assert other.versions("digits-tiny") == [1, 2]


def test_the_members_of_an_ensemble_come_along(registry, other):
    one = registry.publish(draft(), FILES)
    two = registry.publish(draft(model="second"), FILES)
    both = registry.publish(ensemble(registry, one, two), {"README.md": b"card"})
    assert copy(registry, both, other) == both
    assert other.models() == ["both", "digits-tiny", "second"]


def test_members_that_get_other_numbers_are_named_by_these(registry, other):
    other.publish(draft(licence="MIT"), FILES)
    one = registry.publish(draft(), FILES)
    both = registry.publish(ensemble(registry, one), {"README.md": b"card"})
    copied = copy(registry, both, other)
    member = copied.ensemble["members"][0]
    assert member["version"] == 2
    assert member["digest"] == other.digest(other.record("digits-tiny@2"))


def test_a_damaged_file_is_not_copied(registry, other):
    record = registry.publish(draft(), FILES)
    blob = registry.tree.root / layout.blob(record.weights_sha256)
    blob.chmod(0o644)
    blob.write_bytes(weights(b"weightS"))
    for _ in ("damaged", "missing"):
        with pytest.raises(StorageError) as caught:
            copy(registry, record, other)
        assert str(caught.value) == (
            f"model.safetensors of {record}, {str(blob)!r} is damaged or missing; restore it"
        )
        assert other.models() == []
        blob.unlink(missing_ok=True)


def test_a_card_tells_of_other_versions_as_before(registry, other):
    other.publish(draft(licence="MIT"), FILES)
    card = b"digits-tiny@1, made from digits-tiny@12, big-digits-tiny@1 and a.digits-tiny@1 "
    record = registry.publish(draft(), {**FILES, "README.md": card})
    copied = copy(registry, record, other)
    assert other.read_file(copied, "README.md") == card.replace(b"tiny@1,", b"tiny@2,")


def test_weights_that_nobody_may_read_are_not_passed_on(registry, other):
    record = registry.publish(draft(), {**FILES, "model.safetensors": b"PK\x03\x04 and so on"})
    with pytest.raises(StorageError) as caught:
        copy(registry, record, other)
    assert str(caught.value) == (
        f"model.safetensors of {record}, is no safetensors file but a zip archive, such as "
        f"torch.save writes"
    )
    assert other.models() == []


@pytest.mark.parametrize("taken", [False, True])
def test_a_file_that_changes_after_it_was_compared(registry, other, tmp_path, taken):
    """Whether the copy keeps its number or gets another."""
    if taken:
        other.publish(draft(licence="MIT"), FILES)
    before = other.models()
    record = registry.publish(draft(), FILES)
    changed = tmp_path / "changed"
    changed.write_bytes(weights(b"weightS"))

    class Changing(Registry):
        def bring_file(self, record, path, *rest):
            return changed if path == "model.safetensors" else super().bring_file(record, path)

    with pytest.raises(RegistryError) as caught:
        copy(Changing(registry.tree), record, other)
    assert str(caught.value) == f"{record}: its files are not those that its record names"
    assert other.models() == before
    assert not taken or other.versions("digits-tiny") == [1]


def test_into_itself(registry):
    record = registry.publish(draft(), FILES)
    with pytest.raises(RegistryError) as caught:
        copy(registry, record, Registry.at(registry.tree.root, "again"))
    assert str(caught.value) == (
        f"model 'digits-tiny' version 1 is in registry 'again' ({registry.tree.root}) already; "
        f"choose another registry with --to"
    )


def test_versions_that_differ_in_their_cards_alone_are_two(registry, other):
    texts = {number: b"card %d" % number for number in (1, 2, 3)}
    made = [
        registry.publish(draft(), {**FILES, "README.md": texts[number]}) for number in (1, 2, 3)
    ]
    assert copy(registry, made[0], other).version == 1
    copied = copy(registry, made[2], other)
    assert copied.version == 2
    assert other.read_file(copied, "README.md") == b"card 3"
    assert copy(registry, made[2], other) == copied


def test_what_is_damaged_there_is_mended(registry, other):
    record = registry.publish(draft(), FILES)
    copy(registry, record, other)
    blob = other.tree.root / layout.blob(record.weights_sha256)
    blob.chmod(0o644)
    for damage in (b"other", None):
        blob.unlink()
        if damage is not None:
            blob.write_bytes(damage)
        assert copy(registry, record, other) == record
        assert other.read_file(record, "model.safetensors") == registry.read_file(
            record, "model.safetensors"
        )
