"""Draws of samples and of groups, and what the jackknife leaves out."""

import numpy as np
import pytest

from zoo.predictions.bca import Shape
from zoo.predictions.resampling import LEFT_OUT, TOGETHER, Units


def columns(blocks):
    return np.concatenate(list(blocks), axis=1)


def test_a_draw_holds_as_many_samples_as_there_are():
    drawn = columns(Units.of(30).draws(130, seed=1))
    assert drawn.shape == (30, 130)
    assert (drawn.sum(0) == 30).all()
    assert drawn.mean() == pytest.approx(1)
    # How often a sample is drawn is binomial: 36.2 % are not drawn at all.
    many = columns(Units.of(200).draws(1000, seed=2))
    assert (many == 0).mean() == pytest.approx((1 - 1 / 200) ** 200, abs=0.003)


def test_blocks_are_small_and_equal_seeds_draw_the_same():
    blocks = list(Units.of(10).draws(100, seed=3))
    assert [block.shape[1] for block in blocks] == [TOGETHER, 100 - TOGETHER]
    again = columns(Units.of(10).draws(100, seed=3))
    assert (columns(blocks) == again).all()
    assert (again != columns(Units.of(10).draws(100, seed=4))).any()


def test_groups_are_drawn_whole():
    groups = np.array(["a", "b", "a", "c", "b", "a"])
    units = Units.of(6, groups)
    assert (units.count, units.name) == (3, "groups")
    drawn = columns(units.draws(50, seed=0))
    for name in "abc":
        assert len({tuple(row) for row in drawn[groups == name]}) == 1
    assert (drawn[[0, 1, 3]].sum(0) == 3).all()
    left = columns(units.without())
    assert left.shape == (6, 3)
    assert sorted((left == 0).sum(0).tolist()) == [1, 2, 3]


def test_groups_of_one_are_samples():
    units = Units.of(3, np.array(["x", "y", "z"]))
    assert (units.name, units.grouped, units.count) == ("samples", False, 3)


def test_few_units_are_left_out_one_by_one():
    left = columns(Units.of(LEFT_OUT).without())
    assert left.shape == (LEFT_OUT, LEFT_OUT)
    assert ((left == 0) == np.eye(LEFT_OUT, dtype=bool)).all()


def test_many_units_are_left_out_in_parts_with_the_same_acceleration():
    """Of a skewed mean, within what moves an end by a fiftieth of a standard deviation."""
    size = 10_000
    sample = np.random.default_rng(0).exponential(size=size) ** 2
    left = columns(Units.of(size).without())
    assert left.shape == (size, LEFT_OUT)
    assert ((left == 0).sum(1) == 1).all()
    parts = sample @ left / left.sum(0)
    single = (sample.sum() - sample) / (size - 1)
    shapes = [Shape.of(0.0, np.zeros(2), one) for one in (parts, single)]
    assert shapes[0].acceleration == pytest.approx(shapes[1].acceleration, abs=0.005)
    assert shapes[1].acceleration > 0.005
