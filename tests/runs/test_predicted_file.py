"""What a predictions file says beside the predictions: groups, who spoke, trained on what."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import zoo
from zoo.plugins import loading
from zoo.plugins.catalog import catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.predictions.file import load_predictions
from zoo.runs.predict import trained_on


def grouped(context):
    """Random images; three of each patient."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 4, 5), dtype=np.uint8)
    ids = [f"s{i:02}" for i in range(60)]
    groups = [f"patient {i // 3}" for i in range(60)]
    split = zoo.ArraySplit(images, np.arange(60) % 2, ids, groups)
    task = zoo.Task.multiclass(["a", "b"])
    return zoo.Dataset(task, {"all": split}, zoo.Provenance("mit"))


@pytest.fixture
def measured(monkeypatch, here):
    """A run on it, and its predictions."""
    found, problems = loading.load_all()
    spec = zoo.DatasetSpec(name="grouped", build=grouped, summary="for tests", source="here")
    extra = Loaded(Plugin("fake", "zoo-fake", "1"), (spec,))
    monkeypatch.setattr(loading, "load_all", lambda: ([*found, extra], problems))
    catalog.cache_clear()
    recipe = {
        "dataset": {"name": "grouped"},
        "architecture": {"name": "linear"},
        "training": {"epochs": 1, "threads": 1, "device": "cpu"},
    }
    run = zoo.train(recipe, folder=here / "runs/one")
    yield run, load_predictions(zoo.evaluate(run.path, device="cpu").path)
    catalog.cache_clear()


def test_each_sample_has_its_group(measured):
    _, said = measured
    assert len(said) > 3
    numbers = [int(one[1:]) for one in said.ids]
    assert said.groups.tolist() == [f"patient {number // 3}" for number in numbers]


def test_it_says_who_spoke_and_what_that_was_trained_on(measured):
    run, said = measured
    splits = run.info["data"]["splits"]
    assert said.source_digest == run.metrics("test")["weights_sha256"]
    assert said.trained_on.dataset == "grouped"
    assert said.trained_on.splits == {one: splits[one]["fingerprint"] for one in ("train", "val")}
    assert said.fingerprint == splits["test"]["fingerprint"]
    assert said.fingerprint not in said.trained_on.splits.values()
    training = load_predictions(zoo.evaluate(run.path, split="train", device="cpu").path)
    assert training.fingerprint == training.trained_on.splits["train"]
    assert training.trained_on == said.trained_on


def test_of_a_source_that_names_no_training_data_nothing_is_claimed():
    assert trained_on({"dataset": "unknown", "splits": {}}) is None
    assert trained_on({"splits": {"test": {"fingerprint": "f"}}}) is None
    only = trained_on({"dataset": "d", "splits": {"train": {"fingerprint": "f"}}})
    assert (only.dataset, only.splits) == ("d", {"train": "f"})


def test_a_file_is_measured_in_python_too(run):
    path = run.predictions_path("test")
    done = zoo.evaluate(path)
    written = run.metrics("test")
    assert {name: written[name] for name in done.metrics} == done.metrics
    assert (done.source, done.dataset, done.split, done.path) == ("trained", "digits", "test", path)
    with pytest.raises(zoo.ZooError, match=r"^--split: '.*test\.npz' is a predictions file"):
        zoo.evaluate(path, split="test")


def test_figures_do_not_depend_on_threads(run, here):
    """What was published on one machine is computed again on another."""
    code = (
        "import json, sys; from zoo.predictions.measuring import evaluate_file\n"
        "print(json.dumps(dict(evaluate_file(sys.argv[1]).metrics)))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code, str(run.predictions_path("test"))],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True, text=True, check=True,
        ).stdout
        for threads in ("1", "2")
    ]  # fmt: skip
    assert told[0] == told[1] and json.loads(told[0])["samples"] > 100
