"""Pictures of masks: right and wrong pixels in their colours."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from looked_at import AREAS, LEFT, THING, UP, bright, colours, painted, write

from zoo.reports import style
from zoo.reports.explaining import explain


def test_errors_have_their_colours(known, drawn):
    known(THING)
    write("in/a.png", bright(UP, slice(0, 16)))
    write("masks/a.png", bright(slice(0, 16), LEFT) / 255)
    (path,) = explain("m", "in", mask="masks")
    assert path == Path("explained/a.errors.png")
    assert drawn[0][1][4] == ["a.png", "thing: Dice 0.500, 50.0% of pixels wrong"]
    found = colours(path.read_bytes())
    quarter = found[painted(style.GREEN, 255)]
    assert quarter > 10_000  # a quarter of a panel of 40 mm
    assert found[painted(style.VERMILLION, 255)] == pytest.approx(quarter, rel=0.05)
    assert found[painted(style.BLUE, 0)] == pytest.approx(quarter, rel=0.05)
    assert found[(128, 128, 128)] == pytest.approx(quarter, rel=0.05)
    assert painted(style.PURPLE, 255) not in found


def test_right_ground_is_faint_and_white_stays_white(known):
    known(THING)
    write("a.png", np.full((16, 16), 255))
    write("mask.png", np.ones((16, 16)))
    (path,) = explain("m", "a.png", mask="mask.png", target="ground")
    found = colours(path.read_bytes())
    assert found[(255, 255, 255)] > 4 * 10_000
    assert found.get((0, 0, 0), 0) == 0


def test_one_class_taken_for_another_has_a_colour_of_its_own(known, drawn):
    known(AREAS)
    write("a.png", bright(UP, slice(0, 16)))  # house above, ground below
    truth = np.zeros((16, 16))
    truth[:8, :8], truth[:8, 8:] = 1, 2
    write("mask.png", truth)
    (path,) = explain("m", "a.png", mask="mask.png")
    assert drawn[0][1][4][1] == "all classes but the first: Dice 0.500, 25.0% of pixels wrong"
    assert colours(path.read_bytes())[painted(style.PURPLE, 255)] > 10_000
    explain("m", "a.png", mask="mask.png", target="tree", force=True)
    assert drawn[1][1][4][1] == "tree: Dice 0.000, 25.0% of pixels wrong"


def test_without_a_true_mask_the_decided_one_is_drawn(known, drawn, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)  # none of it is needed
    known(THING)
    write("a.png", bright(UP, LEFT))
    (path,) = explain("m", "a.png")
    assert path == Path("explained/a.mask.png")
    (name, given, _) = drawn[0]
    assert (name, given[3][1]) == ("draw_mask", "thing: 25.0% of the image")
