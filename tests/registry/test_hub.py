"""Versions on the Hub: pushed by its own client, read back byte for byte, used by people without
zoo."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from drafts import PREPROCESSING
from safetensors.torch import load as read_tensors

from zoo.data.preprocessing import Preprocessing
from zoo.errors import RegistryError
from zoo.registry.config import find
from zoo.registry.hub.push import push
from zoo.registry.loading import load, network_with
from zoo.registry.names import Reference
from zoo.registry.pulling import pull

pytest_plugins = ["hub_fixtures"]
REPOSITORY = "me/digits"
ADDRESS = f"hf://{REPOSITORY}"
FILES = {
    "README.md", "config.json", "model.safetensors", "zoo/README.md", "zoo/probe.safetensors",
    "zoo/record.json", "zoo/confusion-test.png",
}  # fmt: skip


@pytest.fixture
def pushed(web, version):
    return push("digits-tiny", ADDRESS)


def test_what_was_pushed_is_read_back(web, version, pushed, catalog):
    record, network = version
    assert pushed.address == ADDRESS
    assert pushed.url == f"{web.url}/{REPOSITORY}"
    assert pushed.commit in web.repositories[REPOSITORY].commits
    assert web.repositories[REPOSITORY].messages == ["digits-tiny@1"]
    assert set(web.files(REPOSITORY)) == FILES
    opened, reference = find(ADDRESS)
    assert opened.record(reference) == record
    assert reference == Reference("digits-tiny", version=1)
    assert opened.models() == ["digits-tiny"]
    assert opened.versions("digits-tiny") == [1]
    for file in record.files:
        data = opened.read_file(record, file["path"])
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
    model = load(ADDRESS, catalog=catalog)
    images = torch.randint(0, 256, (2, 4, 5, 1), dtype=torch.uint8)
    inputs = Preprocessing.from_json(PREPROCESSING)(images)
    assert torch.equal(model.network.cpu()(inputs), network.eval()(inputs))


def test_the_weights_and_config_are_enough_without_zoo(web, pushed, version, catalog):
    record, network = version
    files = web.files(REPOSITORY)
    said = json.loads(files["config.json"])
    assert said["architecture"] == "tiny"
    assert said["num_classes"] == 3
    assert said["label_names"] == ["cat", "dog", "a|b"]
    assert said["zoo"]["preprocessing"] == record.preprocessing
    assert said["zoo"]["record_sha256"] == hashlib.sha256(files["zoo/record.json"]).hexdigest()
    weights = read_tensors(files["model.safetensors"])
    assert weights.keys() == network.state_dict().keys()
    assert all(torch.equal(weights[name], one) for name, one in network.state_dict().items())
    network_with(weights, said["zoo"]["architecture"], record.task, catalog, what="it")


def test_the_page_is_the_card_and_says_how_to_load_it(web, pushed, local, version):
    record, _ = version
    page = web.files(REPOSITORY)["README.md"].decode()
    card = local.read_file(record, "README.md").decode()
    assert web.files(REPOSITORY)["zoo/README.md"].decode() == card
    assert page.startswith("---\n")
    assert "![matrix](zoo/confusion-test.png)" in page
    assert 'model = zoo.load("hf://me/digits")' in page
    assert 'load_file(hf_hub_download("me/digits", "model.safetensors"))' in page
    assert "timm" not in page
    from huggingface_hub import ModelCard

    assert ModelCard(page).data.to_dict() == ModelCard(card).data.to_dict()


def test_the_hub_s_own_client_reads_it(web, pushed, tmp_path):
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(REPOSITORY, "model.safetensors", cache_dir=tmp_path / "hf")
    assert Path(path).read_bytes() == web.files(REPOSITORY)["model.safetensors"]


def test_it_is_pulled_into_a_folder(web, pushed, version, tmp_path):
    pulled = pull(ADDRESS, tmp_path / "digits")
    assert pulled.record == version[0]
    for file in version[0].files:
        data = (tmp_path / "digits" / file["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
    record = (tmp_path / "digits" / "record.json").read_bytes()
    assert record == web.files(REPOSITORY)["zoo/record.json"]


def test_it_can_be_copied_on_to_another_repository(web, pushed, version):
    again = push(ADDRESS, "hf://me/again")
    assert again.record == version[0]
    same = set(web.files("me/again")) - {"README.md"}
    assert same == FILES - {"README.md"}
    assert all(web.files("me/again")[path] == web.files(REPOSITORY)[path] for path in same)


def test_a_branch_is_made_and_read(web, version):
    push("digits-tiny", ADDRESS)
    made = push("digits-tiny@1", ADDRESS, revision="v1")
    assert made.address == f"{ADDRESS}@v1"
    assert set(web.repositories[REPOSITORY].branches) == {"main", "v1"}
    assert 'zoo.load("hf://me/digits@v1")' in web.files(REPOSITORY, "v1")["README.md"].decode()
    assert find(f"{ADDRESS}@v1")[0].record("digits-tiny@1") == version[0]
    assert find(f"{ADDRESS}@{made.commit}")[0].record("digits-tiny@1") == version[0]
    push("digits-tiny@1", f"{ADDRESS}@v1")  # that it is there is no failure
    with pytest.raises(RegistryError, match="there is no such repository or revision"):
        find(f"{ADDRESS}@v2")


def test_two_revisions_that_differ_are_refused(web, version):
    with pytest.raises(RegistryError) as caught:
        push("digits-tiny", f"{ADDRESS}@v1", revision="v2")
    assert str(caught.value) == (
        "'hf://me/digits@v1' names another revision than 'v2'; give one of them"
    )


def test_a_private_repository_is_private(web, version):
    push("digits-tiny", ADDRESS, private=True)
    assert web.repositories[REPOSITORY].private
    assert find(ADDRESS)[1].name == "digits-tiny"


def test_private_is_not_pushed_to_what_everybody_sees(web, pushed):
    before = len(web.repositories[REPOSITORY].messages)
    with pytest.raises(RegistryError) as caught:
        push("digits-tiny", ADDRESS, private=True)
    assert str(caught.value) == (
        "'hf://me/digits' is there, and everybody sees it; make it private in its settings, or "
        "push without --private"
    )
    assert len(web.repositories[REPOSITORY].messages) == before
