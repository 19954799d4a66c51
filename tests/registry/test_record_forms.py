"""What a record may say beside a network's own: an ensemble, parents, intervals, a source."""

import hashlib
import json

import pytest
from drafts import draft, fields

from zoo.errors import RegistryError
from zoo.registry.record import Draft, Record, division

FILE = {"path": "model.safetensors", "sha256": "a" * 64, "size": 3}
MEMBER = {"model": "one", "version": 2, "digest": "b" * 64}
ENSEMBLE = {"method": "mean", "options": {"of": "probabilities"}, "members": [MEMBER, MEMBER]}
SOURCE = {"kind": "imported", "sha256": "c" * 64, "format": "torch"}
NETWORK = ("preprocessing", "architecture", "plugin", "weights")


def bare(**changes):
    """The fields without a network's own."""
    given = fields(**changes)
    for key in NETWORK:
        given.pop(key)
    return given


def record(**changes):
    first = {"version": 1, "prev": None, "created": "2026-01-02T03:04:05Z", "files": [FILE]}
    return Record.of(**fields(**changes), **first)


def said(call, *arguments, **given):
    with pytest.raises(RegistryError) as caught:
        call(*arguments, **given)
    return str(caught.value).removeprefix("the record of model 'digits-tiny' is not one of zoo's: ")


def test_an_ensemble_has_no_network_of_its_own():
    one = Draft.of(**bare(ensemble=ENSEMBLE))
    assert [getattr(one, key) for key in NETWORK] == [None] * 4
    assert one.made_of == "ensemble of 2 (mean)"
    plain = json.loads(one.to_bytes())
    assert not plain.keys() & set(NETWORK)
    assert plain["ensemble"] == ENSEMBLE
    back = Record.of(**one.model_dump(mode="json"), version=1, prev=None,
                     created="2026-01-02T03:04:05Z", files=[FILE])  # fmt: skip
    assert Record.from_bytes(back.to_bytes(), "x") == back
    with pytest.raises(RegistryError) as caught:
        back.require_network("x")
    assert str(caught.value) == "x is an ensemble of 2 (mean), and has no network of its own"
    record().require_network("x")


@pytest.mark.parametrize("key", NETWORK)
def test_exactly_one_of_the_two_forms(key):
    given = bare(ensemble=ENSEMBLE)
    given[key] = fields()[key]
    assert said(Draft.of, **given) == f"{key}: an ensemble has none; its members have"
    given = fields()
    del given[key]
    assert said(Draft.of, **given) == f"{key}: field required, for there is no ensemble"


HOSTILE = {
    "no members": {"ensemble": {**ENSEMBLE, "members": []}},
    "too many members": {"ensemble": {**ENSEMBLE, "members": [MEMBER] * 1001}},
    "a member's path": {"ensemble": {**ENSEMBLE, "members": [{**MEMBER, "model": "../x"}]}},
    "a member's digest": {"ensemble": {**ENSEMBLE, "members": [{**MEMBER, "digest": "b"}]}},
    "a member without a version": {"ensemble": {**ENSEMBLE, "members": [{"model": "x"}]}},
    "a member's url": {"ensemble": {**ENSEMBLE, "members": [{**MEMBER, "url": "http://x"}]}},
    "no method": {"ensemble": {"options": {}, "members": [MEMBER]}},
    "a parent's kind": {"parents": [{**MEMBER, "kind": "stolen_from"}]},
    "a parent's name": {"parents": [{**MEMBER, "kind": "initialized_from", "model": "A\x1b"}]},
    "too many parents": {"parents": [{**MEMBER, "kind": "averaged_from"}] * 1001},
    "intervals of no split": {"intervals": {"val2": {"accuracy": [0.1, 0.2, 0.95]}}},
    "intervals of no figure": {"intervals": {"test": {"magic": [0.1, 0.2, 0.95]}}},
    "intervals of what is undefined": {"intervals": {"test": {"f1": [0.1, 0.2, 0.95]}}},
    "intervals upside down": {"intervals": {"test": {"accuracy": [0.2, 0.1, 0.95]}}},
    "intervals of two numbers": {"intervals": {"test": {"accuracy": [0.1, 0.2]}}},
    "a level of 1": {"intervals": {"test": {"accuracy": [0.1, 0.2, 1.0]}}},
    "a level of text": {"intervals": {"test": {"accuracy": [0.1, 0.2, "0.95"]}}},
    "temperature 0": {"calibration": {"method": "temperature", "temperature": 0.0}},
    "temperature huge": {"calibration": {"method": "temperature", "temperature": 1e300}},
    "calibration unknown": {"calibration": {"method": "magic", "temperature": 1.0}},
    "source of trained weights": {"source": SOURCE},
    "imported from nowhere": {"weights": "imported"},
    "source unknown": {"weights": "imported", "source": {**SOURCE, "kind": "found"}},
    "no fingerprint": {"data": {"dataset": "digits", "splits": {}}},
    "another division": {"data": {**fields()["data"], "division": "d" * 64}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_parts(name):
    given = bare(**HOSTILE[name]) if "ensemble" in HOSTILE[name] else fields(**HOSTILE[name])
    text = said(Draft.of, **given)
    assert text.isprintable() and len(text) < 400


@pytest.mark.parametrize("key", ["ensemble", "parents", "source", "intervals", "calibration"])
def test_absent_is_said_in_one_way(key):
    assert key not in json.loads(draft(**{key: None}).to_bytes())
    plain = {**json.loads(record().to_bytes()), key: None}
    data = json.dumps(plain).encode()
    with pytest.raises(RegistryError) as caught:
        Record.from_bytes(data, "x")
    assert str(caught.value).endswith(f"is not one of zoo's: {key}: null; leave it out")


def test_what_an_old_record_said_is_the_same_bytes():
    """Nothing of what is optional is added to a record that came without it."""
    data = record().to_bytes()
    plain = json.loads(data)
    assert set(plain) == {*fields(), "format", "version", "prev", "created", "files"}
    assert Record.from_bytes(data, "x").to_bytes() == data


def test_lineage_and_calibration_and_intervals():
    parents = [{"kind": "initialized_from", **MEMBER}]
    intervals = {"test": {"accuracy": [0.7, 0.8, 0.95]}, "val": {"accuracy": [0.5, 0.9, 0.9]}}
    calibration = {"method": "temperature", "temperature": 1.5}
    one = record(parents=parents, intervals=intervals, calibration=calibration)
    back = Record.from_bytes(one.to_bytes(), "x")
    assert (back.parents, back.intervals, back.calibration) == (parents, intervals, calibration)
    assert back == one


def test_imported_weights_have_no_training_data_that_zoo_saw():
    one = draft(weights="imported", source=SOURCE, recipe={}, metrics={},
                data={"dataset": "unknown", "splits": {}})  # fmt: skip
    assert one.source == SOURCE and "fingerprint" not in one.data


def test_the_division_says_which_ids_are_where():
    splits = fields()["data"]["splits"]
    same = division({name: {**split, "samples": 3} for name, split in splits.items()})
    assert division(splits) == same
    swapped = {"train": splits["test"], "test": splits["train"]}
    assert division(swapped) != division(splits)
    assert division({"train": splits["train"]}) != division(splits)
    data = {**fields()["data"], "division": division(splits)}
    assert draft(data=data).data["division"] == division(splits)
    written = b'{"test":"u","train":"t"}\n'  # so that others can compute it, too
    assert division(splits) == hashlib.sha256(written).hexdigest()
