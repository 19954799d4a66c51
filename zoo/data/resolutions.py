"""One training set at several resolutions: a batch has one size, batches of all sizes alternate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from zoo.data.draws import generator
from zoo.data.loader import Batch, Loader, Sampler, drawn_order


class Resolutions:
    """Loaders, each of its own image size, as one loader. Index ``i`` of an epoch's order is sample
    ``i - starts[p]`` of part ``p``; the sampler chooses from all of them.

    An epoch's order is cut into batches part by part; the order of the batches is then a function
    of (seed, epoch) like everything else. Parts say which process of how many this is.
    """

    def __init__(self, parts: Sequence[Loader], sampler: Sampler, seed: int) -> None:
        self.parts = parts
        self.sampler = sampler
        self.seed = seed
        self.device = parts[0].device
        self.rank, self.ranks = parts[0].rank, parts[0].ranks
        self._cut_epoch: tuple[int, Tensor, list[tuple[int, Tensor]]] | None = None
        self._starts = torch.tensor([0, *(part.samples for part in parts)]).cumsum(0)

    @property
    def samples(self) -> int:
        return int(self._starts[-1])

    def order(self, epoch: int) -> Tensor:
        """int64 (M,): the indices of one epoch, below ``samples``."""
        return self._cut(epoch)[0]

    def size_of(self, epoch: int) -> tuple[int, int]:
        """(samples, steps) of an epoch."""
        order, batches = self._cut(epoch)
        return len(order), len(batches)

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from step ``start`` on."""
        order, batches = self._cut(epoch)
        shuffled = torch.randperm(len(batches), generator=generator(self.seed, "batches", epoch))
        coming = [batches[number] for number in shuffled[start:].tolist()]
        # One pass through each part: what it sends to the device or decodes ahead is for all of it.
        passes = [
            self._batches(number, [own for part, own in coming if part == number], order, epoch)
            for number in range(len(self.parts))
        ]
        for part, _ in coming:
            yield next(passes[part])

    def trials(self) -> Iterator[Batch]:
        """A batch of each size."""
        _, batches = self._cut(1)
        for number, part in enumerate(self.parts):
            for place, positions in batches:
                if place == number:
                    some = positions[: 2 * self.ranks]
                    yield from part.batches(some * 0, some, [(0, len(some))], 1)
                    break

    def _batches(
        self, number: int, positions: Sequence[Tensor], order: Tensor, epoch: int
    ) -> Iterator[Batch]:
        """The batches of a part that have these positions."""
        if not positions:
            return iter(())
        ends = [0, *accumulate(map(len, positions))]
        together = torch.cat([*positions])
        indices = order[together] - self._starts[number]
        return self.parts[number].batches(indices, together, [*pairwise(ends)], epoch)

    def _cut(self, epoch: int) -> tuple[Tensor, list[tuple[int, Tensor]]]:
        """(the order, (part, positions) of each batch), kept until another epoch is asked for."""
        if self._cut_epoch is not None and self._cut_epoch[0] == epoch:
            return self._cut_epoch[1:]
        order = drawn_order(self.sampler, self.seed, epoch, self.samples)
        part_of = torch.searchsorted(self._starts, order, right=True) - 1
        batches = []
        for number, part in enumerate(self.parts):
            positions = torch.nonzero(part_of == number).flatten()
            if len(positions):
                bounds = part.bounds(len(positions))
                batches += [(number, positions[first:last]) for first, last in bounds]
        self._cut_epoch = epoch, order, batches
        return order, batches
