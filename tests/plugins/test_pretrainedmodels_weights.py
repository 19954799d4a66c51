"""Cadene's published weights: the same network as the library's, or no file at all."""

import dataclasses
import hashlib
import io
import re

import pytest
import torch

import zoo
from zoo.plugins.catalog import catalog

pytest.importorskip("pretrainedmodels")
from zoo_pretrainedmodels import networks
from zoo_pretrainedmodels.models import MODELS
from zoo_pretrainedmodels.weights import converted

THOUSAND = zoo.Task.multiclass([f"class {i}" for i in range(1000)])
TORCHVISION = [name for name, model in MODELS.items() if "pytorch.org" in model.host]
TORCHVISION += [name for name in MODELS if name.startswith("densenet")]


def context(tag="", size=64):
    return zoo.ArchitectureContext(3, (size, size), 1000, THOUSAND, pretrained=tag)


def given(name, tag=""):
    return catalog().get("architecture", f"pretrainedmodels/{name}").pretrained(context(tag))


def refused(name, tag=""):
    with pytest.raises(zoo.ZooError) as caught:
        given(name, tag)
    return str(caught.value)


def loaded(name, weights, size=64):
    """The network built here, with ``weights``: all of them, and no others."""
    network = networks.build(context(size=size), name)
    counters = {key for key in network.state_dict() if key.endswith("num_batches_tracked")}
    missing, unexpected = network.load_state_dict(weights, strict=False)
    assert set(missing) <= counters and not unexpected
    return network.eval()


def settled(network):
    """Statistics of a batch norm that has seen images, so that activations stay alive."""
    generator = torch.Generator().manual_seed(0)
    for key, value in network.state_dict().items():
        if key.endswith("running_mean"):
            value.normal_(0, 0.1, generator=generator)
        if key.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
    return network.eval()


@pytest.fixture
def publish(server, monkeypatch, tmp_path):
    """``publish(name, data)``: the server has ``data`` as the model's file; its name says so."""
    monkeypatch.setenv("ZOO_WEIGHTS_MIRROR", server.url(""))
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("ZOO_WEIGHTS", raising=False)

    def give(name, data, digits=None):
        digits = digits or hashlib.sha256(data).hexdigest()[:9]
        file = re.sub(r"-[0-9a-f]+\.pth$", f"-{digits}.pth", MODELS[name].file)
        model = dataclasses.replace(MODELS[name], file=file)
        monkeypatch.setitem(MODELS, name, model)
        path = model.host.removeprefix("https:/") + file
        server.give(path, data)
        return path

    return give


def saved(state):
    stream = io.BytesIO()
    torch.save(state, stream, _use_new_zipfile_serialization=False)  # as in 2018
    return stream.getvalue()


def test_xception_s_are_timm_s(publish, size=168):
    """The published file is the one of timm's legacy_xception."""
    timm = pytest.importorskip("timm")
    theirs = settled(timm.create_model("legacy_xception"))
    published = {
        key: value for key, value in theirs.state_dict().items() if "num_batches" not in key
    }
    publish("xception", saved(published))
    found = given("xception")
    assert (found.mean, found.std) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert (found.image_size, found.interpolation) == ((299, 299), "bilinear")
    images = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs(images)
        assert torch.equal(loaded("xception", found.weights, size)(images), expected)
    assert expected.std() > 1e-3


@pytest.mark.parametrize("name", ["squeezenet1_1", "densenet121", "bninception"])
def test_they_give_what_the_library_gives(name):
    """At the side it was made for; what it does to images is zoo's then."""
    library = settled(networks.library_network(name))
    published = {key: value.clone() for key, value in library.state_dict().items()}
    if name in TORCHVISION:
        published = of_torchvision(name, published)
    network = loaded(name, converted(name, published, "imagenet"), 224)
    images = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(one).view(1, 3, 1, 1) for one in MODELS[name].normalization)
    normalized = (images - mean) / std
    with torch.no_grad():
        found = network(normalized)
        if name == "bninception":
            blue_first = images.flip(1) * 255 - torch.tensor([104.0, 117, 128]).view(1, 3, 1, 1)
            expected = library(blue_first)
        else:
            expected = library(normalized).flatten(1)
    assert expected.std() > 1e-3
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


