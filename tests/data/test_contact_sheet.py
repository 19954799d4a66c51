"""Contact sheets: what is drawn where, at which size, and what of the augmented ones."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageFont

from zoo.data.contact_sheet import (
    COLOURS,
    IGNORED,
    Tile,
    class_colour,
    draw_sheet,
    fitted,
    mask_legend,
    overlaid,
    shortened,
    tile_side,
)
from zoo.errors import DataError
from zoo.recipes.flags import flag_overrides
from zoo.runs.showing import show

SMALL = ImageFont.load_default(13)


@pytest.mark.parametrize(
    ("longest", "side"),
    [(8, 112), (28, 112), (32, 96), (64, 128), (96, 96), (256, 192), (4000, 192)],
)
def test_small_pictures_are_enlarged_by_whole_factors_and_large_ones_shrunk(longest, side):
    assert tile_side(longest) == side


def test_a_picture_keeps_its_proportions():
    wide = np.zeros((10, 40, 3), np.uint8)
    assert fitted(wide, None, 120).size == (120, 30)
    assert fitted(np.zeros((900, 300, 3), np.uint8), None, 192).size == (64, 192)


def test_masks_are_tinted_inside_and_full_at_the_edge():
    image = np.full((20, 20, 1), 100, np.uint8)
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15], mask[0, 0] = 1, 255
    painted = overlaid(image, mask)
    assert painted.shape == (20, 20, 3)
    assert painted[2, 2].tolist() == [100, 100, 100]
    assert painted[5, 10].tolist() == list(COLOURS[0])
    inside = painted[10, 10].tolist()
    assert inside not in ([100, 100, 100], list(COLOURS[0]))
    assert painted[0, 0].tolist() == list(IGNORED)
    assert class_colour(2) == COLOURS[1]
    assert class_colour(1 + len(COLOURS)) == COLOURS[0]
    assert mask_legend(["ground", "tree"]) == [("tree", COLOURS[0])]


def test_the_edge_of_a_mask_is_still_seen_when_a_large_picture_is_shrunk():
    image = np.zeros((2000, 2000, 3), np.uint8)
    mask = np.zeros((2000, 2000), np.uint8)
    mask[500:1500, 500:1500] = 1
    colours = {tuple(one) for one in np.asarray(fitted(image, mask, 192)).reshape(-1, 3).tolist()}
    assert COLOURS[0] in colours


def test_tiles_stand_row_by_row():
    colours = [np.array([200, 10, 40 * place], np.uint8) for place in range(5)]
    tiles = [Tile(np.tile(colour, (8, 8, 1)), str(place)) for place, colour in enumerate(colours)]
    sheet = np.asarray(draw_sheet(tiles, 3, "title"))
    places = [np.argwhere((sheet == colour).all(axis=2)) for colour in colours]
    assert [len(one) for one in places] == [112 * 112] * 5
    corners = [tuple(one.min(axis=0)) for one in places[1:3]]
    assert corners[0][0] == corners[1][0] < places[3].min(axis=0)[0]
    assert corners[0][1] < corners[1][1]
    assert places[4].min(axis=0)[1] > places[3].min(axis=0)[1]


def test_long_names_are_shortened_in_the_middle_and_made_printable():
    text = shortened("a_very_long_name_of_a_file_number_0001.png", SMALL, 100)
    assert SMALL.getlength(text) <= 100
    assert text.startswith("a_v")
    assert text.endswith(".png")
    assert shortened("short", SMALL, 100) == "short"
    assert shortened("\u202etxt", SMALL, 100) == "\\u202etxt"


def test_a_sheet_of_a_dataset():
    sheet = show(None, flag_overrides(dataset="digits"), number=10)
    assert sheet.size == (20 * 2 + 8 * 112 + 7 * 12, sheet.height)
    again = show(None, flag_overrides(dataset="digits"), number=10)
    assert sheet.tobytes() == again.tobytes()
    other = show(None, flag_overrides(dataset="digits"), number=10, split="test")
    assert other.tobytes() != sheet.tobytes()


def column(sheet: np.ndarray, number: int, top: int) -> np.ndarray:
    x = 20 + number * (112 + 12)
    return sheet[top : top + 112, x : x + 112]


def test_a_sheet_of_draws():
    """With a flip of certainty every draw mirrors the first column; with none none does."""
    recipe = flag_overrides(
        ["augmentations.0.probability=1.0"], dataset="digits", augmentation=["horizontal_flip"]
    )
    sheet = np.asarray(show(None, recipe, number=8, augmented=True))
    top = int(np.argwhere((sheet[:, 20:132] == 0).all(axis=2))[:, 0].min())
    first = column(sheet, 0, top)
    assert len(np.unique(first)) > 3
    for number in range(1, 8):
        np.testing.assert_array_equal(column(sheet, number, top), first[:, ::-1])


def test_draws_differ_and_follow_the_seed():
    def sheet(seed: int) -> bytes:
        recipe = flag_overrides(
            ["augmentations.0.degrees=40"], dataset="digits", seed=seed, augmentation=["rotation"]
        )
        return show(None, recipe, number=16, augmented=True).tobytes()

    assert sheet(1) == sheet(1)
    assert sheet(1) != sheet(2)


def test_augmented_without_an_augmentation_is_refused():
    with pytest.raises(DataError, match="expected --augmentation NAME, or a recipe that has some"):
        show(None, flag_overrides(dataset="digits"), augmented=True)


def test_a_split_that_is_not_there():
    with pytest.raises(DataError, match=r"no split 'tests' \(did you mean 'test'\?\)"):
        show(None, flag_overrides(dataset="digits"), split="tests")
