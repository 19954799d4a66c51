"""Completion functions: names that begin with what is typed, and silence about all that fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from zoo_cli import completion

from zoo.plugins import catalog as catalogs
from zoo.registry import config
from zoo.runs.folder import RunFolder


def test_components_of_one_kind_or_of_all() -> None:
    assert completion.complete_component("dataset")("dig") == ["digits"]
    assert completion.complete_component("loss")("dig") == []
    assert "digits" in completion.complete_component()("d")


def test_runs_models_and_registries(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    RunFolder.create(here / "runs" / "digits-1").update(status="running")
    assert completion.complete_runs("runs/dig") == ["runs/digits-1"]
    assert completion.complete_runs("dig") == ["digits-1"]
    assert completion.complete_models("") == []
    assert completion.complete_registries("lo") == ["local"]
    monkeypatch.setattr(config.Registry, "models", lambda self: ["digits-mlp", "pets"])
    assert completion.complete_runs_and_models("") == ["runs/digits-1", "digits-mlp", "pets"]
    assert completion.complete_models("dig") == ["digits-mlp"]
    assert completion.complete_runs_and_models("dig") == ["digits-1", "digits-mlp"]


def test_what_fails_offers_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(catalogs, "catalog", fail)
    assert completion.complete_component("dataset")("") == []
    (here / "registry.toml").write_text("not TOML")
    assert completion.complete_models("") == []
