"""Runs, versions and files found by their names and compared without a network."""

import dataclasses
import shutil
import subprocess
import sys

import pytest

import zoo
from zoo.errors import PredictionsError, RunError
from zoo.predictions.drawn import Key
from zoo.predictions.file import load_predictions
from zoo.runs.comparing import compare
from zoo.runs.folder import RunFolder

RECIPE = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "linear"},
    "training": {"epochs": 1, "threads": 1, "device": "cpu"},
    "card": {"licence": "apache-2.0", "intended_use": "a test"},
}
ACCURACY = Key("overall", "accuracy")


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """Two seeds each of a rate that learns and one that hardly does, in 1e-2 and 1e-5."""
    folder = tmp_path_factory.mktemp("compared")
    for name, rate in (("fast", 1e-2), ("slow", 1e-5)):
        for seed in (1, 2):
            recipe = {**RECIPE, "optimizer": {"name": "adam", "lr": rate}}
            recipe["training"] = {**RECIPE["training"], "seed": seed}
            run = zoo.train(recipe, folder=folder / f"{name}-{seed}")
            zoo.evaluate(run.path, draws=0)
    return folder


@pytest.fixture
def runs(four, here):
    shutil.copytree(four, here / "runs")
    return here / "runs"


def compared(*references, **more):
    return compare(references, draws=200, **more)


def test_two_runs(runs):
    done = compared("runs/slow-1", "fast-1")
    (pair,) = done.pairs
    assert (pair.first, pair.second) == ("slow-1", "fast-1")
    assert pair.differences[ACCURACY].better(0.95) == "second"
    assert pair.differences[ACCURACY].value > 0.2
    assert done.seeds is None


def test_runs_of_one_recipe_are_taken_together(runs):
    done = compared("fast-1", "slow-1", "fast-2", "slow-2")
    assert [one.name for one in done.seeds.recipes] == ["fast-1 (+1)", "slow-1 (+1)"]
    assert [dict(one.sides) for one in done.seeds.recipes] == [{1: 0, 2: 2}, {1: 1, 2: 3}]
    (pair,) = done.seeds.pairs()
    assert pair.better(ACCURACY, 0.95) in ("first", "neither")
    assert pair.tests[ACCURACY].count == (2, 2)
    assert len(done.pairs) == 6
    assert compared("fast-1", "slow-1", "fast-2", by_recipe=False).seeds is None


def test_threads_device_root_and_card_make_no_other_recipe(runs):
    path = runs / "fast-2" / "recipe.toml"
    changed = path.read_text().replace("threads = 1", "threads = 2").replace("a test", "another")
    path.write_text(changed)
    assert len(compared("fast-1", "fast-2").seeds.recipes) == 1
    path.write_text(changed.replace("epochs = 1", "epochs = 2"))
    assert compared("fast-1", "fast-2").seeds is None


def test_the_same_recipe_and_seed_is_no_other_seed(runs):
    shutil.copytree(runs / "fast-1", runs / "fast-3")
    with pytest.raises(PredictionsError) as caught:
        compared("fast-1", "fast-3")
    assert str(caught.value) == (
        "'fast-1' and 'fast-3' are of the same recipe and seed: to compare all one by one add "
        "--each"
    )
    assert compared("fast-1", "fast-3", by_recipe=False).pairs[0].differences[ACCURACY].p == 1.0


def test_a_version_a_run_and_a_file(runs):
    zoo.publish("runs/fast-1", "fast")
    zoo.evaluate("fast@1", draws=0)
    file = str(runs / "slow-1" / "predictions" / "test.npz")
    done = compared("fast@1", "runs/slow-1", file)
    assert [side.name for side in done.together.sides] == ["fast@1", "slow-1", "test.npz"]
    assert done.pairs[2].differences[ACCURACY].value == 0
    # A version has the seed and recipe of its run.
    assert len(compared("fast@1", "fast-2").seeds.recipes) == 1


def test_runs_of_one_name_are_told_apart_by_their_folders(runs):
    shutil.copytree(runs / "slow-1", runs.parent / "other" / "fast-1")
    done = compared("runs/fast-1", "other/fast-1")
    assert [side.name for side in done.together.sides] == ["runs/fast-1", "other/fast-1"]


def test_what_was_not_measured_is_told_with_the_command(runs):
    with pytest.raises(RunError) as caught:
        compared("fast-1", "slow-1", split="val")
    assert str(caught.value) == (
        "run 'runs/fast-1' has not been evaluated on 'val'; type: zoo eval runs/fast-1 --split val"
    )
    zoo.publish("runs/fast-1", "fast")
    with pytest.raises(RunError) as caught:
        compared("fast", "slow-1")
    assert str(caught.value) == (
        "fast@1 has not been measured on 'test' here; type: zoo eval fast --split test"
    )


def test_predictions_of_other_weights_are_refused(runs):
    shutil.copy(runs / "slow-1" / "best.safetensors", runs / "fast-1" / "best.safetensors")
    with pytest.raises(RunError) as caught:
        compared("fast-1", "slow-2")
    assert str(caught.value) == (
        "'runs/fast-1/predictions/test.npz' was predicted by other weights than the run's; type: "
        "zoo eval runs/fast-1 --split test"
    )
    zoo.publish("runs/slow-1", "slow")
    zoo.evaluate("slow@1", draws=0)
    path = runs.parent / "predictions" / "slow-1" / "test.npz"
    dataclasses.replace(load_predictions(path), source_digest="0" * 64).save(path)
    with pytest.raises(RunError) as caught:
        compared("slow@1", "slow-2")
    assert str(caught.value) == (
        "'predictions/slow-1/test.npz' was predicted by other weights than slow@1's; type: "
        "zoo eval slow@1 --split test"
    )


def test_one_alone_is_no_comparison(runs):
    with pytest.raises(PredictionsError) as caught:
        compared("fast-1")
    assert str(caught.value) == ("to compare, give two or more runs, models or predictions files")


def test_what_takes_long_is_done_when_it_is_asked_for(runs, monkeypatch):
    monkeypatch.setattr("zoo.predictions.intervals._BY_DEFAULT", 1000)
    with pytest.raises(PredictionsError) as caught:
        zoo.compare(["fast-1", "slow-1"])
    assert str(caught.value) == (
        "for each model, 2,000 draws of 359 samples and 10 classes take about 0 s: for intervals "
        "add --draws 2000"
    )
    assert zoo.compare(["fast-1", "slow-1"], draws=200).together.plan.draws == 200
    with pytest.raises(PredictionsError) as caught:
        zoo.compare(["fast-1", "slow-1"], draws=0)
    assert str(caught.value) == "draws 0: expected a whole number from 100 to 100,000"


def test_a_damaged_recipe_is_told(runs):
    (RunFolder(runs / "fast-1").path / "recipe.toml").write_text("x = ")
    with pytest.raises(RunError) as caught:
        compared("fast-1", "slow-1")
    assert str(caught.value).startswith("recipe 'runs/fast-1/recipe.toml' is damaged: TOMLDecode")


def test_no_torch_is_needed(runs):
    code = (
        "import sys\nfrom zoo_cli.main import main\n"
        "code = main(['compare', 'runs/fast-1', 'runs/slow-1', '--draws', '200'])\n"
        "sys.exit(code or 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "fast-1 is better" in done.stdout
