"""A dry run says what a run would do, and leaves nothing."""

import json

import pytest

import zoo
from zoo.errors import ZooError
from zoo.runs import dry_run as module
from zoo.runs.dry_run import dry_run
from zoo.training import batch_size, events

RECIPE = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "simple_cnn"},
    "loss": {"name": "cross_entropy", "class_weights": "balanced"},
    "sampler": {"name": "weighted"},
    "training": {"epochs": 3, "threads": 1, "device": "cpu", "batch_size": 100},
}


def test_it_says_what_training_then_does(here):
    before = sorted(here.rglob("*"))
    said = dry_run(RECIPE)
    assert sorted(here.rglob("*")) == before
    seen = []
    done = zoo.train(RECIPE, folder=here / "a", overrides={"training.epochs": 1},
                     subscribers=[seen.append])  # fmt: skip
    started = next(event for event in seen if isinstance(event, events.TrainingStarted))
    assert (said.samples, said.steps) == (started.samples_per_epoch, started.steps_per_epoch)
    assert said.layers.parameters == started.parameters
    assert said.shares in seen
    assert done.info["class_shares"] == said.shares.by_class()
    assert sum(one["drawn"] for one in done.info["class_shares"].values()) == pytest.approx(1.0)
    ran = {**json.loads(json.dumps(said.as_json()))["recipe"]["training"], "epochs": 1}
    assert (
        ran == zoo.runs.dry_run.recipe_data(dry_run(done.path / "recipe.toml").recipe)["training"]
    )


def test_auto_stands_as_numbers_in_the_recipe_of_the_run(here):
    told = []
    sizes = {"training.batch_size": "auto", "training.micro_batch": "auto", "training.epochs": 1}
    run = zoo.train(RECIPE, folder=here / "a", overrides=sizes, subscribers=[told.append])
    assert "batch_size = 64\nmicro_batch = 0\n" in (run.path / "recipe.toml").read_text()
    texts = [event.text for event in told if isinstance(event, events.Notice)]
    assert any(text.startswith("batch_size = 64, the most that 'auto'") for text in texts)
    again = zoo.train(run.path / "recipe.toml", folder=here / "b")
    weights = [(one.path / "best.safetensors").read_bytes() for one in (run, again)]
    assert weights[0] == weights[1]


def test_parts_keep_the_batch(here, monkeypatch):
    """Where 64 images are too many, parts of a batch of 256 give the update of the whole."""
    plain = {**RECIPE, "architecture": {"name": "linear"}, "optimizer": {"name": "sgd"},
             "loss": {"name": "cross_entropy"}}  # fmt: skip
    size = {"training.batch_size": 256, "training.epochs": 1}
    whole = dry_run(plain, overrides=size)
    needed = whole.memory.needed(70)
    monkeypatch.setattr(batch_size, "free_memory", lambda device: 2 * needed)
    parted = dry_run(plain, overrides={**size, "training.micro_batch": "auto"})
    assert parted.recipe.training.micro_batch == parted.at_once == 64
    assert (parted.steps, parted.samples) == (whole.steps, whole.samples)


def test_what_does_not_fit_is_said(here, monkeypatch):
    assert dry_run(RECIPE).fit is None
    needed = dry_run(RECIPE).memory.needed(99)
    monkeypatch.setattr(module, "free_memory", lambda device: needed)
    assert dry_run(RECIPE).fit == 50
    monkeypatch.setattr(batch_size, "free_memory", lambda device: 0)
    assert dry_run(RECIPE).fit == 0


def test_what_is_wrong_is_said_as_in_training(here):
    with pytest.raises(ZooError, match="did you mean 'simple_cnn'"):
        dry_run(RECIPE, overrides={"architecture.name": "simple_cn"})
