"""The one way by which versions are published: networks, and ensembles of them."""

import json

import pytest
import torch
from drafts import METRICS, fields

from zoo.errors import RegistryError
from zoo.registry import ensemble as ensembles
from zoo.registry import loading
from zoo.registry.cards.card_text import CardText
from zoo.registry.fresh import FreshProcess
from zoo.registry.listing import rows
from zoo.registry.members import Handed, members_of
from zoo.registry.record import Draft
from zoo.registry.release import release
from zoo.storage import tensors

TEXT = CardText("mit", "a test")
FIGURES = {"test": {**METRICS["test"], "samples": 10}}


@pytest.fixture
def ensemble(published, registry):
    """A draft that combines two published versions."""
    members = []
    for _ in range(2):
        record, _ = published()
        digest = registry.digest(record)
        members.append({"model": record.model, "version": record.version, "digest": digest})
    given = fields(
        model="both",
        ensemble={"method": "mean", "options": {"average": "geometric"}, "members": members},
        recipe={},
        metrics={"test": {"accuracy": 0.75}},
    )
    for key in ("preprocessing", "architecture", "plugin", "weights"):
        del given[key]
    return Draft.of(**given)


@pytest.fixture
def combined(ensemble, registry, catalog, monkeypatch):
    """What it is, put together; the gate finds the plugin, too."""
    monkeypatch.setattr("zoo.plugins.catalog.catalog", lambda: catalog)
    handed, cpu = Handed.taken(registry, ensemble), torch.device("cpu")
    members = members_of(ensemble, handed, cpu, catalog, "here")
    return ensembles.Combined(
        ensemble.task, members, ensembles.rule_of(ensemble, {}, members, "here"), "here"
    )


def test_an_ensemble_is_published_with_its_members_by_digest(ensemble, combined, registry):
    with FreshProcess() as fresh:
        done = release(registry, ensemble, {}, TEXT, FIGURES, network=combined, fresh=fresh)
    record = registry.record("both@1")
    assert record == done.record and record.made_of == "ensemble of 2 (mean)"
    assert [file["path"] for file in record.files] == [
        "README.md", "confusion-test.png", "metrics/test.json", "probe.safetensors",
    ]  # fmt: skip
    assert json.loads(registry.read_file(record, "metrics/test.json")) == FIGURES["test"]
    card = registry.read_file(record, "README.md").decode()
    for one in record.ensemble["members"]:
        assert f"| member | digits-tiny@{one['version']} | sha256:{one['digest']} |" in card
    assert {row.name: row.architecture for row in rows(registry).rows} == {
        "both": "ensemble of 2 (mean)", "digits-tiny": "tiny",
    }  # fmt: skip


def test_numbers_of_an_ensemble_are_finite(ensemble, combined, registry):
    held = {ensembles.RULE: tensors.to_bytes({"w": torch.tensor(float("inf"))})}
    with FreshProcess() as fresh, pytest.raises(Exception, match="'w' holds numbers that are not"):
        release(registry, ensemble, held, TEXT, FIGURES, network=combined, fresh=fresh)
    assert "both" not in registry.models()


def test_an_ensemble_that_answers_otherwise_is_refused(ensemble, combined, registry, monkeypatch):
    combined.members[0].network[3].bias.data[0] += 0.01
    with FreshProcess() as fresh, pytest.raises(RegistryError, match="differs by 0"):
        release(registry, ensemble, {}, TEXT, FIGURES, network=combined, fresh=fresh)
    assert "both" not in registry.models()


def test_what_has_no_network_is_not_loaded_as_one(
    ensemble, combined, registry, monkeypatch, tmp_path
):
    with FreshProcess() as fresh:
        release(registry, ensemble, {}, TEXT, FIGURES, network=combined, fresh=fresh)
    (tmp_path / "registry.toml").write_text(
        'default = "local"\n[registry.local]\nurl = "registry"\n'
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RegistryError) as caught:
        loading.read("both")
    assert str(caught.value) == (
        "model 'both' version 1 is an ensemble of 2 (mean), and has no network of its own"
    )


def test_nothing_is_written_for_an_incomplete_card(ensemble, combined, registry):
    before = sorted(registry.tree.root.rglob("*"))
    with FreshProcess() as fresh, pytest.raises(RegistryError, match="says a licence"):
        release(registry, ensemble, {}, CardText("", "x"), FIGURES, network=combined, fresh=fresh)
    with FreshProcess() as fresh, pytest.raises(RegistryError, match="which no card may hold"):
        told = CardText("mit", "x", description="use AKIAIOSFODNN7EXAMPLE")
        release(registry, ensemble, {}, told, FIGURES, network=combined, fresh=fresh)
    assert sorted(registry.tree.root.rglob("*")) == before
