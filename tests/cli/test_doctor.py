"""zoo doctor: what it looks at, what it finds, and when that is the end."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import sys
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from zoo_cli import checks, checks_machine, checks_places, checks_versions

from zoo.errors import ZooWarning
from zoo.plugins import catalog as catalogs
from zoo.plugins import loading
from zoo.plugins.catalog import Catalog
from zoo.plugins.families import ArchitectureFamily
from zoo.plugins.loading import Loaded, Plugin, Problem
from zoo.plugins.specs import LossSpec

Zoo = Callable[..., tuple[int, str, str]]
BAD = Problem(Plugin("bad", "zoo-bad", "0.1"), "ValueError: no")


def loss(name: str) -> LossSpec:
    return LossSpec(name=name, build=print, summary="a loss")


@pytest.fixture(autouse=True)
def one_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is installed, zoo-basics alone."""
    made = Catalog(*loading.load_all(selection="basics"))
    monkeypatch.setattr(catalogs, "catalog", lambda: made)


def examined(zoo: Zoo) -> tuple[int, Any]:
    code, out, err = zoo("doctor", "--json")
    assert err == ""
    return code, json.loads(out)


def test_a_sound_installation(zoo: Zoo) -> None:
    code, report = examined(zoo)
    assert (code, report["findings"], report["blocked"]) == (0, [], False)
    libraries = {row["library"]: row for row in report["libraries"]}
    assert libraries["torch"]["installed"] == metadata.version("torch")
    assert libraries["torch"]["supported"] == ">=2.11"
    assert {"zoo", "zoo-basics"} <= set(libraries["torch"]["for"])
    assert not {"pytest", "ruff"} & set(libraries)
    cpu = report["devices"][0]
    assert cpu["device"] == "cpu" and cpu["bf16"] in ("native", "emulated")
    assert cpu["cores"] >= 1 and cpu["name"]
    assert report["plugins"][0]["problem"] is None
    assert report["memory"]["free_gib"] > 0
    assert [row["cache"] for row in report["caches"]][:2] == ["decoded images", "pulled versions"]
    assert report["environment"]["executable"] == sys.executable
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
    ours = [required, "nothing>=9; extra == 'test'", "captum>=99; extra == 'explain'"]
    requires = metadata.requires
    monkeypatch.setattr(
        checks_versions.metadata, "requires", lambda name: ours if name == "zoo" else requires(name)
    )
    code, report = examined(zoo)
    assert code == 1
    finding, optional = report["findings"]
    assert finding["do"] == f"pip install '{required}'"
    assert re.fullmatch(what, finding["what"]) and finding["blocks"]
    assert optional["what"].endswith("zoo needs captum>=99") and not optional["blocks"]
    assert "nothing" not in {row["library"] for row in report["libraries"]}


def test_a_library_that_cannot_be_imported_is_the_end(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = importlib.import_module

    def refuse(name: str, package: str | None = None) -> object:
        if name == "torch":
            raise OSError("libcudart.so.13: cannot open shared object file")
        return load(name, package)

    monkeypatch.setattr(importlib, "import_module", refuse)
    code, report = examined(zoo)
    assert code == 1
    assert [finding["what"] for finding in report["findings"]] == [
        "torch cannot be imported: OSError: libcudart.so.13: cannot open shared object file"
    ]


@pytest.mark.parametrize(
    ("torch", "vision", "said"),
    [
        ("2.13.0", "0.29.1", "torchvision 0.29.1 needs torch==2.14.1, and torch is 2.13.0"),
        (
            "2.14.1+cpu",
            "0.29.1+cu130",
            "torch 2.14.1+cpu and torchvision 0.29.1+cu130 are of different builds",
        ),
        ("2.14.1+cu130", "0.29.1+cu130", None),
    ],
)
def test_torchvision_must_be_made_for_this_torch(
    monkeypatch: pytest.MonkeyPatch, torch: str, vision: str, said: str | None
) -> None:
    have = {"torch": torch, "torchvision": vision}
    monkeypatch.setattr(checks_versions, "version", have.get)
    monkeypatch.setattr(checks_versions, "_requirements", lambda: [])
    monkeypatch.setattr(
        checks_versions.metadata, "requires", lambda name: ["numpy", "torch==2.14.1"]
    )
    findings: list[checks.Finding] = []
    checks_versions.libraries(findings)
    assert [one.what for one in findings] == ([] if said is None else [said])
    assert all(one.blocks and "same index" in one.do for one in findings)


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
            "reachable": True,
            "models": 0,
            "writable": True,
            "free_gib": pytest.approx(shutil.disk_usage(here).free / 2**30, abs=1),
            "from": str(here / "registry.toml"),
        }
    ]


