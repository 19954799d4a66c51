"""Which training samples an epoch draws: callables ``(torch.Generator) -> int64 (M,)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge
from torch import Generator, Tensor

from zoo import SamplerContext

Sampler = Callable[[Generator], Tensor]
# torch.multinomial takes no more categories; they would not be told apart in float32.
MULTINOMIAL_LIMIT = 1 << 24


def shuffle(ctx: SamplerContext) -> Sampler:
    """Every sample once, in random order."""
    return lambda generator: torch.randperm(ctx.length, generator=generator)


def sequential(ctx: SamplerContext) -> Sampler:
    """Every sample once, in the order of the split."""
    return lambda generator: torch.arange(ctx.length)


def weighted(ctx: SamplerContext, *, num_samples: Annotated[int, Ge(0)] = 0) -> Sampler:
    """With replacement, each sample with weight 1 / (count of its class), so that classes come
    equally often on average. ``num_samples`` an epoch; 0 means as many as there are.

    The indices are those torch's WeightedRandomSampler gives for the same generator; above 2**24
    samples, where that fails, they are drawn from the same distribution by another way.
    """
    counts = np.bincount(ctx.labels)
    weights = torch.from_numpy(1.0 / counts[ctx.labels])
    count = num_samples or ctx.length
    if len(weights) > MULTINOMIAL_LIMIT:
        return _by_search(weights, count)
    return lambda generator: torch.multinomial(weights, count, True, generator=generator)


def _by_search(weights: Tensor, count: int) -> Sampler:
    """Where a uniform draw falls in the cumulative sum of ``weights`` (float64)."""
    cumulative = weights.cumsum(0)

    def draw(generator: Generator) -> Tensor:
        places = torch.rand(count, dtype=torch.float64, generator=generator) * cumulative[-1]
        # A product that rounds up to the sum itself would fall behind the last sample.
        return torch.searchsorted(cumulative, places, right=True).clamp_(max=len(weights) - 1)

    return draw
