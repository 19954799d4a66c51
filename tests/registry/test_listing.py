"""Rows for lists, also of registries that are partly damaged."""

from drafts import draft

from zoo.registry.listing import Row, rows
from zoo.registry.look import Look

FILES = {"model.safetensors": b"weights"}


def test_rows(registry):
    record = registry.publish(draft(), FILES)
    registry.publish(draft(model="bare", metrics={}), FILES)
    listing = rows(registry)
    found, problems = listing.rows, listing.problems
    assert problems == []
    bare, digits = found
    assert digits == Row(
        "digits-tiny", 1, "multiclass", "tiny", "digits", ("test", "accuracy", 0.75), record.created
    )
    assert digits.as_json()["metric"] == {"split": "test", "name": "accuracy", "value": 0.75}
    assert bare.metric is None
    assert bare.as_json()["metric"] is None


def test_a_record_that_cannot_be_read_costs_one_line(registry):
    registry.publish(draft(), FILES)
    registry.publish(draft(), FILES)
    registry.publish(draft(model="other"), FILES)
    registry.publish(draft(model="newer"), FILES)
    (registry.tree.root / "models/digits-tiny/versions/2.json").write_bytes(b"{")
    newer = registry.tree.root / "models/newer/versions/1.json"
    newer.write_bytes(newer.read_bytes().replace(b'"format":1', b'"format":9'))
    listing = rows(registry)
    found, problems = listing.rows, listing.problems
    assert [(row.name, row.latest) for row in found] == [("digits-tiny", 1), ("other", 1)]
    assert len(problems) == 2
    assert problems[0].startswith("the record of model 'digits-tiny' version 2 is not the JSON")
    assert "'newer' version 1 has format 9" in problems[1]


def test_a_head_that_promises_a_million_versions_costs_twenty_looks(registry, monkeypatch):
    registry.publish(draft(), FILES)
    monkeypatch.setattr(Look, "newest", 999_999)
    listing = rows(registry)
    assert listing.rows == []
    assert len(listing.problems) == 20
    assert listing.problems[0].startswith("models/digits-tiny/versions/999999.json of ")