def of_torchvision(name, state):
    """The tensors of the network that the library takes apart, by torchvision's names; those of
    densenets by the older ones."""
    import torchvision.models

    make = getattr(torchvision.models, {"inceptionv3": "inception_v3"}.get(name, name))
    theirs = make(weights=None, **({"init_weights": False} if "v3" in name else {})).state_dict()
    found = dict(zip(theirs, state.values(), strict=True))
    return {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.", key): value
            for key, value in found.items()}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", TORCHVISION)
def test_every_name_of_torchvision_s_is_found(name):
    with torch.device("meta"):
        published = of_torchvision(name, networks.library_network(name).state_dict())
        expected = networks.build(context(), name).state_dict()
        weights = converted(name, published, "imagenet")
    assert {key: value.shape for key, value in weights.items()} == {
        key: value.shape for key, value in expected.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MODELS if name not in TORCHVISION])
def test_every_name_of_the_library_s_own_is_found(name):
    background = "imagenet+background" in MODELS[name].tags
    with torch.device("meta"):
        published = networks.library_network(name).state_dict()
        if background:
            features = published["last_linear.weight"].shape[1]
            published["last_linear.weight"] = torch.empty(1001, features)
            published["last_linear.bias"] = torch.empty(1001)
        expected = networks.build(context(), name).state_dict()
        found = converted(name, published, MODELS[name].tags[0])
    assert {key: value.shape for key, value in found.items()} == {
        key: value.shape for key, value in expected.items()
    }


def test_the_background_is_left_out_unless_asked_for():
    published = {
        "last_linear.weight": torch.arange(1001.0).view(-1, 1),
        "last_linear.bias": torch.arange(1001.0),
    }
    plain = converted("inceptionv4", published, "imagenet")
    assert plain["last_linear.weight"].shape == (1000, 1)
    assert plain["last_linear.bias"][0] == 1
    whole = converted("inceptionv4", published, "imagenet+background")
    assert whole["last_linear.bias"].tolist() == list(range(1001))


def test_an_unknown_tag_is_refused():
    assert refused("inceptionv4", "imagenet-background") == (
        "architecture 'pretrainedmodels/inceptionv4' has no pretrained weights "
        "'imagenet-background' (did you mean 'imagenet+background'?); expected 'imagenet' or "
        "'imagenet+background'"
    )


class Hostile:
    def __reduce__(self):
        return (print, ("it ran",))


def test_a_hostile_file_is_refused_and_runs_nothing(publish, capfd):
    data = saved({"conv1.weight": torch.zeros(1), "fc.bias": Hostile()})
    torch.load(io.BytesIO(data), weights_only=False)
    assert capfd.readouterr().out == "it ran\n"  # what the library does to such a file
    publish("xception", data)
    said = refused("xception")
    assert "is a pickle that asks for" in said
    assert "print', which no weights need; nothing of it was run" in said
    assert capfd.readouterr().out == ""


def test_another_file_than_the_published_one_is_refused(publish, tmp_path):
    publish("xception", saved({"fc.bias": torch.zeros(1000)}), digits="43020ad28")
    said = refused("xception")
    assert "43020ad28" in said
    assert list((tmp_path / "cache").rglob("*.pth")) == []


def test_the_library_s_own_download_is_never_called(publish, monkeypatch):
    from torch.utils import model_zoo

    monkeypatch.setattr(model_zoo, "load_url", lambda *_, **__: pytest.fail("it was called"))
    published = networks.library_network("squeezenet1_1").state_dict()
    path = publish("squeezenet1_1", saved(of_torchvision("squeezenet1_1", published)))
    assert path.startswith("/download.pytorch.org/models/squeezenet1_1-")
    loaded("squeezenet1_1", given("squeezenet1_1").weights)
