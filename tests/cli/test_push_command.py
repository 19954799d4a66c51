"""``zoo push``, and the Hub wherever a model may be named: against a stand-in, with a real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Zoo = Callable[..., tuple[int, str, str]]
ADDRESS = "hf://me/digits"


@pytest.fixture
def web(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "registry"))
    import hub_server

    monkeypatch.setenv("ZOO_CACHE", str(here / "cache"))
    with hub_server.serving() as one:
        hub_server.use(monkeypatch, one.url)
        yield one


def said(zoo: Zoo, *arguments: str) -> str:
    code, out, err = zoo(*arguments)
    assert (code, err) == (0, ""), err
    return out


def figures(zoo: Zoo, model: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(said(zoo, "eval", model, "--json"))
    return {key: value for key, value in made.items() if key != "predictions"}


def test_a_trained_model_goes_to_the_hub_and_comes_back(zoo: Zoo, web: Any, here: Path) -> None:
    recipe = ("--dataset", "digits", "--architecture", "simple_cnn", "--epochs", "1")
    assert zoo("train", *recipe, "--run", "runs/one")[0] == 0
    figures(zoo, "runs/one")
    card = ("--licence", "mit", "--intended-use", "a test")
    said(zoo, "registry", "init", "registry")
    assert zoo("publish", "runs/one", "--name", "digits", *card)[0] == 0
    out = said(zoo, "push", "digits", ADDRESS)
    assert out == (
        f"pushed: digits@1 to {ADDRESS}\npage: {web.url}/me/digits\ntry next:\n"
        f"  zoo models show {ADDRESS}\n"
        f"  python -c \"import zoo; print(zoo.load('{ADDRESS}'))\"\n"
    )
    shown = json.loads(said(zoo, "models", "show", ADDRESS, "--json"))
    assert (shown["model"], shown["version"], shown["versions"]) == ("digits", 1, [1])
    assert shown["digest"] == json.loads(said(zoo, "models", "show", "digits", "--json"))["digest"]
    assert figures(zoo, ADDRESS) == figures(zoo, "digits")
    said(zoo, "registry", "init", "elsewhere", "--name", "other")
    assert zoo("publish", ADDRESS, "--to", "other")[0] == 0
    copied = json.loads(said(zoo, "models", "show", "other:digits@1", "--json"))
    assert copied["digest"] == shown["digest"]
    assert zoo("train", *recipe, "--init", ADDRESS, "--run", "runs/two")[0] == 0
    info = json.loads((here / "runs/two/run.json").read_text())
    assert info["initialized"]["source"] == ADDRESS
    assert info["initialized"]["parent"]["digest"] == shown["digest"]


def test_json_says_where_it_went(zoo: Zoo, web: Any, here: Path, monkeypatch: Any) -> None:
    from drafts import draft

    from zoo.registry.cards.card import CardText, render_card
    from zoo.registry.store import Registry

    one = draft()
    files = {
        "README.md": render_card(one, 1, CardText("mit", "x")).encode(),
        "model.safetensors": b"w",
    }
    Registry.at(here / "registry").publish(one, files)
    (here / "registry.toml").write_text('[registry.local]\nurl = "registry"\n')
    out = json.loads(
        said(zoo, "push", "local:digits-tiny@1", ADDRESS, "--revision", "v1", "--json")
    )
    commit = out.pop("commit")
    assert out == {
        "model": "digits-tiny", "version": 1, "address": f"{ADDRESS}@v1",
        "url": f"{web.url}/me/digits",
    }  # fmt: skip
    assert commit in web.repositories["me/digits"].commits


@pytest.mark.parametrize(("arguments", "line"), [
    (("push", "digits", "me/digits"),
     "'me/digits': expected hf://owner/name or hf://owner/name@revision, a repository of the "
     "Hugging Face Hub and a branch, tag or commit of it"),
    (("push", "digits", ADDRESS, "--registry", "nowhere"),
     "registry 'nowhere' is not named; registries: local; name it in a registry.toml"),
    (("eval", ADDRESS),
     "'hf://me/digits' has no zoo/record.json: there is no such repository or revision, or none "
     "that zoo push wrote"),
    (("models", "show", "hf://me"),
     "'hf://me': expected hf://owner/name or hf://owner/name@revision, a repository of the "
     "Hugging Face Hub and a branch, tag or commit of it"),
])  # fmt: skip
def test_what_is_wrong_is_one_line(
    zoo: Zoo, web: Any, arguments: tuple[str, ...], line: str
) -> None:
    assert zoo(*arguments) == (1, "", f"zoo: error: {line}\n")
