"""What must not get into a record: each kind is found, and what only looks like it is not."""

import copy

import pytest
from drafts import draft, fields

from zoo.errors import RegistryError
from zoo.registry import gate, private
from zoo.registry.private import Identity, find_path, find_secret, require_public

ANNA = Identity(frozenset({"anna"}), frozenset({"workhorse"}), "/net/people/anna")
NOBODY = Identity()


@pytest.mark.parametrize(
    "text",
    [
        "/home/x/data", "~/data", "~x/data", "C:\\data", "C:/data", "\\\\host\\x", "file:///x",
        "--root=/home/x", "see /Users/x/y", "in ~/pictures", "at D:\\data", "x,file:/a",
    ],
)  # fmt: skip
def test_paths(text):
    found = find_path({"recipe": {"a": [{"root": text}]}, "b": 1})
    assert found is not None
    assert (found.where, found.shown) == ("recipe.a.0.root", text)
    assert str(found) == f"recipe.a.0.root: {text!r} is a path of this machine"


@pytest.mark.parametrize(
    "text",
    [
        "and/or", "x", "timm/resnet18", "~90 % of them", "https://host/home/x", "a ~ b", "id:\\d+",
        "3/4", "s3://bucket/data/x", "1:2", "",
    ],
)  # fmt: skip
def test_what_is_no_path(text):
    assert find_path({"a": [text], "b": None, "c": 3}) is None


SECRETS = {
    "hf_" + "aB3" * 11: "hf_a… is a Hugging Face token",
    "AKIA" + "IOSFODNN7EXAMPLE": "AKIA… is an AWS access key",
    "ASIA" + "IOSFODNN7EXAMPLE": "ASIA… is an AWS access key",
    "ghp_" + "a1B2" * 9: "ghp_… is a GitHub token",
    "github_pat_" + "a1B2_" * 8: "gith… is a GitHub token",
    "glpat-" + "a1B2c" * 4: "glpa… is a GitLab token",
    "xoxb-" + "1234567890-ab": "xoxb… is a Slack token",
    "sk-" + "a1B2c" * 8: "sk-a… is an API key",
    "AIza" + "a" * 35: "AIza… is a Google API key",
    "eyJhbGciOiJI.eyJzdWIiOiIx.sig": "eyJh… is a signed token",
    "-----BEGIN RSA PRIVATE KEY-----": "----… is a private key",
    "https://anna:hunter2@host/x": "http… is an address with a password",
    "postgresql://:hunter2@host/x": "post… is an address with a password",
    "ssh://anna@host/x": "ssh:… is an address with a user's name",
    "https://host/x?access_token=abcdef123": "?acc… is an address with a secret",
    "https://b.s3/x?a=1&X-Amz-Signature=0123456789": "&X-A… is an address with a secret",
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "see {} there"])
def test_secrets_are_found_and_not_repeated(secret, around):
    found = find_secret({"recipe": {"x": [1, around.format(secret)]}})
    assert found is not None and found.where == "recipe.x.1"
    assert f"{found.shown} is {found.what}" == SECRETS[secret]
    assert secret not in str(found)


@pytest.mark.parametrize(
    "text",
    [
        "hf_short", "chf_" + "a" * 30, "AKIA1234", "https://host/x", "git+ssh://git@host/a/b",
        "https://host/x?page=1&key=2", "a@b.c", "sklearn", "12:30", "eyJust.text", "token",
        "https://doi.org/10.1000/182?a=b@c",
    ],
)  # fmt: skip
def test_what_is_no_secret(text):
    assert find_secret({"recipe": {"x": text}}) is None


def test_a_secret_is_known_by_its_key():
    for key in ("token", "api_key", "PASSWORD", "hf_token", "s3.secret", "aws-access-key"):
        found = find_secret({"recipe": {"dataset": {key: "abcdef"}}})
        assert str(found) == f"recipe.dataset.{key}: 'ab…' is a secret, by its key"
    for key, value in (("token", ""), ("token", True), ("class_tokens", "x"), ("pool", "token")):
        assert find_secret({key: value}) is None


