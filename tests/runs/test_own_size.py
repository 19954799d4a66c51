"""Answers brought to each image's own size, with the mask that lies there."""

import numpy as np
import pytest
import torch

import zoo
from zoo.data.preprocessing import Preprocessing
from zoo.data.restoring import restored
from zoo.errors import DataError
from zoo.runs.own_size import OwnSize
from zoo.tasks import Task

TASK = Task.segmentation(["ground", "thing"], positive="thing", threshold=0.3)
IDS = ["a", "b", "c", "d"]


def split(masks=True):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 12, 20), dtype=np.uint8)
    drawn = rng.choice([0, 1, 255], (4, 12, 20)).astype(np.uint8)
    return zoo.ArraySplit(images, None, IDS, masks=drawn if masks else None)


def form(**changes):
    return Preprocessing((6, 6), 1, (0.0,), (1.0,), **changes)


@pytest.mark.parametrize(
    "preprocessing",
    [form(), form(store_size=(6, 6), fit="crop"), form(store_size=(10, 8), center_crop=True)],
)
def test_each_answer_is_that_of_its_image_and_what_was_cut_off_is_said(preprocessing):
    said = torch.randn(3, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    whole, kept = split(), ["a", "c", "d"]  # "b" could not be decoded, and was left out
    own = OwnSize(whole, kept, preprocessing, TASK, "data")
    pairs = [*own.of(said[:2], 0), *own.of(said[2:], 2)]
    for pair, name, logits in zip(pairs, kept, said, strict=True):
        assert np.array_equal(pair.targets, whole.mask(IDS.index(name)))
        planes, seen = restored(TASK.probabilities(logits[None])[0], preprocessing, (12, 20))
        assert np.array_equal(pair.decisions == 255, ~seen.numpy())
        assert bool(seen.all()) == (preprocessing == form())
        thing = (planes[1] > 0.3).numpy()
        assert np.array_equal(pair.decisions[seen.numpy()], thing[seen.numpy()])


def test_without_masks_there_are_answers_alone():
    pairs = OwnSize(split(masks=False), IDS, form(), TASK, "data").of(torch.zeros(4, 1, 6, 6), 0)
    assert [pair.targets for pair in pairs] == [None] * 4
    assert all((pair.decisions == 1).all() for pair in pairs)


def test_a_wrong_mask_is_named():
    wrong = split()
    wrong.masks[2] = 7
    wrong.masks[2, 0, 0] = 1
    with pytest.raises(DataError) as caught:
        OwnSize(wrong, IDS, form(), Task.segmentation(["x", "y", "z"]), "data").of(
            torch.zeros(4, 3, 6, 6), 0
        )
    assert str(caught.value) == (
        "data: image 'c': mask holds the id 7; expected 0 to 2, or 255 for what is ignored"
    )
