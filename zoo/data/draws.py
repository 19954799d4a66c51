"""Random numbers as a function of (seed, epoch, position in the epoch's order), not of a state.

So a resumed run needs no saved generator, nothing depends on the number of workers, and the copies
of one image that a weighted sampler repeats are augmented differently.

The hash is the finalizer of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014), in int64 arithmetic that wraps, so it is the same on every device.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15
_MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def key(*parts: int | str) -> int:
    """An int64 that depends on every part: the key of a stream of draws."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "little", signed=True)


def generator(*parts: int | str) -> torch.Generator:
    """A CPU generator seeded by :func:`key`: for an epoch's order."""
    made = torch.Generator()
    made.manual_seed(key(*parts))
    return made


class Draws:
    """Random numbers for the images of one batch, one stream a call.

    ``positions``: int64 (B,), each image's place in the epoch's order. Two ``Draws`` of the same
    key and positions give the same numbers, call by call.
    """

    def __init__(self, positions: Tensor, *parts: int | str) -> None:
        self.positions = positions
        self._parts = parts
        self._calls = 0

    def __len__(self) -> int:
        return len(self.positions)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """float32 (B,) in [low, high)."""
        # 24 bits are exact in float32, on every device (mps has no float64).
        unit = (self._bits() & 0xFFFFFF).to(torch.float32) * 2.0**-24
        return unit * (high - low) + low

    def chance(self, probability: float) -> Tensor:
        """bool (B,), each true with this probability, in [0, 1]."""
        return self.uniform() < probability

    def integers(self, low: int, high: int) -> Tensor:
        """int64 (B,) in [low, high)."""
        return (self.uniform() * (high - low)).long().clamp_(max=high - low - 1) + low

    def for_part(self, *parts: int | str) -> Draws:
        """Draws of their own for a part of the work, such as the third augmentation."""
        return Draws(self.positions, *self._parts, *parts)

    def _bits(self) -> Tensor:
        self._calls += 1
        mixed = self.positions * _signed(_GOLDEN) + key(*self._parts, self._calls)
        mixed = (mixed ^ _shifted(mixed, 30)) * _signed(_MULTIPLIERS[0])
        mixed = (mixed ^ _shifted(mixed, 27)) * _signed(_MULTIPLIERS[1])
        return _shifted(mixed ^ _shifted(mixed, 31), 40)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _shifted(values: Tensor, by: int) -> Tensor:
    """A logical right shift: int64's own keeps the sign."""
    return (values >> by) & ((1 << (64 - by)) - 1)
