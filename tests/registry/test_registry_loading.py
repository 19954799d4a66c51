"""From a reference to a network with exactly the published weights."""

import pytest
import torch
from drafts import TASK, draft
from torch import nn

from zoo.errors import PluginError, RegistryError, StorageError
from zoo.plugins.catalog import Catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.plugins.specs import ArchitectureSpec
from zoo.registry import guards
from zoo.registry.loading import build_network, check_fit, load, network_with, state_problems
from zoo.storage import tensors


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    (tmp_path / "registry.toml").write_text(
        'default = "local"\n[registry.local]\nurl = "registry"\n[registry.empty]\nurl = "empty"\n'
    )
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "architecture", ["tiny", "computing", "attribute", "nested", "alias", "tied", "complex"]
)
def test_round_trip(published, catalog, architecture):
    record, network = published(architecture)
    before = torch.get_rng_state()
    model = load("digits-tiny@1", device="cpu", catalog=catalog)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.record == record
    assert (model.name, model.version, model.task) == ("digits-tiny", 1, TASK)
    assert not any(module.training for module in model.network.modules())
    for name, tensor in network.state_dict().items():
        assert torch.equal(model.network.state_dict()[name], tensor)
    images = torch.randn(2, 1, 4, 5)
    with torch.inference_mode():
        assert torch.allclose(model.network(images), network.eval()(images), atol=1e-6)


def test_references_and_registries(published, registry, catalog):
    record, _ = published()
    for text in ("digits-tiny", f"digits-tiny@sha256:{registry.digest(record)}"):
        assert load(text, device="cpu", catalog=catalog).version == 1
    assert load("local:digits-tiny", "local", "cpu", catalog=catalog).version == 1
    with pytest.raises(RegistryError, match="is not in registry 'empty'"):
        load("digits-tiny", registry="empty", device="cpu", catalog=catalog)
    with pytest.raises(RegistryError, match="names another registry than 'empty'"):
        load("local:digits-tiny", registry="empty", device="cpu", catalog=catalog)


def test_damaged_weights_are_not_loaded(published, registry, catalog):
    record, _ = published()
    digest = record.weights_sha256
    blob = registry.tree.root / "blobs/sha256" / digest[:2] / digest
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.unlink()
    blob.write_bytes(bytes(data))
    with pytest.raises(StorageError, match="is damaged: its sha256 is not"):
        load("digits-tiny", device="cpu", catalog=catalog)


def test_weights_that_are_no_numbers_are_not_loaded(registry, trained, catalog):
    """The gate refuses them; but not everybody publishes by way of it."""
    one, network, files = trained()
    network[3].bias.data[1] = float("nan")
    files["model.safetensors"] = tensors.to_bytes(network.state_dict())
    registry.publish(one, files)
    with pytest.raises(StorageError) as caught:
        load("digits-tiny", device="cpu", catalog=catalog)
    assert str(caught.value) == (
        "the weights of model 'digits-tiny' version 1: tensor '3.bias' holds numbers that are not "
        "finite"
    )


def test_a_missing_plugin_names_the_command(published):
    published()
    with pytest.raises(RegistryError) as caught:
        load("digits-tiny", device="cpu", catalog=Catalog([]))
    assert str(caught.value) == (
        "architecture 'tiny': the record says that it comes from zoo-fake 1.2, which is not "
        "installed; only if you trust that package, type: pip install zoo-fake==1.2"
    )


@pytest.mark.parametrize("chosen", ["medical", "zoo-medical, trackers"])
def test_a_plugin_that_the_environment_leaves_out_is_not_called_uninstalled(monkeypatch, chosen):
    one = draft()
    one.plugin.update(distribution="zoo-basics", version="0.1.0")
    monkeypatch.setenv("ZOO_PLUGINS", chosen)
    with pytest.raises(RegistryError) as caught:
        build_network(one.architecture, TASK, Catalog([]), one.plugin)
    assert str(caught.value) == (
        f"architecture 'tiny': the record says that it comes from zoo-basics 0.1.0, which "
        f"ZOO_PLUGINS={chosen} leaves out; add zoo-basics to it, or unset it"
    )
    for other in ("", "basics", "medical,zoo-basics"):  # none of these leaves it out
        monkeypatch.setenv("ZOO_PLUGINS", other)
        with pytest.raises(RegistryError, match="only if you trust that package"):
            build_network(one.architecture, TASK, Catalog([]), one.plugin)


def test_another_version_of_the_plugin(catalog):
    one = draft()
    one.architecture["name"] = "gone"
    one.plugin["version"] = "1.1"
    with pytest.raises(RegistryError) as caught:
        build_network(one.architecture, TASK, catalog, one.plugin)
    assert str(caught.value) == (
        "architecture 'gone': the record says that it comes from zoo-fake 1.1, which is installed "
        "as 1.2, without it; only if you trust that package, type: pip install zoo-fake==1.1"
    )


