"""timm's published weights from the Hub, by its own client: what is right is got once, what is not
is refused in one line and nothing of it is kept."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest
import timm_hub as faults
import torch
from safetensors.torch import save

from zoo.errors import ZooError
from zoo.plugins.catalog import catalog
from zoo.plugins.contexts import ArchitectureContext
from zoo.tasks import Task

timm = pytest.importorskip("timm")
zoo_timm = pytest.importorskip("zoo_timm")
from zoo_timm import hub, receiving  # noqa: E402

NAME = "test_resnet.r160_in1k"
REPOSITORY = f"timm/{NAME}"
WHAT = f"'{REPOSITORY}' of the Hub"
TASK = Task.multiclass(["a", "b", "c"])
LATER = "type the same command again, or later"


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
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


def get(tag="", name="timm/test_resnet", **context):
    size = context.pop("size", (64, 64))
    given = ArchitectureContext(3, size, TASK.outputs, TASK, tag)
    return catalog().get("architecture", name).pretrained(given)


def refusal(**given):
    with pytest.raises(ZooError) as caught:
        get(**given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def files(folder):
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if not one.is_dir())


def by_hand(web_url, folders, name=NAME):
    place = folders / "cache" / "weights" / f"{name}.safetensors"
    return (
        f"get {web_url}/timm/{name}/resolve/main/model.safetensors by other means and put it here "
        f"as {str(place)!r} or into a folder that ZOO_WEIGHTS names"
    )


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
    monkeypatch.setattr(hub, "ANSWER_SECONDS", 0.3)
    web.heads = faults.silent
    assert "cannot be reached: TimeoutError: no answer within 0.3 s; " in refusal()


def torch_file(network):
    held = io.BytesIO()
    torch.save(network.state_dict(), held)
    return held.getvalue()


def test_a_pickle_by_a_right_name_and_hash_is_refused(web, folders, network):
    faults.put(web.hub, REPOSITORY, torch_file(network))
    assert refusal() == (
        f"{WHAT} is no safetensors file but a zip archive, such as torch.save writes"
    )
    assert files(folders) == []


def test_a_web_page_by_a_right_name_and_hash_is_refused(web, folders):
    faults.put(web.hub, REPOSITORY, b"<html>" + b" " * 1000)
    assert refusal() == f"{WHAT} is no safetensors file but a web page"
    assert files(folders) == []


def test_weights_that_are_not_finite_are_refused(web, folders, network):
    weights = {**network.state_dict(), "fc.bias": torch.full((1000,), float("nan"))}
    faults.put(web.hub, REPOSITORY, save(weights))
    assert refusal() == f"{WHAT}: tensor 'fc.bias' holds numbers that are not finite"
    assert files(folders) == []


def test_weights_of_another_network_are_refused(web, network):
    faults.put(web.hub, REPOSITORY, save({"a.weight": torch.ones(2)}))
    said = refusal()
    assert said.startswith(
        f"architecture 'timm/{NAME}': its pretrained weights do not fit a network of these "
        f"options, or are not what timm expects: RuntimeError: Error(s) in loading state_dict"
    )


@pytest.mark.parametrize(("fault", "said"), [
    ("cut_short", "{what}: {cdn!r} broke off: RemoteProtocolError: peer closed connection without "
     "sending complete message body (received {half} bytes, expected {size}); {later}"),
    ("other_bytes", "{what} has the sha256 {other}; expected {sha}: it is not the published file, "
     "or was damaged on its way; {later}"),
    ("web_page", "{what} ended after 59 of {size} bytes; {later}"),
    ("stalls", "{what}: {cdn!r} broke off: ReadTimeout: timed out; {later}"),
    ("trickles", "{what}: less than 262144 bytes came within 0.2 s; {later}"),
    ("too_much", "{what} has more than {size} bytes: it is not the published file"),
    ("gone", "{what}: {cdn!r} answered 404"),
    ("broken", "{what}: {cdn!r} answered 500"),
    ("round_and_round", "{what}: {hub!r} leads on and on, more than 5 times"),
])  # fmt: skip
def test_bytes_that_are_not_those_are_refused_and_nothing_is_kept(
    web, folders, data, monkeypatch, fault, said
):
    import hashlib

    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.5)
    monkeypatch.setattr(receiving, "STALL_SECONDS", 0.2)
    web.bodies = getattr(faults, fault)
    found = refusal()
    host = web.hub.url.removeprefix("http://")
    assert found == said.format(
        what=WHAT, later=LATER, size=len(data), half=len(data) // 2,
        sha=hashlib.sha256(data).hexdigest(), hub=host,
        other=hashlib.sha256(data[:-1] + b"!").hexdigest(),
        cdn=host.replace("127.0.0.1", "localhost"),
    )  # fmt: skip
    assert files(folders) == []
    web.bodies = None  # the same question, once all is well: the guard was what refused
    assert len(get().weights) > 10
    assert files(folders / "hf") != []


@pytest.mark.parametrize(("fault", "said"), [
    (faults.portal, "{what}: {hub!r} answers as no Hub does; check HF_ENDPOINT and the network"),
    (faults.head(**{"X-Repo-Commit": "../../../etc"}),
     "{what}: {hub!r} answers as no Hub does; check HF_ENDPOINT and the network"),
    (faults.head(**{"X-Linked-Etag": '"../../passwd"'}),
     "{what}: {hub!r} gives no sha256 of 'model.safetensors', so it cannot be compared; set "
     "HF_ENDPOINT to another mirror, or {hand}"),
    (faults.head(**{"X-Linked-Size": "99999999999999"}),
     "{what}: 'model.safetensors' has 99999999999999 bytes; zoo reads 17179869184 at most"),
    (faults.head(Location="file:///etc/passwd"),
     "{what}: {hub!r} leads to 'file:///etc/passwd'; expected an https address"),
    (faults.head(Location="ftp://elsewhere/x"),
     "{what}: {hub!r} leads to 'ftp://elsewhere/x'; expected an https address"),
    (faults.broken, "{what}: {hub!r} answered 500; try again later, or {hand}"),
])  # fmt: skip
def test_answers_that_no_hub_gives_are_refused_and_nothing_is_kept(web, folders, fault, said):
    web.heads = fault
    host = web.hub.url.removeprefix("http://")
    hand = by_hand(web.hub.url, folders)
    assert refusal() == said.format(what=WHAT, hub=host, hand=hand)
    assert files(folders) == []
    web.heads = None
    assert len(get().weights) > 10


def test_a_repository_that_is_not_there_and_a_file_that_is_not_there(web, folders):
    web.hub.repositories.clear()
    assert refusal() == (
        f"{WHAT} is not there, or not for everybody; accept its terms at "
        f"{web.hub.url}/{REPOSITORY} and log in with: hf auth login, or set HF_TOKEN"
    )
    faults.put(web.hub, REPOSITORY, b"x", file="pytorch_model.bin")
    assert refusal() == (
        f"{WHAT} has no 'model.safetensors'; only .safetensors are read: start from another tag, "
        f"or from your own file"
    )
    assert files(folders) == []


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
