"""Loading from a web server: what is loaded is what was published, and comes along by itself."""

from __future__ import annotations

import faults as f
import pytest
import torch
from fault_server import FaultServer

from zoo.errors import ZooError, ZooWarning
from zoo.registry import layout
from zoo.registry.loading import load, read
from zoo.registry.store import Registry

MODEL = "digits-tiny"


@pytest.fixture
def away(published, registry, tmp_path, monkeypatch):
    """(server of a registry with one trained network, that network)."""
    _, network = published()
    server = FaultServer(registry.tree.root)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/registry.toml").write_text(f'[registry.site]\nurl = "{server.url}"\n')
    yield server, network
    server.close()


def blob_of_weights(server):
    return layout.blob(Registry.at(server.root).record(MODEL).weights_sha256)


def assert_same(model, network):
    images = torch.randn(2, 1, 4, 5)
    with torch.inference_mode():
        assert torch.equal(
            model.network(images.to(memory_format=torch.channels_last)),
            network.eval().to(memory_format=torch.channels_last)(
                images.to(memory_format=torch.channels_last)
            ),
        )
    for name, tensor in network.state_dict().items():
        assert torch.equal(model.network.state_dict()[name], tensor)


def test_it_is_pulled_by_loading_and_only_what_is_needed(away, catalog):
    server, network = away
    assert_same(load(f"site:{MODEL}", device="cpu", catalog=catalog), network)
    assert sum(path.startswith("blobs/") for _, path in server.requests) == 1
    server.requests.clear()
    assert_same(load(MODEL, device="cpu", catalog=catalog), network)
    assert [path for _, path in server.requests] == [layout.head(MODEL), layout.page(MODEL, 1)]


def test_without_a_network_it_loads_what_was_loaded_before(away, catalog):
    server, network = away
    load(MODEL, device="cpu", catalog=catalog)
    server.close()
    with pytest.warns(ZooWarning, match="going by what was there on"):
        assert_same(load(MODEL, device="cpu", catalog=catalog), network)
    with pytest.warns(ZooWarning):
        record, weights = read(f"{MODEL}@1")
    assert record.version == 1
    assert set(weights) == set(network.state_dict())


def test_a_flipped_bit_is_not_loaded(away, catalog):
    server, network = away
    server.faults[blob_of_weights(server)] = [f.flipped(9), f.serve]
    with pytest.raises(ZooError, match="as its record says: it was damaged there or on its way"):
        load(MODEL, device="cpu", catalog=catalog)
    assert_same(load(MODEL, device="cpu", catalog=catalog), network)
