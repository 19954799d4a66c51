"""Networks of the reports, two steps each on a batch as PathMNIST has: 28 x 28 RGB, 9 classes."""

from __future__ import annotations

import json

import numpy as np
import pytest

BATCH = 9


@pytest.fixture
def pathmnist(here):
    rng = np.random.default_rng(0)
    labels = np.arange(9, dtype=np.uint8)[:, None]
    given = {}
    for split, times in (("train", 2), ("val", 1), ("test", 1)):
        shape = (9 * times, 28, 28, 3)
        given[f"{split}_images"] = rng.integers(0, 256, shape, dtype=np.uint8)
        given[f"{split}_labels"] = np.concatenate([labels] * times)
    np.savez(here / "data.npz", **given)
    return here


def command(architecture, *more):
    return (
        "train", "--dataset", "npz", "--root", ".", "--architecture", f"torchvision/{architecture}",
        "--epochs", "1", "--batch-size", str(BATCH), "--device", "cpu", "--threads", "1",
        "--run", "run", *more,
    )  # fmt: skip


def two_steps(zoo, here, architecture, *more):
    code, out, err = zoo(*command(architecture, *more), "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    lines = (here / "run/events.jsonl").read_text().splitlines()
    ended = next(one for one in map(json.loads, lines) if one["event"] == "training_ended")
    assert (ended["steps"], ended["reason"]) == (2, "epochs")
    assert len(said["task"]["classes"]) == 9
    return said


def test_resnet18_trains_two_steps(zoo, pathmnist):
    said = two_steps(zoo, pathmnist, "resnet18")
    assert said["preprocessing"]["size"] == [28, 28]


def test_alexnet_names_the_size_to_type(zoo, pathmnist):
    code, _, err = zoo(*command("alexnet"))
    assert (code, err.count("\n")) == (1, 1)
    assert err == (
        "zoo: error: architecture 'torchvision/alexnet' takes images with sides of at least 63 "
        "pixels, not 28 x 28; type --size 64\n"
    )
    assert not (pathmnist / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "more"), [("alexnet", ("--size", "64")), ("resnet152", ())]
)
def test_large_ones_train_two_steps(zoo, pathmnist, architecture, more):
    two_steps(zoo, pathmnist, architecture, *more)