def test_data_folder_and_disk(zoo: Zoo, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_DATA", str(here / "nowhere"))
    monkeypatch.setattr(checks_places, "LOW_DISK", 2**80)
    monkeypatch.setattr(checks_machine, "LOW_MEMORY", 2**80)
    said = {finding["what"].partition(" GiB ")[2] or finding["what"]: finding["do"]
            for finding in examined(zoo)[1]["findings"]}  # fmt: skip
    cache = os.environ["ZOO_CACHE"]
    assert said == {
        "of memory are free": "end other programs, or train with --batch-size auto",
        f"free for registry 'local' in '{here / 'data/zoo/registry'}'": "make room",
        f"free for the cache in '{cache}'": "make room",
        f"$ZOO_DATA '{here / 'nowhere'}': no such file or folder": "make the folder, or unset "
        "ZOO_DATA",
        f"free for runs in '{here}'": "make room",
    }


def test_a_section_that_fails_does_not_hide_the_others(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KeyError("odd")

    monkeypatch.setattr(catalogs, "catalog", fail)
    _, report = examined(zoo)
    assert report["plugins"] is None
    assert report["environment"]["zoo"]
    assert report["findings"][0]["what"] == "plugins: KeyError: 'odd'"


def test_of_variables_that_may_be_secret_only_the_names_are_shown(
    zoo: Zoo, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "registry.toml").write_text(
        '[registry.team]\nurl = "http://127.0.0.1:9/x"\ntoken_env = "ZOO_TEAM"\n'
        '[registry.other]\nurl = "http://127.0.0.1:9/y"\ntoken_env = "ZOO_OTHER"\n'
    )
    secret = "s3cr3t-value"
    for name in ("ZOO_TEAM", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "WANDB_API_KEY"):
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("HF_ENDPOINT", f"https://me:{secret}@mirror.example")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("ZOO_CACH", "/tmp/elsewhere")
    monkeypatch.setattr(checks_places, "ANSWER_SECONDS", 0.1)
    for shown in (zoo("doctor")[1], zoo("doctor", "--json")[1]):
        assert secret not in shown
        assert all(name in shown for name in ("ZOO_TEAM", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY"))
    _, report = examined(zoo)
    values = {row["name"]: row["value"] for row in report["variables"]}
    assert (values["HF_HUB_OFFLINE"], values["HF_ENDPOINT"]) == ("1", "set")
    said = {finding["what"]: finding["do"] for finding in report["findings"]}
    assert said["ZOO_CACH is set, which zoo does not know (did you mean 'ZOO_CACHE'?)"] == (
        "rename it, or unset ZOO_CACH"
    )
    assert "ZOO_OTHER, which registry.toml names, is not set" in said


def test_plugins_that_are_slow_incomplete_or_misspelt(
    zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def names() -> list[str]:
        raise OSError("names.json is gone")

    slow = Plugin("slow", "zoo-slow", "1.0", load_seconds=2.0)
    family = ArchitectureFamily(prefix="lib", names=names, build=print, summary="s")
    made = Catalog([Loaded(slow, (loss("a"),)), Loaded(Plugin("odd", "zoo-odd", "1"), (family,))])

    def catalog() -> Catalog:
        warnings.warn("ZOO_PLUGINS names 'x': no such plugin", ZooWarning, stacklevel=1)
        return made

    monkeypatch.setattr(catalogs, "catalog", catalog)
    assert [finding["what"] for finding in examined(zoo)[1]["findings"]] == [
        "ZOO_PLUGINS names 'x': no such plugin",
        "plugin 'odd' of zoo-odd 1 is incomplete: architecture 'lib' of zoo-odd 1: its names "
        "cannot be read: OSError: names.json is gone",
        "plugin 'slow' of zoo-slow 1.0 takes 2.0 s to load, at every list",
    ]
