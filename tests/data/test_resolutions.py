"""Several resolutions in one training set: one size a batch, every sample once a size."""

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.data.copies import Copies, Copy
from zoo.data.datasets import FileSplit
from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.resolutions import Resolutions
from zoo.data.tiers import Keeping, open_split
from zoo.errors import PluginError, RecipeError
from zoo.tasks import Task

TASK = Task.multiclass(["a", "b", "c"])
COUNT = 21


@pytest.fixture
def split(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{index:02}.png" for index in range(COUNT)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (32, 32), dtype=np.uint8)).save(path)
    return FileSplit(paths, np.arange(COUNT) % 3, [path.name for path in paths])


def loaders(split, sizes=(8, 16), copies=1, batch=4):
    def shuffle(generator):
        return torch.randperm(COUNT * copies * len(sizes), generator=generator)

    parts = []
    for size in sizes:
        store = open_split(split, Form(1, (size, size)), TASK, "here", Keeping())
        plain = Preprocessing((size, size), 1, (0.0,), (1.0,), store_size=(size, size))
        parts.append(
            Loader(
                store, plain, TASK, batch, torch.device("cpu"), shuffle, Copies([Copy()] * copies)
            )
        )
    return Resolutions(parts, shuffle, seed=3)


def epoch(loader, number=1, start=0):
    return [(b.images.clone(), b.labels.clone()) for b in loader.epoch(number, start)]


def test_each_batch_has_one_size_and_each_sample_comes_once_a_size(split):
    loader = loaders(split, copies=2)
    batches = epoch(loader)
    samples, steps = loader.size_of(1)
    assert (samples, steps) == (4 * COUNT, len(batches))
    seen = {8: [], 16: []}
    for images, labels in batches:
        seen[images.shape[-1]] += labels.tolist()
    expected = sorted([index % 3 for index in range(COUNT)] * 2)
    assert sorted(seen[8]) == sorted(seen[16]) == expected
    sides = [images.shape[-1] for images, _ in batches]
    assert sides != sorted(sides) and sides != sorted(sides, reverse=True)  # they alternate


def test_a_label_stays_with_its_image(split):
    loader = loaders(split)
    stores = {part.preprocessing.size[0]: part.store for part in loader.parts}
    for images, labels in epoch(loader):
        store = stores[images.shape[-1]]
        all_units = store.images.permute(0, 3, 1, 2) / 255
        for image, label in zip(images, labels, strict=True):
            found = int((all_units - image).abs().flatten(1).sum(1).argmin())
            assert store.labels[found] == label


def test_an_epoch_repeats_and_goes_on_from_any_step(split):
    loader = loaders(split)
    whole = epoch(loader)
    for start in (0, 1, 5, len(whole)):
        rest = epoch(loader, start=start)
        assert len(rest) == len(whole) - start
        for (a, b), (c, d) in zip(rest, whole[start:], strict=True):
            assert torch.equal(a, c) and torch.equal(b, d)
    assert not torch.equal(epoch(loader, 2)[0][1], whole[0][1]) or len(whole) != len(
        epoch(loader, 2)
    )


def recipe(*sizes, **training):
    return {
        "dataset": {"name": "digits"},
        "architecture": {"name": "simple_cnn"},
        "copies": [{} if size is None else {"size": size} for size in sizes],
        "training": {"epochs": 1, "threads": 1, "device": "cpu", **training},
    }


def test_a_recipe_says_so_and_a_network_of_one_size_is_named(tmp_path):
    with pytest.raises(PluginError, match=r"architecture 'simple_cnn' of .* fails on a batch of"):
        zoo.train(recipe(None, 16), folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(RecipeError, match=r"copies\.1\.size: 0: expected 'same', a side"):
        zoo.train(recipe(None, 0), folder=tmp_path / "run")
    done = zoo.train(recipe(None, None), folder=tmp_path / "run")
    assert sum(done.info["class_counts"].values()) == 1294
    told = (done.path / "events.jsonl").read_text()
    assert '"samples_per_epoch": 2588' in told
