"""The samplers: what they draw, how often, and that torch's own draws are met."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch.utils.data import WeightedRandomSampler
from zoo_basics import samplers

import zoo

TASK = zoo.Task.multiclass(["a", "b", "c"])
LABELS = np.repeat(np.arange(3), (600, 300, 30))


def context(labels=LABELS):
    return zoo.SamplerContext(TASK, labels, len(labels))


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_shuffle_is_a_permutation_that_follows_the_generator():
    draw = samplers.shuffle(context())
    first = draw(seeded(1))
    assert sorted(first.tolist()) == list(range(930))
    assert torch.equal(draw(seeded(1)), first)
    assert not torch.equal(draw(seeded(2)), first)


def test_sequential_keeps_the_order():
    assert samplers.sequential(context())(seeded(1)).tolist() == list(range(930))


def test_weighted_draws_what_torchs_sampler_draws():
    weights = torch.from_numpy(1.0 / np.bincount(LABELS)[LABELS])
    expected = list(WeightedRandomSampler(weights, len(LABELS), True, generator=seeded(5)))
    assert samplers.weighted(context())(seeded(5)).tolist() == expected


@pytest.mark.parametrize("limit", [samplers.MULTINOMIAL_LIMIT, 100])
def test_weighted_evens_the_classes_out(monkeypatch, limit):
    """A limit below the length takes the way of huge data sets, to the same distribution."""
    monkeypatch.setattr(samplers, "MULTINOMIAL_LIMIT", limit)
    drawn = samplers.weighted(context(), num_samples=30_000)(seeded(0))
    assert drawn.dtype == torch.int64
    assert drawn.shape == (30_000,)
    assert chisquare(np.bincount(LABELS[drawn])).pvalue > 0.01
    for label in range(3):
        own = drawn[torch.from_numpy(LABELS[drawn] == label)].numpy()
        counts = np.bincount(own - own.min())
        assert len(counts) == (label == LABELS).sum()
        assert chisquare(counts).pvalue > 0.01


def test_the_frequency_test_can_fail():
    drawn = samplers.shuffle(context())(seeded(0))
    assert chisquare(np.bincount(LABELS[drawn])).pvalue < 1e-6


def test_search_reaches_both_ends_and_no_further(monkeypatch):
    """Uniform draws of exactly 0 and of the largest number below 1."""
    edges = torch.tensor([0.0, 1.0 - 2**-53], dtype=torch.float64)
    monkeypatch.setattr(samplers.torch, "rand", lambda *args, **kwargs: edges)
    weights = torch.full((7,), 0.1, dtype=torch.float64)
    assert samplers._by_search(weights, 2)(seeded(0)).tolist() == [0, 6]
