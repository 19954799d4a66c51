"""zoo doctor: what it looks at, what it finds, and when that is the end."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from zoo_cli import checks

from zoo.plugins import catalog as catalogs
from zoo.plugins.catalog import Catalog
from zoo.plugins.loading import Loaded, Plugin, Problem
from zoo.plugins.specs import LossSpec

Zoo = Callable[..., tuple[int, str, str]]
BAD = Problem(Plugin("bad", "zoo-bad", "0.1"), "ValueError: no")


def loss(name: str) -> LossSpec:
    return LossSpec(name=name, build=print, summary="a loss")


def examined(zoo: Zoo) -> tuple[int, Any]:
    code, out, err = zoo("doctor", "--json")
    assert err == ""
    return code, json.loads(out)


def test_a_sound_installation(zoo: Zoo) -> None:
    code, report = examined(zoo)
    assert (code, report["findings"], report["blocked"]) == (0, [], False)
    assert report["versions"]["torch"]
    assert report["devices"][0]["device"] == "cpu"
    assert report["plugins"][0]["problem"] is None
    assert report["registries"][0]["from"] == "built in"
    code, out, err = zoo("doctor")
    assert (code, err) == (0, "")
    assert out.endswith("no problems found\n")


def test_a_bad_plugin_and_a_duplicate_are_problems_but_not_the_end(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = Plugin("one", "zoo-one", "1.0"), Plugin("two", "zoo-two", "2.0")
    made = Catalog([Loaded(one, (loss("dice"),)), Loaded(two, (loss("dice"),))], [BAD])
    monkeypatch.setattr(catalogs, "catalog", lambda: made)
    code, report = examined(zoo)
    assert (code, report["blocked"]) == (0, False)
    assert [finding["what"] for finding in report["findings"]] == [
        "plugin 'bad' of zoo-bad 0.1 is not loaded: ValueError: no",
        "loss 'dice' is provided by zoo-one 1.0 and zoo-two 2.0: uninstall one, or name the "
        "plugins to load in ZOO_PLUGINS",
    ]
    assert zoo("doctor")[1].endswith("problems found: 2; zoo can work\n")


def test_no_plugin_at_all_is_the_end(zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogs, "catalog", lambda: Catalog([], [BAD]))
    code, report = examined(zoo)
    assert (code, report["blocked"]) == (1, True)
    code, out, _ = zoo("doctor")
    assert code == 1
    assert "blocked  no plugin is loaded\ndo       pip install zoo-basics\n" in out
    assert out.endswith("nothing can work yet\n")


@pytest.mark.parametrize(
    ("required", "what"),
    [
        ("torch>=99", r"torch [\d.+a-z]+: zoo needs torch>=99"),
        ("not-there-at-all>=1", "not-there-at-all is missing: zoo needs not-there-at-all>=1"),
    ],
)
def test_a_dependency_that_does_not_fit_is_the_end(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch, required: str, what: str
) -> None:
    monkeypatch.setattr(
        checks.metadata, "requires", lambda name: [required, "nothing>=9; extra == 'test'"]
    )
    code, report = examined(zoo)
    assert code == 1
    (finding,) = report["findings"]
    assert finding["do"] == f"pip install '{required}'"
    assert re.fullmatch(what, finding["what"])


def test_a_library_that_cannot_be_imported_is_the_end(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = importlib.import_module

    def refuse(name: str, package: str | None = None) -> object:
        if name == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist")
        return load(name, package)

    monkeypatch.setattr(importlib, "import_module", refuse)
    code, report = examined(zoo)
    assert code == 1
    assert [finding["what"] for finding in report["findings"]] == [
        "torchvision cannot be imported: RuntimeError: operator torchvision::nms does not exist"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("default = ", "is not TOML"),
        ('default = "x"\n[registry.local]\nurl = "registry"\n', "'x' is not one of its registries"),
        ('[registry.local]\nurl = "registry.toml/x"\n', "cannot be written"),
    ],
)
def test_registries_that_cannot_be_used(zoo: Zoo, here: Path, text: str, said: str) -> None:
    (here / "registry.toml").write_text(text)
    code, report = examined(zoo)
    assert code == 0
    assert said in report["findings"][0]["what"]


def test_a_registry_is_listed_with_its_models(zoo: Zoo, here: Path) -> None:
    (here / "registry.toml").write_text('[registry.mine]\nurl = "published"\n')
    assert examined(zoo)[1]["registries"] == [
        {
            "name": "mine",
            "default": True,
            "url": str(here / "published"),
            "models": 0,
            "writable": True,
            "from": str(here / "registry.toml"),
        }
    ]


def test_data_folder_and_disk(zoo: Zoo, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_DATA", str(here / "nowhere"))
    monkeypatch.setattr(checks, "LOW_DISK", 2**80)
    findings = examined(zoo)[1]["findings"]
    assert findings[0]["what"] == f"$ZOO_DATA '{here / 'nowhere'}': no such file or folder"
    assert "GiB free in" in findings[1]["what"]


def test_a_section_that_fails_does_not_hide_the_others(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KeyError("odd")

    monkeypatch.setattr(catalogs, "catalog", fail)
    _, report = examined(zoo)
    assert report["plugins"] is None
    assert report["versions"]["zoo"]
    assert report["findings"][0]["what"] == "plugins: KeyError: 'odd'"
