"""A small trained run, made once, and a working folder of one's own."""

import shutil

import pytest

import zoo

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
