"""A network of timm's, pushed to the Hub, is one that timm itself loads."""

import json
import sys

import pytest
import torch
from drafts import draft

from zoo.data.preprocessing import Preprocessing
from zoo.errors import RegistryError
from zoo.registry import gate
from zoo.registry.calibrated import calibrated
from zoo.registry.cards.card import CardText, render_card
from zoo.registry.hub import form as hub_form
from zoo.registry.hub import push as hub_push
from zoo.registry.hub.push import push
from zoo.registry.hub.repository import Address
from zoo.storage import tensors
from zoo.tasks import Task

timm = pytest.importorskip("timm")
pytest_plugins = ["hub_fixtures"]


def preprocessing(size, channels, **changes):
    return {
        "size": list(size), "channels": channels, "mean": [0.4] * channels,
        "std": [0.3] * channels, "resize": "bilinear", **changes,
    }  # fmt: skip


@pytest.fixture
def published(local):
    """Publish a network of timm's, as a plugin for it would have been trained."""

    def publish(name, size=(32, 32), channels=3, task=None, seen=None, calibration=None, **options):
        task = task or Task.multiclass(["cat", "dog", "emu"])
        torch.manual_seed(3)
        known = {key: value for key, value in options.items() if key != "pretrained"}
        network = timm.create_model(
            name, num_classes=task.outputs, in_chans=channels, **known
        ).eval()
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():  # else batch norm would hide what is not loaded
                tensor.copy_(torch.rand_like(tensor) * 0.1 + 0.01)
        seen = seen or preprocessing(size, channels)
        architecture = {
            "name": f"timm/{name}", "options": options, "in_channels": channels,
            "image_size": list(size),
        }  # fmt: skip
        one = draft(model="net", task=task, preprocessing=seen, architecture=architecture,
                    calibration=calibration)  # fmt: skip
        answering = calibrated(network, calibration)
        probe = gate.make_probe(answering, Preprocessing.from_json(seen))
        files = {
            "model.safetensors": tensors.to_bytes(network.state_dict()),
            "probe.safetensors": tensors.to_bytes(probe),
            "README.md": render_card(one, 1, CardText("mit", "a test")).encode(),
        }
        return local.publish(one, files), network

    return publish


def same(one, other, size, channels):
    images = torch.rand(2, channels, *size)
    with torch.inference_mode():
        return torch.equal(one.eval()(images), other.eval()(images))


@pytest.mark.parametrize(("name", "size", "channels", "options"), [
    ("resnet10t", (32, 32), 3, {"drop_rate": 0.1, "pretrained": True, "global_pool": None}),
    ("resnet10t.c3_in1k", (32, 48), 1, {}),
    ("test_vit", (64, 64), 3, {"img_size": 64}),
    ("test_vit", (160, 160), 1, {}),
])  # fmt: skip
def test_timm_loads_it_from_the_hub_and_from_a_folder(
    web, published, tmp_path, monkeypatch, name, size, channels, options
):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    _, network = published(name, size, channels, **options)
    push("net", "hf://me/net")
    push("net", "hf://me/net", revision="v1")
    for where in ("me/net", "me/net@v1"):
        loaded = timm.create_model(f"hf-hub:{where}", pretrained=True)
        assert same(loaded, network, size, channels)
    folder = tmp_path / "net"
    folder.mkdir()
    for path in ("config.json", "model.safetensors"):
        (folder / path).write_bytes(web.files("me/net")[path])
    loaded = timm.create_model(f"local-dir:{folder}", pretrained=True)
    assert same(loaded, network, size, channels)
    assert loaded.pretrained_cfg["label_names"] == ["cat", "dog", "emu"]
    # And taken up by others, for classes of their own.
    other = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=7).eval()
    assert other(torch.rand(1, channels, *size)).shape == (1, 7)


def test_timm_prepares_images_as_the_record_says(web, published, tmp_path):
    published("resnet10t", (32, 48), 1)
    push("net", "hf://me/net")
    said = json.loads(web.files("me/net")["config.json"])
    assert said["architecture"] == "resnet10t"
    (tmp_path / "config.json").write_bytes(web.files("me/net")["config.json"])
    network = timm.create_model(f"local-dir:{tmp_path}")
    data = timm.data.resolve_model_data_config(network)
    assert {key: tuple(one) if isinstance(one, list) else one for key, one in data.items()} == {
        "input_size": (1, 32, 48), "interpolation": "bilinear", "mean": (0.4,), "std": (0.3,),
        "crop_pct": 1.0, "crop_mode": "squash",
    }  # fmt: skip


