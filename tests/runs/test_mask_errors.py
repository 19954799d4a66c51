"""Right and wrong pixels, and whose mask is whose."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from zoo.data.decoding import IGNORE
from zoo.errors import DataError
from zoo.predictions import counts
from zoo.runs.mask_errors import (
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    NEGATIVE,
    OTHER,
    POSITIVE,
    dice,
    mask_errors,
    masks_for,
    read_mask,
)
from zoo.tasks import Task

THING = Task.segmentation(["ground", "thing"], positive="thing")
TRUTH = np.array([[0, 0, 1, 1, 1, IGNORE, 2, 2]], np.uint8)
SAID = np.array([[0, 1, 0, 1, 2, 1, 2, IGNORE]], np.uint8)


def test_of_one_class_against_all_others():
    assert mask_errors(TRUTH, SAID, 1).tolist() == [[
        NEGATIVE, FALSE_POSITIVE, FALSE_NEGATIVE, POSITIVE, FALSE_NEGATIVE, IGNORE, NEGATIVE,
        IGNORE,
    ]]  # fmt: skip


def test_of_every_class_against_the_first():
    assert mask_errors(TRUTH, SAID, None).tolist() == [[
        NEGATIVE, FALSE_POSITIVE, FALSE_NEGATIVE, POSITIVE, OTHER, IGNORE, POSITIVE, IGNORE,
    ]]  # fmt: skip


def test_dice_is_that_of_the_figures():
    rng = np.random.default_rng(0)
    for share in (0.0, 0.1, 0.5, 1.0):
        truth, said = (np.uint8(rng.random((9, 7)) < share) for _ in range(2))
        truth[0, 0] = IGNORE
        table = counts.count(THING, truth, said)
        expected = counts.metrics(THING, table)["dice"]
        found = dice(mask_errors(truth, said, 1))
        assert found == (None if expected is None else pytest.approx(expected))
    assert dice(mask_errors(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8), 1)) is None
    one, other = np.full((2, 2), 1, np.uint8), np.full((2, 2), 2, np.uint8)
    assert dice(mask_errors(one, other, None)) == 0.0


def test_a_mask_is_turned_as_its_image_is(tmp_path):
    ids = np.arange(6, dtype=np.uint8).reshape(2, 3) % 2
    Image.fromarray(ids).save(tmp_path / "mask.png")
    image = Image.new("L", (3, 2))
    image.getexif()[0x0112] = 6
    read = read_mask(tmp_path / "mask.png", image, THING)
    np.testing.assert_array_equal(read, np.rot90(ids, -1))
    Image.fromarray(ids[:1]).save(tmp_path / "small.png")
    with pytest.raises(DataError, match=r"mask '.*small.png': mask is 1x3, its image 2x3"):
        read_mask(tmp_path / "small.png", Image.new("L", (3, 2)), THING)


def test_whose_mask_is_whose(tmp_path):
    for name in ("masks/a.png", "masks/deep/b.tif", "masks/c.jpg.png", "one.gif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    masks = tmp_path / "masks"
    assert masks_for(tmp_path / "one.gif", ["x.png"]) == {"x.png": tmp_path / "one.gif"}
    names = ["a.jpg", "deep/b.png"]
    assert masks_for(masks, names) == {
        "a.jpg": masks / "a.png", "deep/b.png": masks / "deep/b.tif"
    }  # fmt: skip
    for given, asked, message in (
        (tmp_path / "one.gif", names, f"mask '{tmp_path}/one.gif' is one file, and there are 2 "
                                      f"images"),
        (tmp_path / "none", names, f"mask '{tmp_path}/none': no such file or folder"),
        (masks, ["a.jpg", "b.jpg"], f"image 'b.jpg' has no mask in '{masks}'; expected one of its "
                                    f"name, such as 'b.png'"),
    ):  # fmt: skip
        with pytest.raises(DataError) as error:
            masks_for(given, asked)
        assert str(error.value) == message
