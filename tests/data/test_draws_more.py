"""Many numbers an image: uniform and normal, a function of position and place alone."""

import pytest
import torch

from zoo.data.draws import Draws, device_hashes, host_hashes


def drawn(positions, shape, kind):
    draws = Draws(positions, 3, "more")
    return draws.normal(shape) if kind == "normal" else draws.uniform(shape=shape)


@pytest.mark.parametrize("kind", ["uniform", "normal"])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (5, 4, 3)])
def test_a_position_draws_the_same_numbers_in_any_batch(kind, shape):
    whole = drawn(torch.arange(20), shape, kind)
    assert whole.shape == (20, *shape)
    assert whole.dtype == torch.float32
    part = drawn(torch.tensor([13, 4]), shape, kind)
    assert torch.equal(part, whole[[13, 4]])
    assert torch.equal(drawn(torch.arange(20), shape, kind), whole)


def test_normal_numbers_are_normal():
    values = drawn(torch.arange(100), (2001,), "normal").double().flatten()
    assert values.mean().abs() < 0.01
    assert abs(values.std() - 1) < 0.01
    assert values.abs().max() < 5.9
    edges = torch.special.ndtri(torch.linspace(0, 1, 101, dtype=torch.float64)[1:-1])
    counts = torch.bincount(torch.bucketize(values, edges), minlength=100)
    expected = len(values) / 100
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert 55 < chi_square < 150  # 99 degrees of freedom: mean 99, SD 14


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_images_places_and_calls_are_independent(kind):
    many = drawn(torch.arange(12), (4000,), kind)
    draws = Draws(torch.arange(12), 3, "more", "again")
    again = draws.normal((4000,)) if kind == "normal" else draws.uniform(shape=(4000,))
    rows = torch.cat((many, again))
    assert (torch.corrcoef(rows) - torch.eye(24)).abs().max() < 0.08
    neighbours = torch.corrcoef(torch.stack((many[:, 1:].flatten(), many[:, :-1].flatten())))
    assert neighbours[0, 1].abs() < 0.02


def test_bounds_and_calls_count_with_a_shape_too():
    draws = Draws(torch.arange(50), 1)
    first, second = draws.uniform(-2.0, 3.0, (40,)), draws.uniform(-2.0, 3.0, (40,))
    assert first.min() >= -2.0
    assert first.max() < 3.0
    assert abs(first.mean() - 0.5) < 0.15
    assert not torch.equal(first, second)


@pytest.mark.parametrize("count", [0, 1, 33])
@pytest.mark.parametrize("start", [0, -1, -(2**63), 2**63 - 1, 77])
def test_a_device_draws_what_the_host_draws(start, count):
    positions = torch.tensor([0, 1, 2, 1_000_000_007, 2**40])
    expected = device_hashes(positions, start, count)
    assert torch.equal(host_hashes(positions, start, count), expected)
    assert expected.min() >= 0
    assert expected.max() < 2**48