def test_a_crop_is_a_crop_in_timm(web, published):
    seen = preprocessing((32, 32), 3, store_size=[40, 40], fit="crop", center_crop=True)
    published("resnet10t", seen=seen)
    push("net", "hf://me/net")
    said = json.loads(web.files("me/net")["config.json"])["pretrained_cfg"]
    assert (said["crop_pct"], said["crop_mode"]) == (0.8, "center")


def test_a_single_output_is_the_positive_class(web, published):
    published("resnet10t", task=Task.binary(["well", "ill"], positive="ill"))
    push("net", "hf://me/net")
    said = json.loads(web.files("me/net")["config.json"])
    assert (said["num_classes"], said["label_names"]) == (1, ["ill"])


def test_the_page_is_timm_s(web, published):
    from huggingface_hub import ModelCard

    published("resnet10t")
    push("net", "hf://me/net", revision="v1")
    page = web.files("me/net", "v1")["README.md"].decode()
    assert ModelCard(page).data.library_name == "timm"
    assert "timm" in ModelCard(page).data.tags
    assert 'timm.create_model("hf-hub:me/net@v1", pretrained=True)' in page


def test_a_card_whose_tags_are_none_is_one_line(published):
    record, _ = published("resnet10t")
    with pytest.raises(RegistryError) as caught:
        hub_form.readme(b"---\ntags: [[a]]\n---\n", record, Address("me/net"))
    assert str(caught.value) == (
        "the card of model 'net' version 1 cannot be read: TypeError: unhashable type: 'list'"
    )


def test_a_calibrated_one_loads_too_and_its_card_says_by_what_to_divide(web, published):
    calibration = {"method": "temperature", "temperature": 2.5}
    record, _ = published("resnet10t", calibration=calibration)
    pushed = push("net", "hf://me/net")
    assert pushed.record.calibration == record.calibration == calibration
    page = web.files("me/net")["README.md"].decode()
    assert "outputs are divided by a temperature of 2.5" in page


def test_what_timm_would_answer_otherwise_is_not_pushed(web, published, monkeypatch):
    """The guard: options that timm takes for something else. Its negative control is below."""
    published("resnet10t")
    made = hub_push.hub_form.timm_config

    def wrong(*given):
        return {
            **(config := made(*given)),
            "model_args": {**config["model_args"], "act_layer": "silu"},
        }

    monkeypatch.setattr(hub_push.hub_form, "timm_config", wrong)
    with pytest.raises(RegistryError) as caught:
        push("net", "hf://me/net")
    assert str(caught.value).startswith("model 'net' version 1, loaded by timm: the network built")
    assert web.repositories == {}
    monkeypatch.setattr(hub_push.hub_timm, "check", lambda *_: None)
    push("net", "hf://me/net")
    assert web.repositories.keys() == {"me/net"}


@pytest.mark.parametrize(("options", "said"), [
    ({"no_such": 1}, "does not load in timm"),
    ({"layers": [9, 9, 9, 9]}, "does not load in timm"),
])  # fmt: skip
def test_what_timm_cannot_load_is_not_pushed(web, published, local, options, said):
    record, _ = published("resnet10t")
    files = {file["path"]: local.read_file(record, file["path"]) for file in record.files}
    architecture = {**record.architecture, "options": options}
    local.publish(draft(**{
        "model": "other", "architecture": architecture, "preprocessing": record.preprocessing,
    }), files)  # fmt: skip
    with pytest.raises(RegistryError, match=said) as caught:
        push("other", "hf://me/net")
    assert "\n" not in str(caught.value)
    assert web.repositories == {}


def test_an_architecture_that_timm_has_not_is_told(web, published, local):
    record, _ = published("resnet10t")
    files = {file["path"]: local.read_file(record, file["path"]) for file in record.files}
    plugin = {
        "entry": "timm", "distribution": "zoo-timm", "version": "1", "libraries": {"timm": "9.0"},
    }  # fmt: skip
    local.publish(draft(**{
        "model": "other", "architecture": {**record.architecture, "name": "timm/resnet_of_2030"},
        "preprocessing": record.preprocessing, "plugin": plugin,
    }), files)  # fmt: skip
    with pytest.raises(RegistryError) as caught:
        push("other", "hf://me/net")
    assert str(caught.value) == (
        f"model 'other' version 1: timm {timm.__version__} has no architecture 'resnet_of_2030'; "
        f"install the one that the record names: timm 9.0"
    )


def test_without_timm_the_command_that_installs_it_is_said(web, published, monkeypatch):
    published("resnet10t")
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(RegistryError) as caught:
        push("net", "hf://me/net")
    assert str(caught.value) == (
        "model 'net' version 1 is a network of timm's, which is tried in timm before it is pushed; "
        "install it with: pip install timm"
    )