def test_a_network_that_fails_to_build(catalog):
    with pytest.raises(PluginError, match="failed to build: RuntimeError: no luck"):
        network_with({}, {**draft().architecture, "name": "failing"}, TASK, catalog, what="x")


def test_pretrained_is_never_asked_for(catalog):
    architecture = {**draft().architecture, "options": {"hidden": 3, "pretrained": True}}
    build_network(architecture, TASK, catalog)


def test_huge_options_cost_no_memory(trained, catalog):
    _, network, _ = trained()
    architecture = {**draft().architecture, "options": {"hidden": 10**10}}
    with pytest.raises(RegistryError, match="do not fit the network"):
        network_with(network.state_dict(), architecture, TASK, catalog, what="model 'x'")


def test_without_the_traces_tensors_would_be_left_without_values(trained, catalog, monkeypatch):
    """The negative control of the round trip."""
    one, network, _ = trained("nested")
    given = (network.state_dict(), one.architecture, TASK, catalog)
    monkeypatch.setattr(guards.Traces, "empty", lambda self: True)
    scale = network_with(*given, what="x").scales[0]["a"][0]
    assert scale.is_meta
    monkeypatch.undo()
    assert network_with(*given, what="x").scales[0]["a"][0].item() == 2.0


def test_a_lazy_layer_is_refused(catalog):
    architecture = {**draft().architecture, "name": "lazy"}
    with pytest.raises(PluginError) as caught:
        network_with({}, architecture, TASK, catalog, what="model 'x'")
    assert str(caught.value) == (
        "model 'x': the network leaves the shape of '1.weight' open (a lazy layer), so its weights "
        "could not be loaded again; the plugin has to give that layer its sizes"
    )


FAR = "its options make a network far larger than its 6 tensors of weights"


@pytest.mark.parametrize(
    ("name", "options"), [("deep", {"hidden": 10**9}), ("heavy", {"hidden": 10**8})]
)
def test_a_network_far_larger_than_its_weights_is_not_built(name, options, trained, catalog):
    weights = {str(i): torch.zeros(1) for i in range(6)}
    architecture = {**draft().architecture, "name": name, "options": options}
    with pytest.raises(RegistryError, match=FAR):
        network_with(weights, architecture, TASK, catalog, what="model 'x'")
    nn.Sequential(*(nn.Linear(1, 1) for _ in range(10_000)))  # the guard ends with the loading


def test_state_problems(trained):
    _, network, _ = trained()
    weights = network.state_dict()
    assert state_problems(network, weights) == []
    weights["0.weight"] = torch.zeros(3, 1, 2, 2)
    weights["0.bias"] = weights["0.bias"].double()
    weights["extra"] = torch.zeros(1)
    del weights["3.bias"]
    assert state_problems(network, weights) == [
        "'3.bias' is missing",
        "'extra' is unexpected",
        "'0.weight' is float32 (3, 1, 2, 2), expected float32 (3, 1, 1, 1)",
        "'0.bias' is float64 (3,), expected float32 (3,)",
    ]
    with pytest.raises(RegistryError) as caught:
        check_fit(network, weights, "model 'x' version 1")
    assert str(caught.value) == (
        "the weights of model 'x' version 1 do not fit the network: '3.bias' is missing "
        "(and 3 more); the plugin's version may differ from the one it was trained with"
    )


def test_filling_is_left_out_only_where_there_are_no_values():
    made = guards.Traces()
    with made, torch.device("meta"):
        empty = torch.nn.Linear(2, 2)
        filled = torch.nn.init.constant_(torch.empty(2, device="cpu"), 3.0)
        assert torch.nn.init.kaiming_uniform_(empty.weight) is empty.weight
        assert empty.bias.data.normal_().is_meta
    assert filled.tolist() == [3.0, 3.0]


def hollow(context, *, hidden: int = 3):
    return nn.Sequential(*(nn.ReLU() for _ in range(hidden)))


def nested(context, *, hidden: int = 3):
    network = nn.Linear(1, 1)
    for _ in range(hidden):
        network = nn.Sequential(network)
    return network


@pytest.mark.parametrize(
    ("build", "hidden", "what"),
    [(hollow, 10**9, FAR), (nested, 5000, "whose layers are nested too deep")],
)
def test_layers_that_hold_nothing_are_counted_too(build, hidden, what):
    component = ArchitectureSpec(name="x", build=build, summary="for tests")
    catalog = Catalog([Loaded(Plugin("fake", "zoo-fake", "1.2"), (component,))])
    weights = {str(i): torch.zeros(1) for i in range(6)}
    architecture = {**draft().architecture, "name": "x", "options": {"hidden": hidden}}
    plain = nn.Module.__init__
    with pytest.raises(RegistryError, match=what):
        network_with(weights, architecture, TASK, catalog, what="model 'x'")
    assert nn.Module.__init__ is plain
