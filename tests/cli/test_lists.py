"""zoo components and zoo plugins, on the first-party plugin."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from importlib import metadata

import pytest

from zoo.plugins import catalog as catalogs
from zoo.plugins.catalog import Catalog
from zoo.plugins.loading import Loaded, Plugin, Problem
from zoo.plugins.specs import LossSpec, SamplerSpec, TrackerSpec

Zoo = Callable[..., tuple[int, str, str]]
BASICS = metadata.version("zoo-basics")


def parsed(answer: tuple[int, str, str]) -> object:
    code, out, err = answer
    assert (code, err) == (0, "")
    return json.loads(out)


def focal(context: object, *, gamma: float = 2.0, alpha: list[float]) -> None: ...


def track(context: object) -> None: ...


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A catalog with one name in two kinds, a name given twice, and a plugin left out."""
    one, two = Plugin("one", "zoo-one", "1.0", "zoo_one"), Plugin("two", "zoo-two", "2.0")
    focal_spec = LossSpec(name="focal", build=focal, summary="hard ones", tasks={"binary"})
    same = SamplerSpec(name="focal", build=focal, summary="also called so")
    double = LossSpec(name="dice", build=focal, summary="overlap")
    made = Catalog(
        [Loaded(one, (focal_spec, same, double)), Loaded(two, (double,))],
        [Problem(Plugin("bad", "zoo-bad", "0.1", "zoo_bad"), "ValueError: no")],
    )
    monkeypatch.setattr(catalogs, "catalog", lambda: made)
    yield


def test_without_a_kind_all_are_counted(zoo: Zoo) -> None:
    counts = parsed(zoo("components", "list", "--json"))
    assert isinstance(counts, dict)
    assert list(counts) == [
        "datasets", "architectures", "losses", "samplers", "augmentations", "optimizers",
        "schedulers", "trackers",
    ]  # fmt: skip
    assert counts["optimizers"] >= 5
    table = zoo("components", "list")[1]
    assert f"optimizers{counts['optimizers']:>15}\n" in table


def test_a_kind_is_listed_by_either_name(zoo: Zoo) -> None:
    rows = parsed(zoo("components", "list", "losses", "--json"))
    assert rows == parsed(zoo("components", "list", "loss", "--json"))
    assert isinstance(rows, list)
    found = {row.pop("name"): row for row in rows}
    assert found["bce"].pop("summary")
    assert found["bce"] == {
        "kind": "loss",
        "tasks": ["binary", "multilabel", "segmentation"],
        "plugin": "basics",
        "distribution": "zoo-basics",
        "version": BASICS,
    }


def test_a_task_narrows_the_list(zoo: Zoo) -> None:
    code, out, _ = zoo("components", "list", "losses", "--task", "binary")
    assert code == 0
    assert "\nbce " in out
    assert "\ncross_entropy " not in out


def test_a_component_is_shown_with_its_options(zoo: Zoo) -> None:
    shown = parsed(zoo("components", "show", "adam", "--json"))
    assert isinstance(shown, dict)
    assert shown["kind"] == "optimizer"
    assert shown["source"]
    options = {option["name"]: option for option in shown["options"]}
    assert options["lr"]["type"] == "float > 0"
    code, out, _ = zoo("components", "show", "adam")
    assert code == 0
    assert f"plugin     basics of zoo-basics {BASICS}\n" in out
    assert "lr " in out


def test_a_schedule_over_the_whole_budget_says_so(zoo: Zoo) -> None:
    assert "\nbudget     its rates span all epochs" in zoo("components", "show", "cosine")[1]
    assert "budget" not in zoo("components", "show", "exponential")[1]
    shown = parsed(zoo("components", "show", "cosine", "--json"))
    assert isinstance(shown, dict) and shown["bound_to_budget"] is True


def test_a_tracker_without_its_library_says_what_to_install(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = TrackerSpec(name="log", build=track, summary="t", requires="no_such_module")
    made = Catalog([Loaded(Plugin("one", "zoo-one", "1.0"), (spec,))])
    monkeypatch.setattr(catalogs, "catalog", lambda: made)
    out = zoo("components", "show", "log")[1]
    assert (
        "\nmissing  it needs no_such_module; install it with: pip install 'zoo-one[log]'\n" in out
    )


@pytest.mark.usefixtures("other")
def test_required_options_say_so(zoo: Zoo) -> None:
    out = zoo("components", "show", "focal", "--kind", "losses")[1]
    assert "OPTION  TYPE         DEFAULT\n" in out
    assert "gamma   float        2.0\n" in out
    assert "alpha   list[float]  required\n" in out
    assert list(inspect.signature(focal).parameters)[1:] == ["gamma", "alpha"]


@pytest.mark.usefixtures("other")
def test_a_name_of_two_kinds_asks_for_the_kind(zoo: Zoo) -> None:
    assert zoo("components", "show", "focal") == (
        1,
        "",
        "zoo: error: 'focal' is the name of several kinds, loss and sampler; "
        "choose with --kind loss\n",
    )
    assert zoo("components", "show", "focal", "--kind", "sampler")[0] == 0


@pytest.mark.usefixtures("other")
def test_a_name_given_twice_names_both_givers(zoo: Zoo) -> None:
    code, out, err = zoo("components", "show", "dice")
    assert (code, out) == (1, "")
    assert "is provided by zoo-one 1.0 and zoo-two 2.0: uninstall one" in err


def test_an_unknown_name_gets_the_nearest(zoo: Zoo) -> None:
    assert zoo("components", "show", "simple_cn") == (
        1,
        "",
        "zoo: error: component 'simple_cn' is not installed (did you mean 'simple_cnn'?); "
        "see: zoo components list\n",
    )
    assert (
        "see: zoo components list losses"
        in zoo("components", "show", "simple_cnn", "--kind", "loss")[2]
    )


@pytest.mark.usefixtures("other")
def test_a_plugin_left_out_is_in_the_list(zoo: Zoo) -> None:
    rows = parsed(zoo("plugins", "list", "--json"))
    assert isinstance(rows, list)
    assert [(row["name"], row["components"], row["problem"]) for row in rows] == [
        ("bad", 0, "ValueError: no"),
        ("one", 3, None),
        ("two", 1, None),
    ]
    assert " not loaded: ValueError: no\n" in zoo("plugins", "list")[1]
    assert "problem       ValueError: no\n" in zoo("plugins", "show", "zoo-bad")[1]


def test_a_plugin_is_shown_by_its_own_name_or_its_distributions(zoo: Zoo) -> None:
    shown = parsed(zoo("plugins", "show", "basics", "--json"))
    assert isinstance(shown, list)
    assert shown[0].pop("load_ms") >= 0
    again = parsed(zoo("plugins", "show", "zoo-basics", "--json"))
    assert isinstance(again, list)
    assert again[0].pop("load_ms") >= 0
    assert shown == again
    assert "digits" in shown[0]["provides"]["datasets"]
    assert zoo("plugins", "show", "basic") == (
        1,
        "",
        "zoo: error: plugin 'basic' is not installed (did you mean 'basics'?); "
        "see: zoo plugins list\n",
    )
