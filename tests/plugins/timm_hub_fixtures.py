"""The stand-in for the Hub with timm's weights, and folders that are nobody's."""

import pytest
import timm_hub as faults
import torch
from safetensors.torch import save
from timm_hub_world import REPOSITORY


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
    timm = pytest.importorskip("timm")
    return timm.create_model("test_resnet", pretrained=False)


@pytest.fixture(scope="module")
def data(network):
    return save(network.state_dict(), {"format": "pt"})


@pytest.fixture
def folders(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ZOO_WEIGHTS", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    return tmp_path


@pytest.fixture
def web(monkeypatch, folders, data):
    with faults.serving() as one:
        faults.hub_server.use(monkeypatch, one.hub.url)
        faults.put(one.hub, REPOSITORY, data)
        yield one
