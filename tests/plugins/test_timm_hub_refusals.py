"""What the Hub gives that is not timm's weights: refused in one line, and nothing of it is kept."""

from __future__ import annotations

import hashlib
import io

import pytest
import timm_hub as faults
import torch
from safetensors.torch import save
from timm_hub_world import NAME, REPOSITORY, WHAT, by_hand, files, get, refusal

timm = pytest.importorskip("timm")
pytest.importorskip("zoo_timm")
from zoo_timm import receiving  # noqa: E402

pytest_plugins = ["timm_hub_fixtures"]

LATER = "type the same command again, or later"


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


def test_a_file_without_tensors_is_refused_and_timm_fetches_nothing_instead(web, folders):
    faults.put(web.hub, REPOSITORY, save({}))
    assert refusal() == f"{WHAT} holds no tensors"
    asked = len(web.hub.asked)
    own = folders / "cache" / "weights" / f"{NAME}.safetensors"
    assert files(folders) == []
    own.parent.mkdir(parents=True)
    own.write_bytes(save({}))
    assert refusal() == f"weights {str(own)!r} holds no tensors"
    assert len(web.hub.asked) == asked


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
    (faults.head(Location="http://192.0.2.1/x"),
     "{what}: {hub!r} leads to 'http://192.0.2.1/x'; expected an https address"),
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


@pytest.mark.parametrize("endpoint", ["http://192.0.2.1:80", "http://localhost.invalid"])
def test_a_hub_over_plain_http_elsewhere_is_not_asked(folders, monkeypatch, endpoint):
    """Whoever is on the way would read the token, and forge the sha256 with the bytes."""
    faults.hub_server.use(monkeypatch, endpoint)
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", None)  # a call would raise
    assert refusal() == (
        f"HF_ENDPOINT {endpoint!r}: expected an https address, or an http one of this machine"
    )