def test_keys_are_texts_too():
    assert str(find_secret({"a": {"AKIAIOSFODNN7EXAMPLE": 1}})).startswith("a key: 'AKIA…' is an")
    assert str(find_path({"/home/x": 1})) == "a key: '/home/x' is a path of this machine"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recipe": {"dataset": {"options": "anna/pets"}}},
         "recipe.dataset.options: 'anna/pets' is or holds the name of this machine's user"),
        ({"recipe": {"x": ["me=anna@lab"]}},
         "recipe.x.0: 'me=anna@lab' is or holds the name of this machine's user"),
        ({"recipe": {"x": "rsync workhorse:/x"}},
         "recipe.x: 'rsync workhorse:/x' is or holds the name of this host"),
        ({"environment": {"run_by": "Anna or anna"}},
         "environment.run_by: 'Anna or anna' is or holds the name of this machine's user"),
        ({"environment": {"node": "workhorse.lab"}},
         "environment.node: 'workhorse.lab' is or holds the name of this host"),
        ({"data": {**fields()["data"], "citation": "kept at /net/people/anna/x"}},
         "data.citation: 'kept at /net/people/anna/x' is a path of this machine"),
        ({"recipe": {"card": {"description": "of /net/people/anna"}}},
         "recipe.card.description: 'of /net/people/anna' is a path of this machine"),
    ],
)  # fmt: skip
def test_names_of_user_and_host(change, said):
    plain = draft(**change).model_dump(mode="json")
    with pytest.raises(RegistryError) as caught:
        require_public(plain, ANNA)
    then = "; change it in the run's recipe.toml" if said.startswith("recipe.") else ""
    assert str(caught.value) == f"{said}, which no record may hold{then}"
    require_public(plain, NOBODY)  # the negative control: elsewhere it says nothing


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": {"optimizer": {"name": "anna"}, "x": "anna", "y": "the annas/workhorses"}},
        {"recipe": {"dataset": {"name": "hub/anna"}}},
        {"recipe": {"card": {"authors": ["anna@lab.org"], "description": "by anna/bob"}}},
        {"licence": "anna/1.0"},
        {"environment": {"device": "workhorse", "platform": "anna", "torch": "2.1-anna"}},
    ],
)
def test_a_name_that_means_something_else(change):
    require_public(draft(**change).model_dump(mode="json"), ANNA)


def test_classes_may_be_called_anything_but_a_secret():
    classes = {"kind": "multiclass", "classes": ["/m/01g317", "~", "anna/x"]}
    require_public(draft(task=classes).model_dump(mode="json"), ANNA)
    classes["classes"][1] = "hf_" + "a" * 30
    with pytest.raises(RegistryError, match=r"^task\.classes\.1: 'hf_a…' is a Hugging Face token"):
        require_public(draft(task=classes).model_dump(mode="json"), NOBODY)


def test_nothing_private():
    require_public(copy.deepcopy(draft().model_dump(mode="json")))


def test_who_this_machine_is(monkeypatch):
    private.this_machine.cache_clear()
    monkeypatch.setenv("USER", "anna")
    monkeypatch.setenv("HOME", "/net/people/anna")
    monkeypatch.setattr(private.platform, "node", lambda: "workhorse.lab")
    who = private.this_machine()
    private.this_machine.cache_clear()
    assert "anna" in who.users and who.hosts == {"workhorse", "workhorse.lab"}
    assert who.home == "/net/people/anna"
    assert not who.users & {"root", ""}


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": {"a": "/home/x"}},
        {"environment": {"a": "AKIAIOSFODNN7EXAMPLE"}},
        {"architecture": {**fields()["architecture"], "options": {"weights": "/data/w.pt"}}},
    ],
)
def test_the_gate_looks(change, trained):
    one, _, _ = trained()
    changed = one.model_copy(update=change)
    with pytest.raises(RegistryError, match="which no record may hold"):
        gate.check_claims(changed, {"model.safetensors": "x", "probe.safetensors": "y"})
    gate.check_claims(one, {"model.safetensors": "x", "probe.safetensors": "y"})
