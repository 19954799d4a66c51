"""The dataset ``made``, a working folder of one's own, a browser, and a run that was trained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
import report_examples as examples
from chromium import Browser

import zoo
from zoo.plugins import loading
from zoo.plugins.catalog import catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.runs.folder import RunFolder

RECIPE = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "linear"},
    "optimizer": {"name": "adam", "lr": 0.01},
    "training": {"epochs": 3, "threads": 1, "device": "cpu"},
    "card": {"licence": "apache-2.0", "intended_use": "a test"},
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, with a registry named in it, and the dataset of the examples."""
    (tmp_path / "registry.toml").write_text(
        'default = "local"\n[registry.local]\nurl = "registry"\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("ZOO_DATA", raising=False)
    found, problems = loading.load_all()
    spec = zoo.DatasetSpec(
        name="made",
        build=lambda context: examples.DATASETS["made"],
        summary="for tests",
        source="here",
    )
    extra = Loaded(Plugin("fake", "zoo-fake", "1"), (spec,))
    monkeypatch.setattr(loading, "load_all", lambda: ([*found, extra], problems))
    # The recipe's root is another machine's; what is made needs no files.
    monkeypatch.setattr("zoo.runs.opening.dataset_folder", lambda component, root: None)
    catalog.cache_clear()
    yield tmp_path
    catalog.cache_clear()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that was trained and evaluated; not to be changed."""
    path = tmp_path_factory.mktemp("runs") / "trained"
    run = zoo.train(RECIPE, folder=path)
    zoo.evaluate(path)
    return run


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if lacking := chromium.missing():
        pytest.skip(lacking)
    with chromium.started(tmp_path_factory.mktemp("profile")) as started:
        yield started
