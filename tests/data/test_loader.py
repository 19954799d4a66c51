"""Batches are right, repeatable, and each position is augmented by its own draw."""

import numpy as np
import pytest
import torch

from zoo.data.augmentation import Augmentations
from zoo.data.copies import Copies, Copy
from zoo.data.datasets import ArraySplit
from zoo.data.fitting import Form
from zoo.data.loader import Loader, batch_bounds
from zoo.data.preprocessing import Preprocessing
from zoo.data.tiers import Keeping, open_split
from zoo.errors import DataError, PluginError
from zoo.tasks import Task

CPU = torch.device("cpu")
TASK = Task.multiclass(["a", "b", "c"])


def store_of(count=20, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, 4, 4), dtype=np.uint8)
    split = ArraySplit(images, np.arange(count) % 3, [f"s{i}" for i in range(count)])
    return open_split(split, Form(1), TASK, "test", Keeping())


def shuffle(generator):
    return torch.randperm(20, generator=generator)


def flip(images, masks, draws):
    return torch.where(draws.chance(0.5)[:, None, None, None], images.flip(3), images), masks


def loader_of(store, **changes):
    plain = Preprocessing(store.image_size, 1, (0.0,), (1.0,))
    if "augmentations" in changes:
        changes["copies"] = Copies([Copy(changes.pop("augmentations"))])
    settings = {"preprocessing": plain, "task": TASK, "batch_size": 8, "device": CPU, **changes}
    return Loader(store, **settings)


def everything(loader, epoch=0):
    batches = [(batch.images.clone(), batch.labels) for batch in loader.epoch(epoch)]
    return torch.cat([images for images, _ in batches]), torch.cat([y for _, y in batches])


def test_an_epochs_order_is_drawn_once():
    drawn = []

    def counted(generator):
        drawn.append(1)
        return shuffle(generator)

    loader = loader_of(store_of(), sampler=counted)
    for _ in range(2):
        assert loader.size_of(1) == (20, 3)
        next(loader.trials())
        list(loader.epoch(1))
    assert len(drawn) == 1
    again = loader.order(1)
    assert not torch.equal(loader.order(2), again)
    assert torch.equal(loader.order(1), again)
    assert len(drawn) == 3


def test_without_a_sampler_every_sample_once_in_order():
    store = store_of()
    images, labels = everything(loader_of(store))
    assert torch.allclose(images, store.images.permute(0, 3, 1, 2) / 255, atol=1e-6)
    assert torch.equal(labels, store.labels)


def test_order_is_a_function_of_seed_and_epoch():
    store = store_of()
    first = loader_of(store, sampler=shuffle, seed=1)
    again = loader_of(store, sampler=shuffle, seed=1)
    other = loader_of(store, sampler=shuffle, seed=2)
    assert torch.equal(first.order(3), again.order(3))
    assert not torch.equal(first.order(3), first.order(4))
    assert not torch.equal(first.order(3), other.order(3))


@pytest.mark.parametrize("batch_size", [3, 7, 20])
def test_augmentation_does_not_depend_on_the_batch_size(batch_size):
    store, steps = store_of(), Augmentations([("flip", flip)])
    whole, _ = everything(
        loader_of(store, sampler=shuffle, augmentations=steps, batch_size=64), epoch=5
    )
    parts, _ = everything(
        loader_of(store, sampler=shuffle, augmentations=steps, batch_size=batch_size), epoch=5
    )
    assert torch.equal(whole, parts)


def test_copies_of_one_image_are_augmented_differently():
    store = store_of()
    repeat = loader_of(
        store,
        sampler=lambda generator: torch.zeros(256, dtype=torch.int64),
        augmentations=Augmentations([("flip", flip)]),
        batch_size=256,
    )
    images, _ = everything(repeat)
    original = store.images[0].permute(2, 0, 1) / 255
    flipped = (images != original).flatten(1).any(dim=1)
    assert 96 < int(flipped.sum()) < 160


def test_a_last_batch_of_one_joins_its_neighbour_in_training_only():
    assert batch_bounds(9, 4, fewest=2) == [(0, 4), (4, 9)]
    assert batch_bounds(9, 4, fewest=0) == [(0, 4), (4, 8), (8, 9)]
    assert batch_bounds(1, 4, fewest=2) == [(0, 1)]
    assert batch_bounds(8, 4, fewest=2) == [(0, 4), (4, 8)]


@pytest.mark.parametrize(
    "order",
    [torch.tensor([0, 20]), torch.tensor([-1]), torch.tensor([0.5]), torch.tensor([], dtype=int)],
)
def test_a_samplers_wrong_indices_are_refused(order):
    with pytest.raises(PluginError, match="the sampler returned"):
        list(loader_of(store_of(), sampler=lambda generator: order).epoch(0))


def test_an_augmentation_that_changes_the_batch_is_named():
    steps = Augmentations([("drop", lambda images, masks, draws: (images[1:], masks))])
    with pytest.raises(PluginError, match=r"augmentation 'drop' made .* of .*; expected the same"):
        list(loader_of(store_of(), sampler=shuffle, augmentations=steps).epoch(0))


def test_statistics_are_those_of_numpy():
    store = store_of(300)
    (mean,), (std,) = store.statistics()
    values = store.images.numpy() / 255
    assert (mean, std) == (pytest.approx(values.mean(), 1e-12), pytest.approx(values.std(), 1e-12))


def test_fingerprints_see_pixels_labels_and_ids():
    base = store_of()
    assert base.fingerprint() == store_of().fingerprint() != store_of(seed=1).fingerprint()


def test_a_wrong_image_is_named():
    class Split:
        """One image among many is of another size, and not among those that are looked at first."""

        ids, labels, groups = [str(i) for i in range(100)], np.zeros(100, int), None

        def __len__(self):
            return 100

        def image(self, index):
            return np.zeros((5 if index == 1 else 4, 4), np.uint8)

    with pytest.raises(DataError, match=r"here: image '1' is 5x4, others are 4x4"):
        open_split(Split(), Form(1), TASK, "here", Keeping())
