"""Random numbers as a function of (seed, epoch, position in the epoch's order), not of a state.

So a resumed run needs no saved generator, nothing depends on the number of workers, and the copies
of one image that a weighted sampler repeats are augmented differently.

The hash is the finalizer of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014), in int64 arithmetic that wraps, so it is the same on every device.
"""

from __future__ import annotations

import functools
import hashlib
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15
_MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_UNSIGNED = [np.uint64(one) for one in _MULTIPLIERS]
_WORD = (1 << 64) - 1
_LOW_24 = (1 << 24) - 1


def key(*parts: int | str) -> int:
    """An int64 that depends on every part: the key of a stream of draws."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "little", signed=True)


def generator(*parts: int | str) -> torch.Generator:
    """A CPU generator seeded by :func:`key`: for an epoch's order."""
    made = torch.Generator()
    made.manual_seed(key(*parts))
    return made


@functools.lru_cache(maxsize=1024)
def _stream(seed: int, *parts: int) -> int:
    return key(seed, "step", *parts)


def step_seed(seed: int, step: int, *parts: int) -> int:
    """What seeds torch's own generator in a step, in 0 to 2**63 - 1. The hash of this module in
    plain integers: SHA-256 in every step would cost ten times as much."""
    value = (_stream(seed, *parts) + step * _GOLDEN) & _WORD
    value = ((value ^ (value >> 30)) * _MULTIPLIERS[0]) & _WORD
    value = ((value ^ (value >> 27)) * _MULTIPLIERS[1]) & _WORD
    return (value ^ (value >> 31)) >> 1


class Draws:
    """Random numbers for the images of one batch, one stream a call.

    ``shape`` asks for many numbers an image, such as one a pixel.

    ``positions``: int64 (B,), each image's place in the epoch's order. Two ``Draws`` of the same
    key and positions give the same numbers, call by call.
    """

    def __init__(self, positions: Tensor, *parts: int | str) -> None:
        self.positions = positions
        self._parts = parts
        self._calls = 0

    def __len__(self) -> int:
        return len(self.positions)

    def uniform(self, low: float = 0.0, high: float = 1.0, shape: tuple[int, ...] = ()) -> Tensor:
        """float32 (B, *shape) in [low, high)."""
        # 24 bits are exact in float32, on every device (mps has no float64).
        unit = (self._bits(shape) >> 24).to(torch.float32).mul_(2.0**-24)
        return unit if (low, high) == (0.0, 1.0) else unit.mul_(high - low).add_(low)

    def normal(self, shape: tuple[int, ...] = ()) -> Tensor:
        """float32 (B, *shape), of mean 0 and standard deviation 1; none is beyond 5.8."""
        count = math.prod(shape)
        pairs = self._bits(((count + 1) // 2,))
        # Box and Muller 1958, doi:10.1214/aoms/1177706645: two numbers from 24 bits each.
        angles = (pairs >> 24).to(torch.float32).mul_(math.tau * 2.0**-24)
        units = pairs.bitwise_and_(_LOW_24).to(torch.float32).mul_(-(2.0**-24)).add_(1.0)
        radii = units.log_().mul_(-2.0).sqrt_()
        both = torch.stack((radii * angles.cos(), radii * angles.sin()), dim=-1)
        return both.flatten(1)[:, :count].reshape(len(self), *shape)

    def chance(self, probability: float) -> Tensor:
        """bool (B,), each true with this probability, in [0, 1]."""
        return self.uniform() < probability

    def integers(self, low: int, high: int) -> Tensor:
        """int64 (B,) in [low, high)."""
        return (self.uniform() * (high - low)).long().clamp_(max=high - low - 1) + low

    def for_part(self, *parts: int | str) -> Draws:
        """Draws of their own for a part of the work, such as the third augmentation."""
        return Draws(self.positions, *self._parts, *parts)

    def _bits(self, shape: tuple[int, ...]) -> Tensor:
        """int64 (B, *shape), its low 48 bits random: SplitMix64's, seeded by each position."""
        self._calls += 1
        start = key(*self._parts, self._calls)
        count = math.prod(shape) if shape else 0
        on_cpu = self.positions.device.type == "cpu"
        hashes = (host_hashes if on_cpu else device_hashes)(self.positions, start, count)
        return hashes.view(len(self), *shape)


def host_hashes(positions: Tensor, start: int, count: int) -> Tensor:
    """:func:`device_hashes` by numpy, whose unsigned shift and low cost a call make it 6 times as
    fast for a batch of 64 on one core."""
    golden = np.uint64(_GOLDEN)
    seeds = positions.numpy().view(np.uint64) * golden + np.uint64(start % (1 << 64))
    hashes = _mixed(seeds, _UNSIGNED, operator.rshift)
    if count:
        counted = np.arange(1, count + 1, dtype=np.uint64) * golden
        hashes = _mixed(hashes[:, None] + counted, _UNSIGNED, operator.rshift)
    hashes >>= np.uint64(16)
    return torch.from_numpy(hashes.view(np.int64))


def device_hashes(positions: Tensor, start: int, count: int) -> Tensor:
    """int64 (B,), or (B, count) where count is not 0: 48 random bits for each, on any device."""
    multipliers = [_signed(one) for one in _MULTIPLIERS]
    hashes = _mixed(positions * _signed(_GOLDEN) + start, multipliers, _shifted)
    if count:
        counted = torch.arange(1, count + 1, device=positions.device) * _signed(_GOLDEN)
        hashes = _mixed(hashes[:, None] + counted, multipliers, _shifted)
    return _shifted(hashes, 16)


def _mixed(values: Any, multipliers: Sequence[Any], shifted: Callable[[Any, Any], Any]) -> Any:
    """The finalizer, in place: every bit of a value changes about half of the result's."""
    for by, multiplier in zip((30, 27), multipliers, strict=True):
        values ^= shifted(values, by)
        values *= multiplier
    values ^= shifted(values, 31)
    return values


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _shifted(values: Tensor, by: int) -> Tensor:
    """A logical right shift: int64's own keeps the sign."""
    return (values >> by).bitwise_and_((1 << (64 - by)) - 1)
