"""Real MNIST, where ZOO_TEST_DATA names a folder that holds it."""

import os
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.data.fitting import Form
from zoo.data.splits import SplitPlan
from zoo.data.tiers import Keeping
from zoo.plugins.catalog import catalog
from zoo.runs import opening

ROOT = Path(os.environ.get("ZOO_TEST_DATA", "")) / "mnist"
pytestmark = pytest.mark.skipif(
    not os.environ.get("ZOO_TEST_DATA") or not ROOT.is_dir(),
    reason="ZOO_TEST_DATA names no folder with mnist/",
)


@pytest.fixture(scope="module")
def opened():
    return opening.open_dataset(catalog(), "mnist", {}, str(ROOT), SplitPlan(val=1 / 6))


def test_counts_are_the_published_ones(opened):
    sizes = {name: len(split) for name, split in opened.splits.items()}
    assert sizes == {"train": 50_000, "val": 10_000, "test": 10_000}
    test = np.bincount(opened.split("test").labels)
    assert test.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_statistics_are_the_known_ones(opened):
    whole = opening.open_dataset(catalog(), "mnist", {}, str(ROOT), SplitPlan(val=0.0001))
    (mean,), (std,) = whole.hold("train", Form(1), Keeping()).statistics()
    assert (round(mean, 4), round(std, 4)) == (0.1307, 0.3081)


def test_a_linear_network_reads_most_digits(tmp_path):
    recipe = {
        "dataset": {"name": "mnist", "root": str(ROOT)},
        "architecture": {"name": "linear"},
        "training": {"epochs": 1, "batch_size": 256, "threads": 1, "device": "cpu"},
    }
    zoo.train(recipe, folder=tmp_path / "run")
    assert zoo.evaluate(tmp_path / "run", device="cpu").metrics["accuracy"] > 0.88
