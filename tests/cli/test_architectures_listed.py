"""zoo components list and show, of architectures: what families say, and what is built to learn."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from zoo.errors import ComponentError, DataError
from zoo.plugins import catalog as catalogs
from zoo.plugins.catalog import Catalog
from zoo.plugins.families import ArchitectureFamily
from zoo.plugins.loading import Loaded, Plugin
from zoo.plugins.specs import ArchitectureSpec, Facts

Zoo = Callable[..., tuple[int, str, str]]
LEAST = 32
FACTS = {
    "resnet18": Facts(11_689_512, ("a1_in1k", "tv_in1k"), "apache-2.0", "arXiv:1512.03385",
                      (64, 64), LEAST),
    "resnet50": Facts(25_557_032, (), "", "arXiv:1512.03385", (64, 64)),
    "masks": Facts(5_000_000, ("one",), tasks={"segmentation"}),
    "odd": Facts(),
}  # fmt: skip


def build(context: Any, name: str, *, width: int = 4, drop: float = 0.0) -> nn.Module:
    if name == "odd":
        raise ImportError("No module named 'odd_library'")
    if min(context.image_size) < LEAST:
        raise DataError(f"{name} takes sides from {LEAST} pixels on; try --size {LEAST}")
    layers: list[nn.Module] = [nn.Conv2d(context.in_channels, width, 3, padding=1)]
    if name != "masks":
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*layers, nn.Linear(width, context.outputs))
    return nn.Sequential(*layers, nn.Conv2d(width, context.outputs, 1))


def plain(context: Any, *, hidden: int = 8) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(context.outputs))


def needy(context: Any, *, depth: int) -> nn.Module:
    raise AssertionError("never built: depth is missing")


@pytest.fixture(autouse=True)
def family(monkeypatch: pytest.MonkeyPatch) -> None:
    lib = ArchitectureFamily(
        prefix="lib", names=list(FACTS), build=build, summary="a library's",
        options=lambda name: inspect.signature(build), facts=FACTS.__getitem__,
        tasks={"multiclass", "segmentation"},
        pretrained=lambda context, name, **options: None,
    )  # fmt: skip
    given: dict[str, Any] = {"summary": "plain", "tasks": {"multiclass"}}
    one = ArchitectureSpec(name="one_resnet", build=plain, **given)
    two = ArchitectureSpec(name="two", build=needy, pretrained=needy, **given)
    made = Catalog([Loaded(Plugin("lib", "zoo-lib", "1.0"), (lib, one, two))])
    monkeypatch.setattr(catalogs, "catalog", lambda: made)


def names(zoo: Zoo, *arguments: str) -> list[str]:
    code, out, _ = zoo("components", "list", "architectures", *arguments, "--json")
    assert code == 0
    return [row["name"] for row in json.loads(out)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["lib/masks", "lib/odd", "lib/resnet18", "lib/resnet50", "one_resnet", "two"]),
        (["resnet"], ["lib/resnet18", "lib/resnet50", "one_resnet"]),
        (["RESNET1"], ["lib/resnet18"]),
        (["lib/*resnet*"], ["lib/resnet18", "lib/resnet50"]),
        (["resnet*"], []),
        (["*[05]"], ["lib/resnet50"]),
        (["--task", "segmentation"], ["lib/masks", "lib/odd", "lib/resnet18", "lib/resnet50"]),
        (["--pretrained"], ["lib/masks", "lib/resnet18", "two"]),
        (["--max-params", "12M"], ["lib/masks", "lib/resnet18"]),
        (["--max-params", "5000K"], ["lib/masks"]),
        (["lib/res*", "--pretrained", "--max-params", "1.2G"], ["lib/resnet18"]),
    ],
)
def test_a_list_is_narrowed(zoo: Zoo, arguments: list[str], expected: list[str]) -> None:
    assert names(zoo, *arguments) == expected


def test_a_members_own_tasks_count(zoo: Zoo) -> None:
    assert names(zoo, "lib/", "--task", "multiclass") == ["lib/odd", "lib/resnet18", "lib/resnet50"]


def test_what_a_family_says_is_a_column(zoo: Zoo) -> None:
    code, out, err = zoo("components", "list", "architectures")
    assert (code, err) == (0, "")
    lines = {line.split()[0]: " ".join(line.split()) for line in out.splitlines()}
    assert lines["NAME"] == "NAME PARAMETERS PRETRAINED PLUGIN TASKS SUMMARY"
    assert lines["lib/resnet18"].startswith("lib/resnet18 11.7 M a1_in1k +1 zoo-lib multi")
    assert lines["lib/masks"] == "lib/masks 5 M one zoo-lib segmentation a library's"
    assert lines["one_resnet"] == "one_resnet - - zoo-lib multiclass plain"


def test_what_nobody_knows_the_size_of_is_counted(zoo: Zoo) -> None:
    code, out, err = zoo("components", "list", "architectures", "--max-params", "100")
    assert (code, out) == (0, "")
    assert err == (
        "no architectures like that; all of them: zoo components list architectures\n"
        "left out, for nobody says how large they are: 3; one's size: zoo components show NAME\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "losses", "--pretrained"], "--pretrained: it narrows architectures only"),
        (["list", "--max-params", "5M"], "--max-params: it narrows architectures only"),
        (
            ["list", "architectures", "--max-params", "big"],
            "--max-params: 'big': expected a number such as 300K, 5M or 1.2G",
        ),
        (
            ["show", "lib/masks", "--size", "0"],
            "--size: '0': expected pixels, such as 224 or 160x224",
        ),
    ],
)
def test_what_cannot_be_asked_is_said(zoo: Zoo, arguments: list[str], said: str) -> None:
    code, out, err = zoo("components", *arguments)
    assert (code, out) == (2, "")
    path = f"zoo components {arguments[0]}"
    assert err == f"zoo: error: invalid value for {said}; see: {path} --help\n"


def shown(zoo: Zoo, *arguments: str) -> Any:
    code, out, err = zoo("components", "show", *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_an_architecture_is_shown_with_its_cost_at_the_size_it_was_made_for(zoo: Zoo) -> None:
    seen = shown(zoo, "lib/resnet18")
    assert seen["cost"]["image"] == [3, 64, 64]
    assert seen["cost"]["output"] == [10]
    assert seen["cost"]["parameters"] == 4 * (27 + 1) + 10 * (4 + 1)
    assert seen["cost"]["flops"] == 2 * (4 * 27 * 64 * 64 + 40)
    assert seen["facts"]["pretrained"] == ["a1_in1k", "tv_in1k"]
    assert [one["name"] for one in seen["options"]] == ["width", "drop"]
    assert seen["problems"] == []
    code, out, err = zoo("components", "show", "lib/resnet18")
    assert (code, err) == (0, "")
    for line in (
        "paper         arXiv:1512.03385\n",
        "published     11.7 M parameters\n",
        "pretrained    a1_in1k, tv_in1k\n",
        "licence       apache-2.0\n",
        "made for      64x64 pixels\n",
        "smallest      32 pixels a side\n",
        "input         3x64x64, to 10 outputs\n",
        "parameters    162\n",
        "FLOPs         885 k forward, two a multiply-add; about 2.65 M in training\n",
        "\nOPTION  TYPE   DEFAULT\nwidth   int    4\n",
    ):
        assert line in out


def test_it_is_looked_at_in_the_form_that_is_asked_for(zoo: Zoo) -> None:
    asked = ["--size", "32x48", "--channels", "1", "--outputs", "3"]
    cost = shown(zoo, "lib/resnet50", *asked)["cost"]
    assert (cost["image"], cost["output"]) == ([1, 32, 48], [3])
    cost = shown(zoo, "lib/masks", *asked)["cost"]
    assert (cost["image"], cost["output"]) == ([1, 32, 48], [3, 32, 48])
    assert shown(zoo, "lib/masks")["cost"]["output"] == [2, 224, 224]


def test_sizes_are_tried_when_asked(zoo: Zoo) -> None:
    assert "sides" not in shown(zoo, "lib/resnet18")
    sides = shown(zoo, "lib/resnet18", "--sides")["sides"]
    assert sides["refused"] == [28]
    assert sides["taken"][:2] == [32, 64]


def test_the_layers_are_shown_when_asked(zoo: Zoo) -> None:
    assert "Conv2d" not in zoo("components", "show", "lib/masks")[1]
    assert "Conv2d  2x224x224" in zoo("components", "show", "lib/masks", "--layers")[1]


def test_a_size_that_is_refused_is_one_line_and_the_rest_is_shown(zoo: Zoo) -> None:
    code, out, err = zoo("components", "show", "lib/resnet18", "--size", "28")
    assert code == 1
    assert err == "zoo: error: resnet18 takes sides from 32 pixels on; try --size 32\n"
    assert "pretrained    a1_in1k, tv_in1k\n" in out
    assert "\nwidth   int    4\n" in out


def test_a_library_that_is_missing_is_one_line_and_the_rest_is_shown(zoo: Zoo) -> None:
    code, out, err = zoo("components", "show", "lib/odd", "--json")
    assert code == 1
    line = (
        "architecture 'lib/odd' of zoo-lib 1.0 failed to build: ImportError: No module named "
        "'odd_library'"
    )
    assert err == f"zoo: error: {line}\n"
    seen = json.loads(out)
    assert (seen["cost"], seen["problems"]) == (None, [line])
    assert [one["name"] for one in seen["options"]] == ["width", "drop"]


def test_one_that_needs_values_is_built_with_them(zoo: Zoo) -> None:
    assert shown(zoo, "one_resnet", "--size", "4")["cost"]["output"] == [10]


def test_one_with_a_required_option_is_shown_without_its_cost(zoo: Zoo) -> None:
    assert shown(zoo, "two")["cost"] is None


@pytest.mark.parametrize("facts", [lambda name: 1 / 0, lambda name: {"parameters": 3}])
def test_a_family_that_fails_to_say_is_named(facts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.plugins.facts import facts_of

    bad = ArchitectureFamily(prefix="bad", names=["x"], build=build, summary="bad", facts=facts)
    made = Catalog([Loaded(Plugin("bad", "zoo-bad", "1.0"), (bad,))])
    with pytest.raises(Exception) as caught:
        facts_of(made.get("architecture", "bad/x"))
    assert str(caught.value) in (
        "architecture 'bad/x' of zoo-bad 1.0: its facts cannot be read: ZeroDivisionError: "
        "division by zero",
        "architecture 'bad/x' of zoo-bad 1.0: facts returned {'parameters': 3}; expected a "
        "zoo.Facts",
    )


def test_outputs_that_no_task_of_its_has(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.training.architecture_cost import cost_of

    component = catalogs.catalog().get("architecture", "one_resnet")
    for tasks, outputs, expected in (({"binary"}, 4, "1 output"), ({"multiclass"}, 1, "2 outputs")):
        with pytest.raises(ComponentError) as caught:
            cost_of(component, tasks, outputs=outputs)
        assert f"with outputs {outputs}: expected {expected}" in str(caught.value)
