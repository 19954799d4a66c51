"""zoo plugins new and check: what they say, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from zoo.plugins import catalog as catalogs
from zoo.plugins import checks
from zoo.plugins.catalog import Catalog
from zoo.plugins.families import ArchitectureFamily
from zoo.plugins.loading import Loaded, Plugin
from zoo.plugins.specs import Facts, SamplerSpec

Zoo = Callable[..., tuple[int, str, str]]


def shuffled(context: Any, *, printed: str = "hello") -> Any:
    print(printed)
    return lambda generator: torch.randperm(context.length, generator=generator)


def leaves(context: Any) -> None:
    raise SystemExit(3)


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    given: dict[str, Any] = {"summary": "s", "source": "a test"}
    good = SamplerSpec(name="good", build=shuffled, **given)
    bad = SamplerSpec(name="bad", build=leaves, summary="s")
    facts = {name: Facts(int(name.removeprefix("n")) * 10**6) for name in ("n10", "n20", "n90")}
    facts |= {f"n3{i}": Facts(1) for i in range(9)}
    family = ArchitectureFamily(
        prefix="f", names=sorted(facts), build=lambda context, name: None,
        facts=facts.__getitem__, **given,
    )  # fmt: skip
    made = Catalog(
        [
            Loaded(Plugin("one", "zoo-one", "1.0"), (good, bad)),
            Loaded(Plugin("many", "zoo-many", "1.0"), (family,)),
        ]
    )
    monkeypatch.setattr(catalogs, "catalog", lambda: made)
    monkeypatch.setattr(checks, "catalog", lambda: made)
    yield


def test_a_plugin_is_made_and_what_comes_next_is_said(zoo: Zoo, here: Path) -> None:
    code, out, err = zoo("plugins", "new", "steep", "--kind", "loss")
    assert (code, err) == (0, "")
    assert out == (
        "made zoo-steep: the loss 'steep', which works as it is\n"
        "  pyproject.toml\n  README.md\n  LICENSE\n  .gitignore\n  .github/workflows/test.yml\n"
        "  zoo_steep/__init__.py\n  zoo_steep/loss.py\n"
        "  tests/test_contract.py\n  tests/test_loss.py\n"
        "make it yours in three lines: edit 1 and edit 2 in zoo-steep/zoo_steep/__init__.py, "
        "edit 3 in zoo-steep/zoo_steep/loss.py\n"
        "try next:\n"
        "  pip install -e 'zoo-steep[test]'\n"
        "  zoo plugins check zoo-steep\n"
        "  zoo train --dataset digits --architecture simple_cnn --loss steep --epochs 5\n"
    )
    assert zoo("plugins", "new", "steep", "--kind", "loss") == (
        1,
        "",
        "zoo: error: 'zoo-steep' is there already; remove it, or choose another name\n",
    )
    (here / "there").mkdir()
    code, out, _ = zoo("plugins", "new", "steep", "--kind", "samplers", "--to", "there", "--json")
    made = json.loads(out)
    assert (code, made["folder"], made["kind"]) == (0, "there/zoo-steep", "sampler")
    assert all(Path(path).is_file() for path in made["files"])
    assert made["next"][0] == "pip install -e 'there/zoo-steep[test]'"


def test_a_kind_must_be_given_and_be_one(zoo: Zoo) -> None:
    assert zoo("plugins", "new", "steep")[2] == (
        "zoo: error: missing option '--kind'; see: zoo plugins new --help\n"
    )
    assert "did you mean 'losses'?" in zoo("plugins", "new", "steep", "--kind", "los")[2]


@pytest.mark.usefixtures("other")
def test_a_component_is_a_line_and_every_problem_an_error(zoo: Zoo) -> None:
    code, out, err = zoo("plugins", "check", "zoo-one")
    assert code == 1
    lines = [" ".join(line.split()[:3]) for line in out.splitlines()]
    assert lines == ["sampler bad 2", "sampler good ok"]
    errors = [line for line in err.splitlines() if line != "hello"]  # what it prints is not stdout
    assert errors == [
        "zoo: error: sampler 'bad' of zoo-one 1.0: no source: name the paper, book or library it "
        "comes from",
        "sampler 'bad' of zoo-one 1.0: SystemExit: 3",
    ]
    code, out, _ = zoo("plugins", "check", "one", "--component", "good")
    assert code == 0
    assert out.endswith("\n\n1 component of one keeps the contract\n")


@pytest.mark.usefixtures("other")
def test_json_has_every_component(zoo: Zoo) -> None:
    code, out, _ = zoo("plugins", "check", "zoo-one", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 1
    assert rows["good"]["problems"] == []
    assert rows["bad"]["problems"][1] == "sampler 'bad' of zoo-one 1.0: SystemExit: 3"
    assert rows["good"]["seconds"] > 0


@pytest.mark.usefixtures("other")
def test_of_a_family_three_small_ones_are_checked_or_all(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(checks._CHECKS, "architecture", lambda component: iter(()))

    def checked(*arguments: str) -> list[str]:
        code, out, _ = zoo("plugins", "check", "zoo-many", *arguments, "--json")
        assert code == 0
        return [row["name"] for row in json.loads(out)]

    assert checked() == ["f/n10", "f/n31", "f/n34"]
    assert len(checked("--all")) == 12
    assert checked("--component", "f/n90") == ["f/n90"]
    assert zoo("plugins", "check", "zoo-many")[1].endswith(
        "3 components of zoo-many keep the contract; 9 more members of families: --all\n"
    )


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["zoo-on"],
            "plugin 'zoo-on' is not installed (did you mean 'zoo-one'?); see: zoo plugins list",
        ),
        (
            ["zoo-one", "--component", "goo"],
            "plugin 'zoo-one' has no component 'goo' (did you mean 'good'?); see: zoo plugins show "
            "zoo-one",
        ),
        (
            ["zoo-one", "--root", "far=x"],
            "plugin 'zoo-one' has no component 'far'; see: zoo plugins show zoo-one",
        ),
        (
            ["zoo-one", "--root", "good"],
            "invalid value for --root: 'good': expected DATASET=FOLDER; see: zoo plugins check "
            "--help",
        ),
    ],
)
def test_what_is_not_there_is_said(zoo: Zoo, arguments: list[str], said: str) -> None:
    code, out, err = zoo("plugins", "check", *arguments)
    assert (code, out) == (2 if "--help" in said else 1, "")
    assert err == f"zoo: error: {said}\n"
