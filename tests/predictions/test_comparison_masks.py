"""Masks compared on each image's own grid, or on the networks' where that is one."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.errors import PredictionsError
from zoo.predictions.archive import Heading
from zoo.predictions.comparison import NEITHER, SECOND, Together
from zoo.predictions.drawn import Key
from zoo.predictions.intervals import Plan, intervals
from zoo.predictions.masks import MaskChunk, MaskPredictions
from zoo.predictions.own_masks import MaskPair
from zoo.predictions.same_samples import Named
from zoo.predictions.segmentation import Segmentation
from zoo.tasks import Task

TASK = Task.segmentation(["ground", "thing"], positive="thing")
DICE = Key("per_image", "dice")
IMAGES, SIDE = 40, 16


def truth(side=SIDE):
    """A square of its own size in each image."""
    masks = np.zeros((IMAGES, side, side), np.uint8)
    for number, mask in enumerate(masks):
        width = side * (3 + number % 5) // 8
        mask[:width, :width] = 1
    return masks


def written(path, wrong, *, side=SIDE, own=True, seed=0, ids=None, changed=None):
    """Of each image a share of about ``wrong`` of the pixels is decided wrongly; of the image
    ``changed`` one pixel of the true mask is another, in both sizes."""
    rng, targets = np.random.default_rng(seed), truth(side)
    decisions = targets ^ (rng.random(targets.shape) < wrong).astype(np.uint8)
    pairs = []
    if own:
        for number, mask in enumerate(truth(2 * SIDE)):
            large = decisions[number].repeat(2 * SIDE // side, 0).repeat(2 * SIDE // side, 1)
            if number == changed:
                mask[-1, -1] ^= 1
            pairs.append(MaskPair(large, mask))
    if changed is not None:
        targets[changed, -1, -1] ^= 1
    chunk = MaskChunk(decisions[:, None] * np.uint8(255), decisions, targets, pairs)
    heading = Heading(TASK, "tools", "test", "f", "c", "runs/a")
    ids = ids or [f"i{number}" for number in range(IMAGES)]
    return MaskPredictions.write(path, heading, ids, [chunk])


def together(first, second):
    return Together([Named("a", first), Named("b", second)], Plan(draws=400))


def test_a_planted_difference_is_found(tmp_path):
    worse, better = written(tmp_path / "a.npz", 0.2), written(tmp_path / "b.npz", 0.05, seed=1)
    (pair,) = together(worse, better).pairs()
    assert pair.differences[DICE].better(0.95) == SECOND
    assert pair.differences[DICE].interval.method == "bca"
    assert pair.differences[Key("per_image", "hd95")].value < 0
    assert pair.apart is None


def test_none_is_shown_between_two_that_err_alike(tmp_path):
    one, other = (written(tmp_path / f"{seed}.npz", 0.1, seed=seed) for seed in (1, 2))
    (pair,) = together(one, other).pairs()
    assert pair.differences[DICE].better(0.95) == NEITHER
    (pair,) = together(one, written(tmp_path / "c.npz", 0.1, seed=1)).pairs()
    found = pair.differences[DICE]
    assert (found.value, found.interval.low, found.interval.high, found.p) == (0, 0, 0, 1)


def test_networks_of_two_sizes_meet_on_the_images_own_grid(tmp_path):
    small, large = written(tmp_path / "a.npz", 0.1), written(tmp_path / "b.npz", 0.1, side=8)
    found = together(small, large)
    place = found.keys.index(DICE)
    for said, drawn in zip((small, large), found.drawn, strict=True):
        own = Segmentation.of(said)[1].figures()
        assert drawn.values[place] == own.per_image.values["dice"]


def test_without_own_sizes_one_size_is_needed(tmp_path):
    plain = written(tmp_path / "a.npz", 0.1, own=False)
    same = written(tmp_path / "b.npz", 0.1, own=False, seed=1)
    assert len(together(plain, same).pairs()) == 1
    other = written(tmp_path / "c.npz", 0.1, side=8)
    with pytest.raises(PredictionsError) as caught:
        together(plain, other)
    assert str(caught.value) == (
        "'a' has no masks of the images' own size, and the networks' sizes differ: measure it "
        "again with zoo eval"
    )


def test_images_in_another_order_are_told(tmp_path):
    one = written(tmp_path / "a.npz", 0.1)
    turned = written(tmp_path / "b.npz", 0.1, ids=[f"i{n}" for n in reversed(range(IMAGES))])
    with pytest.raises(PredictionsError) as caught:
        together(one, turned)
    assert str(caught.value) == "'b' has its images in another order"


@pytest.mark.parametrize(("own", "side"), [(True, SIDE), (True, 8), (False, SIDE)])
def test_other_true_masks_are_told(tmp_path, own, side):
    one = written(tmp_path / "a.npz", 0.1, own=own)
    assert len(together(one, written(tmp_path / "b.npz", 0.1, own=own, side=side)).pairs()) == 1
    other = written(tmp_path / "c.npz", 0.1, own=own, side=side, changed=7)
    with pytest.raises(PredictionsError) as caught:
        together(one, other)
    assert str(caught.value) == "'a' and 'b' have different labels of 1 sample, such as 'i7'"


def test_true_masks_of_the_images_size_are_the_same_whatever_the_network_saw(tmp_path):
    """Of files with own masks those on the network's grid may differ, as by another fit."""
    one, heading = written(tmp_path / "a.npz", 0.1), Heading(TASK, "tools", "test", "f", "c", "b")
    chunks = [replace(chunk, targets=chunk.targets[:, ::-1].copy()) for chunk in one.chunks()]
    pairs = [image.own for image in one.images()]
    given = [replace(chunks[0], own=pairs)]
    shifted = MaskPredictions.write(tmp_path / "b.npz", heading, one.ids.tolist(), given)
    assert len(together(one, shifted).pairs()) == 1


def test_intervals_of_masks_are_the_bootstraps_over_images(tmp_path):
    said = written(tmp_path / "a.npz", 0.1)
    network, own = Segmentation.of(said)
    found = intervals(said, network, Plan(draws=300))
    assert {one["method"] for one in found["overall"].values()} == {"bca"}
    assert {one["method"] for one in found["per_image"].values()} == {"bca"}
    figures = network.figures()
    for table, values in ((found["overall"], figures.overall),
                          (found["per_image"], figures.per_image.values)):  # fmt: skip
        for name, interval in table.items():
            assert interval["low"] <= values[name] <= interval["high"]
    assert [set(row) for row in found["per_image_by_class"]] == [
        set(figures.per_image_by_class.values)
    ] * 2
    assert found != intervals(said, own, Plan(draws=300))
