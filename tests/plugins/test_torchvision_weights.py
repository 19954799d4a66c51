"""torchvision's published weights, from a server of one's own: whole, renamed, or refused."""

from __future__ import annotations

import hashlib
import io
import re
from urllib.parse import urlsplit

import pytest
import torch
from zoo_torchvision import facts, networks

import zoo
from zoo.errors import DataError, StorageError
from zoo.plugins.catalog import catalog
from zoo.tasks import Task

TASK = Task.multiclass(["a", "b"])


@pytest.fixture
def publish(server, monkeypatch, tmp_path):
    """``publish(name, state, tag)``: a mirror has that file, and the facts its hash."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("ZOO_WEIGHTS_MIRROR", server.url("/"))
    monkeypatch.delenv("ZOO_WEIGHTS", raising=False)

    def give(name, state, tag=None):
        buffer = io.BytesIO()
        torch.save(state, buffer)
        tags = facts.table()[name]["tags"]
        tag = tag or next(iter(tags))
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        monkeypatch.setitem(tags[tag], "sha256", digest[:8])
        parts = urlsplit(tags[tag]["url"])
        server.give(f"/{parts.netloc}{parts.path}", buffer.getvalue())
        return f"/{parts.netloc}{parts.path}"

    return give


def state_of(name, outputs=1000, seed=0, **more):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return networks.bare(name, outputs, **more).state_dict()


def offered(name, tag="", size=(64, 64)):
    component = catalog().get("architecture", f"torchvision/{name}")
    return component.pretrained(zoo.ArchitectureContext(3, size, 2, TASK, tag))


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_the_default_ones_and_those_of_a_tag(publish, server):
    given = state_of("squeezenet1_1")
    path = publish("squeezenet1_1", given)
    found = offered("squeezenet1_1")
    assert same(found.weights, given)
    assert (found.tag, found.image_size, found.interpolation) == (
        "IMAGENET1K_V1", (224, 224), "bilinear",
    )  # fmt: skip
    assert (found.mean, found.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert offered("squeezenet1_1", "DEFAULT").tag == "IMAGENET1K_V1"
    assert server.asked == [path]
    with pytest.raises(zoo.ZooError) as caught:
        offered("squeezenet1_1", "IMAGENET1K_V2")
    assert str(caught.value) == (
        "architecture 'torchvision/squeezenet1_1' has no weights 'IMAGENET1K_V2' (did you mean "
        "'IMAGENET1K_V1'?); expected one of DEFAULT, IMAGENET1K_V1"
    )


def test_names_of_older_files_become_todays(publish):
    new = state_of("densenet121")
    old = {
        re.sub(r"(denselayer\d+\.\w+?)([12])\.", r"\1.\2.", key): one for key, one in new.items()
    }
    assert not same(old, new)
    publish("densenet121", old)
    assert same(offered("densenet121").weights, new)
    mnasnet = state_of("mnasnet0_5")
    publish("mnasnet0_5", mnasnet)
    assert same(offered("mnasnet0_5").weights, mnasnet)


def test_auxiliary_heads_are_unused_and_the_images_normalized_as_theirs(publish):
    given = state_of("googlenet", auxiliary=True)
    publish("googlenet", given)
    found = offered("googlenet")
    assert same(found.weights, given)
    assert (found.mean, found.std) == ((0.5,) * 3, (0.5,) * 3)


def test_positions_of_a_transformer_fit_the_images(publish):
    given = state_of("vit_b_32")
    old = {re.sub(r"mlp\.([03])\.", lambda m: f"mlp.linear_{1 + int(m[1]) // 3}.", key): one
           for key, one in given.items()}  # fmt: skip
    assert not same(old, given)
    publish("vit_b_32", old)
    assert same(offered("vit_b_32", size=(224, 224)).weights, given)
    small = offered("vit_b_32", size=(64, 64)).weights
    assert small["encoder.pos_embedding"].shape == (1, 5, 768)


def test_weights_of_another_network_are_refused(publish):
    publish("squeezenet1_1", state_of("squeezenet1_1", outputs=7))
    with pytest.raises(zoo.ZooError) as caught:
        offered("squeezenet1_1")
    said = str(caught.value)
    assert said.startswith(
        "architecture 'torchvision/squeezenet1_1': its published weights IMAGENET1K_V1 do not fit "
        "torchvision's own network: size mismatch for classifier.1."
    )
    assert "\n" not in said


def test_another_file_is_refused_and_nothing_kept(publish, tmp_path, monkeypatch):
    publish("squeezenet1_1", state_of("squeezenet1_1"))
    entry = facts.table()["squeezenet1_1"]["tags"]["IMAGENET1K_V1"]
    monkeypatch.setitem(entry, "sha256", "00000000")
    with pytest.raises(DataError, match="expected one that begins with 00000000"):
        offered("squeezenet1_1")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_pickle_is_refused(publish, tmp_path):
    publish("squeezenet1_1", {"features.0.weight": tmp_path})
    with pytest.raises(StorageError, match="is a pickle that asks for"):
        offered("squeezenet1_1")
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def test_a_run_from_published_weights(publish, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    publish("squeezenet1_1", state_of("squeezenet1_1"))
    run = zoo.train(
        {
            "dataset": {"name": "digits"},
            "architecture": {"name": "torchvision/squeezenet1_1", "pretrained": True},
            "data": {"size": 32, "channels": 3, "normalize": "pretrained"},
            "split": {"fraction": 0.02},
            "training": {"epochs": 1, "threads": 1, "device": "cpu"},
        }
    )
    said = run.info["initialized"]
    assert said["counts"] == {"loaded": 50, "adapted": 0, "new": 2, "unused": 0}
    assert said["source"] == "pretrained:IMAGENET1K_V1"
    assert [part["why"] for part in said["parts"] if part["what"] == "new"] == [
        "the head: the source has 1000 outputs"
    ]
    assert run.info["preprocessing"]["mean"] == [0.485, 0.456, 0.406]
