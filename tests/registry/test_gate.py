"""What may be published."""

import pytest
import torch
from drafts import PREPROCESSING
from torch import nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import PluginError, RegistryError, StorageError
from zoo.registry import gate
from zoo.storage import tensors

PROBED = Preprocessing.from_json(PREPROCESSING)


@pytest.fixture
def check(catalog, tmp_path):
    def run(draft, files):
        paths = {}
        for path, data in files.items():
            paths[path] = tmp_path / path
            paths[path].write_bytes(data)
        gate.check_version(draft, paths, catalog)

    return run


def changed(files, path, change):
    held = {name: tensor.clone() for name, tensor in tensors.from_bytes(files[path]).items()}
    change(held)
    return {**files, path: tensors.to_bytes(held)}


@pytest.mark.parametrize("architecture", ["tiny", "computing", "attribute"])
def test_what_was_trained_passes(trained, check, architecture):
    draft, _, files = trained(architecture)
    check(draft, files)


def test_the_probe_is_of_random_pixels_and_leaves_the_network_alone(trained):
    _, network, _ = trained()
    network.train()
    network[1].eval()  # as a frozen norm would be
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    probe = gate.make_probe(network, PROBED)
    assert probe["images"].shape == (4, 4, 5, 1)
    assert probe["images"].dtype == torch.uint8
    assert len(probe["images"].unique()) > 40
    assert probe["logits"].shape == (4, 3)
    assert network.training
    assert not network[1].training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
        assert not tensor.is_inference()
    again = gate.make_probe(network, PROBED)
    assert tensors.to_bytes(again) == tensors.to_bytes(probe)


def test_another_answer_is_refused(trained, check):
    draft, _, files = trained()
    with pytest.raises(RegistryError) as caught:
        check(draft, changed(files, "model.safetensors", lambda t: t["3.bias"].add_(0.01)))
    assert str(caught.value) == (
        "model 'digits-tiny': the network built from the record differs by 0.01 from the one that "
        "was trained; its options, or its weights, are not those that were trained"
    )
    check(draft, changed(files, "model.safetensors", lambda t: t["3.bias"].add_(1e-5)))


def test_another_preprocessing_is_refused(trained, check):
    draft, _, files = trained()
    draft.preprocessing["mean"] = [0.4]
    with pytest.raises(RegistryError, match="differs by"):
        check(draft, files)


def test_other_options_are_refused(trained, check):
    draft, _, files = trained()
    draft.architecture["options"]["hidden"] = 4
    with pytest.raises(RegistryError, match="do not fit the network"):
        check(draft, files)


def test_sizes_that_differ_are_refused(trained, check):
    draft, _, files = trained()
    draft.architecture["image_size"] = [5, 4]
    with pytest.raises(RegistryError, match="architecture and preprocessing differ"):
        check(draft, files)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("path", ["model.safetensors", "probe.safetensors"])
def test_numbers_that_are_not_finite_are_refused(trained, check, value, path):
    draft, _, files = trained()
    name = "3.bias" if path == "model.safetensors" else "logits"
    with pytest.raises(StorageError) as caught:
        check(draft, changed(files, path, lambda t: t[name].fill_(value)))
    assert str(caught.value) == (
        f"model 'digits-tiny': {path}: tensor {name!r} holds numbers that are not finite"
    )


@pytest.mark.parametrize("path", ["model.safetensors", "probe.safetensors"])
def test_files_that_are_missing_or_damaged(trained, check, path):
    draft, _, files = trained()
    with pytest.raises(RegistryError, match=f"a version needs the file '{path}'"):
        check(draft, {name: data for name, data in files.items() if name != path})
    with pytest.raises(StorageError, match="its header declares"):
        check(draft, {**files, path: files[path][:-1]})


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.pop("images"),
        lambda t: t.pop("logits"),
        lambda t: t.update(images=t["images"].float()),
        lambda t: t.update(images=t["images"][:, :3].contiguous()),
        lambda t: t.update(images=t["images"][:0]),
        lambda t: t.update(logits=t["logits"][:, :2].contiguous()),
    ],
)
def test_probes_that_are_none(trained, check, change):
    draft, _, files = trained()
    with pytest.raises(RegistryError, match="model 'digits-tiny': the "):
        check(draft, changed(files, "probe.safetensors", change))


def test_a_path_of_the_machine_is_refused(trained, check):
    draft, _, files = trained(recipe={"dataset": {"root": "/home/someone/data"}})
    with pytest.raises(RegistryError) as caught:
        check(draft, files)
    assert str(caught.value) == (
        "recipe.dataset.root: '/home/someone/data' is a path of this machine, which no record may "
        "hold; change it in the run's recipe.toml"
    )


def test_a_network_that_fails_on_images(trained):
    network = nn.Linear(3, 3)
    with pytest.raises(PluginError, match="the network fails on a batch of images: RuntimeError"):
        gate.make_probe(network, PROBED)
