"""timm's published weights from the Hub, by its own client: what is right is got once, and found
again where it is kept."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import timm_hub as faults
import torch
from safetensors.torch import save
from timm_hub_world import NAME, REPOSITORY, WHAT, by_hand, files, get, refusal

from zoo.data import asking_hub
from zoo.errors import ZooError

timm = pytest.importorskip("timm")
pytest.importorskip("zoo_timm")
from zoo_timm import hub, receiving  # noqa: E402

pytest_plugins = ["timm_hub_fixtures"]


def test_weights_are_got_once_and_are_timm_s(web, folders, network):
    found = get()
    for name, value in network.state_dict().items():
        assert torch.equal(found.weights[name], value), name
    config = timm.models.get_pretrained_cfg(NAME)
    assert (found.mean, found.std) == (config.mean, config.std)
    assert (found.image_size, found.interpolation) == ((160, 160), config.interpolation)
    assert found.tag == "r160_in1k"
    asked = len(web.hub.asked)
    of_file = [(method, path.split("/")[1]) for method, path in web.hub.asked]
    of_file = [one for one in of_file if one[1] != "api"]  # the client asks once who it is
    assert of_file == [("HEAD", "timm"), ("GET", "cdn")]  # what it is, and its bytes
    again = get()
    assert torch.equal(again.weights["fc.weight"], found.weights["fc.weight"])
    assert len(web.hub.asked) == asked
    repository = folders / "hf" / "models--timm--test_resnet.r160_in1k"
    blob = next((repository / "blobs").iterdir()).name
    assert files(folders / "hf") == [
        f"models--timm--{NAME}/blobs/{blob}",
        f"models--timm--{NAME}/refs/main",
        f"models--timm--{NAME}/snapshots/{'0' * 40}/model.safetensors",
    ]


def test_the_hub_s_own_client_finds_what_zoo_kept(web, folders, data):
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    get()
    found = try_to_load_from_cache(REPOSITORY, hub.FILE)
    assert Path(found).read_bytes() == data
    assert hf_hub_download(REPOSITORY, hub.FILE, local_files_only=True) == found


def test_zoo_finds_what_the_hub_s_own_client_kept(web, monkeypatch):
    from huggingface_hub import constants, hf_hub_download

    hf_hub_download(REPOSITORY, hub.FILE)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked = len(web.hub.asked)
    assert len(get().weights) > 10
    assert len(web.hub.asked) == asked


def test_offline_works_with_what_is_kept_and_says_what_to_do_without(web, folders, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert refusal() == (
        f"{WHAT} is not in the cache {str(folders / 'hf')!r}, and HF_HUB_OFFLINE is set; unset it, "
        f"or {by_hand(web.hub.url, folders)}"
    )
    assert web.hub.asked == []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    get()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked = len(web.hub.asked)
    assert len(get().weights) > 10
    assert len(web.hub.asked) == asked


@pytest.mark.parametrize("path", [f"{NAME}.safetensors", f"{NAME}/model.safetensors"])
@pytest.mark.parametrize("own", [True, False])
def test_what_lies_in_a_folder_is_taken_from_there(
    web, folders, network, data, monkeypatch, path, own
):
    folder = folders / "mine" if own else folders / "cache" / "weights"
    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_bytes(data)
    if own:
        monkeypatch.setenv("ZOO_WEIGHTS", str(folder))
    found = get()
    assert torch.equal(found.weights["fc.weight"], network.state_dict()["fc.weight"])
    assert web.hub.asked == []


def test_a_folder_that_is_none_is_told(web, folders, monkeypatch):
    monkeypatch.setenv("ZOO_WEIGHTS", str(folders / "no"))
    assert refusal() == f"ZOO_WEIGHTS {str(folders / 'no')!r}: no such folder"


def test_without_a_network_it_fails_at_once_and_says_what_to_do(folders, monkeypatch):
    faults.hub_server.use(monkeypatch, "http://127.0.0.1:9")
    start = time.monotonic()
    said = refusal()
    assert time.monotonic() - start < 5
    assert said == (
        f"'127.0.0.1:9' cannot be reached: ConnectError: [Errno 111] Connection refused; "
        f"{by_hand('http://127.0.0.1:9', folders)}, or set HF_ENDPOINT to a mirror's address"
    )
    assert files(folders) == []


def test_a_server_that_is_silent_is_not_waited_for(web, folders, monkeypatch):
    web.heads = faults.silent
    start = time.monotonic()
    said = refusal()
    assert time.monotonic() - start < 5
    host = web.hub.url.removeprefix("http://")
    assert said == (
        f"{host!r} cannot be reached: ReadTimeout: timed out; "
        f"{by_hand(web.hub.url, folders)}, or set HF_ENDPOINT to a mirror's address"
    )
    assert files(folders) == []


def test_a_name_that_nobody_resolves_is_not_waited_for(web, folders, monkeypatch):
    monkeypatch.setattr(asking_hub, "ANSWER_SECONDS", 0.3)
    web.heads = faults.silent
    assert "cannot be reached: TimeoutError: no answer within 0.3 s; " in refusal()


def test_https_leads_to_https_only():
    receiving._require_address("https://hub/x", "https://cdn/y", "it")
    receiving._require_address("http://127.0.0.1/x", "http://localhost/y", "it")
    with pytest.raises(ZooError) as caught:
        receiving._require_address("https://hub/x", "http://cdn/y", "it")
    assert str(caught.value) == "it: 'hub' leads to 'http://cdn/y'; expected an https address"


def test_the_token_does_not_leave_the_hub(web):
    get()
    tokens = dict(zip((path for _, path in web.hub.asked), web.hub.tokens, strict=True))
    of_file = [one for path, one in tokens.items() if "/resolve/" in path]
    of_bytes = [one for path, one in tokens.items() if path.startswith("/cdn/")]
    assert of_file == [f"Bearer {faults.hub_server.TOKEN}"]
    assert of_bytes == [None]


def test_what_was_damaged_in_the_cache_is_told(web, folders):
    get()
    blob = next((folders / "hf" / f"models--timm--{NAME}" / "blobs").iterdir())
    data = blob.read_bytes()
    blob.write_bytes(data[:-4] + b"!!!!")
    assert refusal() == (
        f"{str(blob)!r} is damaged: its sha256 is not its name; remove it, then type the same "
        f"command again"
    )
    blob.unlink()
    assert len(get().weights) > 10
    assert blob.read_bytes() == data


def test_tags(web, folders):
    assert get(tag="r160_in1k").tag == "r160_in1k"
    assert refusal(tag="r160_in1") == (
        "architecture 'timm/test_resnet' has no pretrained weights 'r160_in1' (did you mean "
        "'r160_in1k'?); its tags are r160_in1k"
    )
    assert get(name=f"timm/{NAME}").tag == "r160_in1k"


def test_weights_that_are_on_no_hub_are_compared_by_the_hash_in_their_name(folders, monkeypatch):
    asked = []

    def fetch(**given):
        asked.append(given)
        raise ZooError("no network")

    monkeypatch.setattr("zoo.fetch_weights", fetch, raising=False)
    assert refusal(name="timm/legacy_xception") == "no network"
    assert asked == [{
        "url": "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-cadene/"
        "xception-43020ad28.pth",
        "sha256_prefix": "43020ad28", "largest": 4 << 30,
    }]  # fmt: skip
    assert refusal(name="timm/vit_huge_patch14_gap_224", tag="in1k_ijepa") == (
        "architecture 'timm/vit_huge_patch14_gap_224.in1k_ijepa': its weights are at "
        "https://dl.fbaipublicfiles.com/ijepa/IN1K-vit.h.14-300e.pth.tar, whose publisher names no "
        "sha256, so zoo cannot compare it; start from another tag, or from your own .safetensors "
        "file"
    )


def test_positions_are_resized_to_the_image(web, folders, monkeypatch):
    torch.manual_seed(1)
    published = timm.create_model("test_vit", pretrained=False)
    faults.put(web.hub, "timm/test_vit.r160_in1k", save(published.state_dict()))
    native = get(name="timm/test_vit", size=(160, 160)).weights["pos_embed"]
    assert torch.equal(native, published.pos_embed)
    assert get(name="timm/test_vit", size=(64, 96)).weights["pos_embed"].shape[1] == 4 * 6 + 1


def test_nobody_s_own_cache_is_touched(folders):
    assert os.environ["ZOO_CACHE"] == str(folders / "cache")
