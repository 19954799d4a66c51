"""A small trained run, made once, and a working folder of one's own."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from asked import subject
from digits_runs import recipe_of

import zoo
from zoo.plugins import loading
from zoo.plugins.catalog import catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.runs import predicting

RECIPE = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "linear"},
    "optimizer": {"name": "adam", "lr": 0.01},
    "training": {"epochs": 3, "threads": 1, "device": "cpu"},
    "card": {"licence": "apache-2.0", "intended_use": "a test"},
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A run that was trained and evaluated; not to be changed."""
    path = tmp_path_factory.mktemp("runs") / "trained"
    run = zoo.train(RECIPE, folder=path)
    zoo.evaluate(path)
    return run


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The working folder, with a registry named in it; nothing of the user's is seen."""
    (tmp_path / "registry.toml").write_text(
        'default = "local"\n[registry.local]\nurl = "registry"\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def run(trained, here):
    """A copy of the trained run, to be changed at will."""
    shutil.copytree(trained.path, here / "runs" / "copy")
    return type(trained)(here / "runs" / "copy")


def made(context, *, classes: int = 3, samples: int = 60, unlabelled: bool = False):
    """Random images, ``labels`` in turn; ``test`` may be without them."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (samples, 4, 5), dtype=np.uint8)
    labels = np.arange(samples) % classes
    ids = [f"s{i}" for i in range(samples)]
    splits = {"all": zoo.ArraySplit(images, labels, ids)}
    if unlabelled:
        splits["test"] = zoo.ArraySplit(images[:7], None, [f"u{i}" for i in range(7)])
    task = zoo.Task.multiclass([f"class {i}" for i in range(classes)])
    return zoo.Dataset(task, splits, zoo.Provenance("mit"))


@pytest.fixture
def made_data(monkeypatch):
    """The dataset ``made`` is installed, too."""
    found, problems = loading.load_all()
    spec = zoo.DatasetSpec(name="made", build=made, summary="for tests", source="here")
    extra = Loaded(Plugin("fake", "zoo-fake", "1"), (spec,))
    monkeypatch.setattr(loading, "load_all", lambda: ([*found, extra], problems))
    catalog.cache_clear()
    yield
    catalog.cache_clear()


@pytest.fixture
def known(monkeypatch):
    """Make a subject what every reference means."""

    def use(*given, **changes):
        made = subject(*given, **changes)
        monkeypatch.setattr(predicting, "open_subject", lambda *_: made)
        return made

    use()
    return use


@pytest.fixture(scope="session")
def three_trained(tmp_path_factory):
    """Two linear networks and a small CNN that sees 12x12 pixels; not to be changed."""
    folder = tmp_path_factory.mktemp("three")
    cnn = {"architecture": {"name": "simple_cnn"}, "data": {"size": 12}}
    for name, seed, changes in (("a", 0, {}), ("b", 1, {}), ("c", 2, cnn)):
        zoo.train(recipe_of(seed, **changes), folder=folder / name)
    return folder


@pytest.fixture
def runs(three_trained, here):
    """The paths of copies of them: a, b and c."""
    for name in "abc":
        shutil.copytree(three_trained / name, here / "runs" / name)
    return [str(here / "runs" / name) for name in "abc"]


@pytest.fixture
def files(runs):
    """What they say, as files: (val, test) of each."""
    for run in runs:
        for split in ("val", "test"):
            zoo.evaluate(run, split=split, draws=0)
    folders = [Path(run) / "predictions" for run in runs]
    return [(folder / "val.npz", folder / "test.npz") for folder in folders]
