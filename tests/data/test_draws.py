"""Draws are a function of (key, position, call), and look random."""

import torch

from zoo.data.draws import Draws, generator, key


def test_equal_keys_and_positions_draw_equal_numbers():
    positions = torch.arange(64)
    first, second = Draws(positions, 7, "augment", 3), Draws(positions, 7, "augment", 3)
    assert torch.equal(first.uniform(), second.uniform())
    assert torch.equal(first.uniform(), second.uniform())


def test_a_position_draws_the_same_in_any_batch():
    whole = Draws(torch.arange(100), 1).uniform()
    part = Draws(torch.arange(40, 60), 1).uniform()
    assert torch.equal(whole[40:60], part)


def test_calls_seeds_epochs_and_parts_differ():
    positions = torch.arange(1000)
    draws = Draws(positions, 0, 0)
    columns = [
        draws.uniform(),
        draws.uniform(),
        Draws(positions, 1, 0).uniform(),
        Draws(positions, 0, 1).uniform(),
        draws.for_part(0, "flip").uniform(),
        draws.for_part(1, "flip").uniform(),
    ]
    correlations = torch.corrcoef(torch.stack(columns)) - torch.eye(len(columns))
    assert correlations.abs().max() < 0.15


def test_uniform_is_uniform():
    values = Draws(torch.arange(100_000), 5).uniform()
    counts = torch.histc(values, bins=100, min=0, max=1)
    chi_square = ((counts - 1000) ** 2 / 1000).sum()
    assert 55 < chi_square < 150  # 99 degrees of freedom: mean 99, SD 14
    assert values.min() >= 0.0 and values.max() < 1.0


def test_chance_and_integers_have_their_shares():
    draws = Draws(torch.arange(50_000), "shares")
    assert abs(draws.chance(0.3).float().mean() - 0.3) < 0.01
    assert not draws.chance(0.0).any()
    assert draws.chance(1.0).all()
    values = draws.integers(-2, 3)
    assert values.unique().tolist() == [-2, -1, 0, 1, 2]
    assert (torch.bincount(values + 2) / 10_000 - 1).abs().max() < 0.05


def test_key_separates_its_parts():
    assert key(1, 23) != key(12, 3)
    assert key("order", 1) != key("order", 2)
    assert torch.equal(
        torch.randperm(9, generator=generator(1, 2)), torch.randperm(9, generator=generator(1, 2))
    )
