"""A recipe carried out: repeatable, complete, and nothing left behind when it cannot be."""

import json
import tomllib

import numpy as np
import pytest
import torch

import zoo
from zoo.data.splits import SplitPlan, complete_splits
from zoo.errors import RunError, ZooError
from zoo.plugins.catalog import catalog
from zoo.runs.folder import RunFolder, find_run, free_name, list_runs
from zoo.storage import tensors

EVERYTHING = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "simple_cnn", "variant": "three_conv"},
    "sampler": {"name": "weighted"},
    "augmentations": [
        {"name": "rotation", "degrees": 10.0},
        {"name": "color_jitter", "brightness": 0.2, "contrast": 0.2},
    ],
    "scheduler": {"name": "cosine"},
    "training": {"epochs": 1, "threads": 2, "device": "cpu", "seed": 7, "batch_size": 128},
}
QUICK = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "linear"},
    "training": {"epochs": 1, "threads": 1, "device": "cpu"},
}


def weights(run):
    return (run.path / "best.safetensors").read_bytes()


def test_the_same_recipe_seed_and_threads_give_the_same_bytes(here):
    first = zoo.train(EVERYTHING, folder=here / "first")
    torch.rand(11)  # what the process drew before must not matter
    second = zoo.train(first.path / "recipe.toml", folder=here / "second")
    assert weights(first) == weights(second)
    other = zoo.train(EVERYTHING, folder=here / "third", overrides={"training.seed": 8})
    assert weights(first) != weights(other)


def test_the_run_says_everything(trained):
    info = trained.info
    assert info["status"] == "finished"
    assert (info["epochs_done"], info["reason"]) == (3, "epochs")
    assert info["task"]["classes"] == [str(digit) for digit in range(10)]
    assert info["data"]["splits"]["test"]["samples"] == 359
    assert (info["plugin"]["entry"], info["plugin"]["distribution"]) == ("basics", "zoo-basics")
    assert info["plugin"]["libraries"]["torch"] == torch.__version__.partition("+")[0]
    assert sum(info["class_counts"].values()) == 1294
    recipe = tomllib.loads((trained.path / "recipe.toml").read_text())
    assert recipe["loss"]["name"] == "cross_entropy"
    assert recipe["data"]["size"] == [8, 8]
    events = [json.loads(line) for line in (trained.path / "events.jsonl").read_text().splitlines()]
    assert [event["epoch"] for event in events if event["event"] == "epoch_ended"] == [1, 2, 3]


def test_the_callers_random_state_and_threads_stay(here):
    torch.manual_seed(3)
    expected, threads = torch.rand(4), torch.get_num_threads()
    torch.manual_seed(3)
    zoo.train(QUICK, folder=here / "run", overrides={"architecture.name": "mlp"})
    assert torch.equal(torch.rand(4), expected)
    assert torch.get_num_threads() == threads


def test_the_test_labels_are_not_read_while_training(here, monkeypatch):
    """With the test labels replaced by others, the run is the same to the byte."""
    from zoo.runs import opening

    def permuted(name, dataset, fractions):
        splits = complete_splits(name, dataset, fractions)
        test = splits["test"]
        labels = np.roll(np.asarray(test.labels), 1)
        images = np.stack([test.image(i) for i in range(len(test))])
        return {**splits, "test": zoo.ArraySplit(images, labels, list(test.ids))}

    plain = zoo.train(QUICK, folder=here / "a")
    monkeypatch.setattr(opening.splits, "complete_splits", permuted)
    changed = zoo.train(QUICK, folder=here / "b")
    assert weights(plain) == weights(changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture.name": "simple_cn"}, "did you mean 'simple_cnn'?"),
        ({"architecture.variant": "four"}, "architecture.variant: 'four': expected 'two_conv' | "),
        ({"optimizer.lrr": 0.1}, "optimizer.lrr: unknown option (did you mean 'lr'?)"),
        ({"training.epochs": "many"}, "training.epochs: 'many': expected int"),
        ({"training.device": "cuda:63"}, "device 'cuda:63': torch sees "),
        (
            {"loss.name": "bce"},
            "loss.name: loss 'bce' serves binary, multilabel, segmentation; dataset 'digits' is "
            "multiclass",
        ),
        ({"dataset.root": "/nowhere"}, "no such file or folder"),
        ({"dataset.name": "mnist"}, "dataset 'mnist' needs a folder with its files ("),
        ({"data.size": 4}, "simple_cnn"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(change, message, here, monkeypatch):
    monkeypatch.delenv("ZOO_DATA", raising=False)
    before = sorted(here.rglob("*"))
    with pytest.raises(ZooError) as caught:
        zoo.train(EVERYTHING, folder=here / "runs/x", overrides=change)
    assert message in str(caught.value)
    assert sorted(here.rglob("*")) == before


def test_an_existing_folder_is_never_touched(here):
    (here / "taken").mkdir()
    with pytest.raises(RunError) as caught:
        zoo.train(EVERYTHING, folder=here / "taken")
    assert str(caught.value) == (
        f"run folder {str(here / 'taken')!r} exists already; name another with --run, or remove it"
    )
    assert list((here / "taken").iterdir()) == []


def test_a_run_that_fails_says_why_and_keeps_its_weights(here):
    with pytest.raises(ZooError, match="the loss became"):
        zoo.train(
            QUICK, folder=here / "run", overrides={"optimizer.name": "sgd", "optimizer.lr": 1e38}
        )
    info = RunFolder.open(here / "run").info
    assert info["status"] == "failed"
    assert info["reason"].startswith("DivergedError: the loss became")


def test_an_interrupted_run_says_so(here):
    def stop(event):
        if isinstance(event, zoo.training.events.EpochEnded):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        zoo.train(QUICK, folder=here / "run", subscribers=[stop])
    run = RunFolder.open(here / "run")
    assert run.info["status"] == "interrupted"
    assert tensors.load(run.path / "best.safetensors")


def test_default_names_count_up_and_runs_are_found(here):
    first, second = (zoo.train(QUICK) for _ in range(2))
    assert [str(run.path) for run in (first, second)] == [
        "runs/digits-linear-1", "runs/digits-linear-2",
    ]  # fmt: skip
    assert [run.path.name for run in list_runs()] == ["digits-linear-1", "digits-linear-2"]
    assert find_run("digits-linear-2").path == second.path
    assert free_name("digits-linear").name == "digits-linear-3"
    with pytest.raises(RunError, match=r"no such file or folder \(did you mean"):
        RunFolder.open(second.path.parent / "digits-linear-22")


def test_digits_have_the_documented_split():
    digits = catalog().get("dataset", "digits").build(zoo.DatasetContext())
    made = complete_splits("digits", digits, SplitPlan())
    assert {name: len(split) for name, split in made.items()} == {
        "train": 1294, "val": 144, "test": 359,
    }  # fmt: skip
