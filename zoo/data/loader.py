"""Batches straight from the store: no worker processes, no per-sample Python, no float copy.

An epoch's order is one tensor of indices; a batch is one ``index_select`` into a reused buffer,
then work on the device for the whole batch at once: to [0, 1], augment, size, normalize.

Shapes: B images, H by W pixels, C channels, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.data.copies import Copies
from zoo.data.device import sent
from zoo.data.draws import generator
from zoo.data.preprocessing import Preprocessing
from zoo.data.rows import Rows, rows_of
from zoo.data.tiers import Held
from zoo.errors import DataError, PluginError
from zoo.tasks import SEGMENTATION, Task

Sampler = Callable[[torch.Generator], Tensor]


@dataclass(frozen=True)
class Batch:
    """``images``: float32 (B, C, H, W), the network's input, in memory that the next batch reuses;
    ``labels``: int64 (B,), uint8 (B, K) or int64 masks (B, H, W), None where there are none;
    ``targets``: what a loss takes, ``Task.targets`` of the labels unless they are mixed. ``share``:
    where several processes have a part each of a batch, this part's images times the processes over
    the images of the whole: the mean over processes of each one's mean times its share is the mean
    over the whole batch."""

    images: Tensor
    labels: Tensor | None
    targets: Tensor | None
    share: float = 1.0

    def __len__(self) -> int:
        return self.images.shape[0]  # len() of a tensor takes five times as long


def batch_bounds(length: int, batch_size: int, *, fewest: int) -> list[tuple[int, int]]:
    """Where batches begin and end. A last batch of less than ``fewest`` joins its neighbour: batch
    normalization cannot take the variance of one value."""
    bounds = [(at, min(at + batch_size, length)) for at in range(0, length, batch_size)]
    if len(bounds) > 1 and bounds[-1][1] - bounds[-1][0] < fewest:
        bounds[-2:] = [(bounds[-2][0], length)]
    return bounds


def part_of(bounds: tuple[int, int], rank: int, ranks: int) -> tuple[int, int]:
    """The contiguous part of ``bounds`` that belongs to process ``rank``. Parts of all processes
    cover it, and differ by at most one."""
    first, length = bounds[0], bounds[1] - bounds[0]
    return first + length * rank // ranks, first + length * (rank + 1) // ranks


def equal_parts(length: int, most: int) -> list[tuple[int, int]]:
    """Where parts of at most ``most`` begin and end; they differ by at most one. A single image is
    no part where there are more (batch normalization again): of few, parts have two or three."""
    number = max(1, min(math.ceil(length / most), length // 2))
    return [part_of((0, length), one, number) for one in range(number)]


def drawn_order(sampler: Sampler, seed: int, epoch: int, samples: int) -> Tensor:
    """int64 (M,): what the sampler draws for an epoch, a function of (seed, epoch). Raises
    :class:`PluginError` when it is not indices below ``samples``."""
    order = sampler(generator(seed, "order", epoch))
    if not isinstance(order, Tensor) or order.dtype != torch.int64 or order.ndim != 1:
        raise PluginError("the sampler returned no int64 (M,) tensor of indices")
    if len(order) == 0 or int(order.min()) < 0 or int(order.max()) >= samples:
        raise PluginError(
            f"the sampler returned {len(order)} indices; expected some, in 0 to {samples - 1}"
        )
    return order


class Loader:
    """Batches of a store. With a ``sampler``: a training loader, whose order is a function of
    (seed, epoch) and whose augmentation is one of (seed, epoch, position). Without: in order, every
    sample once, not augmented.

    Of ``ranks`` processes this is number ``rank``. In training, ``batch_size`` is that of the whole
    batch; each process gets its part of every batch, with the draws that the images have in the
    whole, so that none of it depends on ``ranks`` but what images are mixed with: they are of the
    same part. Without a sampler each process reads its part of the samples, ``batch_size`` at a
    time; all parts together are every sample once."""

    def __init__(
        self,
        store: Held,
        preprocessing: Preprocessing,
        task: Task,
        batch_size: int,
        device: torch.device,
        sampler: Sampler | None = None,
        copies: Copies | None = None,
        seed: int = 0,
        channels_last: bool = True,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if not 0 <= rank < ranks:
            raise DataError(f"process {rank} of {ranks}: expected 0 to {ranks - 1}")
        self.store = store
        self.preprocessing = preprocessing
        self.task = task
        self.batch_size = batch_size
        self.device = device
        self.sampler = sampler
        self.copies = copies or Copies()
        self.seed = seed
        self.channels_last = channels_last
        self.rank, self.ranks = rank, ranks
        self._rows: Rows = rows_of(store, device)
        self._labels = None if store.labels is None else store.labels.to(device)
        self._units: Tensor | None = None
        self._drawn: tuple[int, Tensor] | None = None
        self._augments = sampler is not None and self.copies.augment_anything
        self._mixes = sampler is not None and self.copies.mix_anything

    @property
    def samples(self) -> int:
        """What a sampler chooses from: every sample, once a copy."""
        return len(self.store) * self.copies.number

    def order(self, epoch: int) -> Tensor:
        """int64 (M,): the indices of one epoch, below ``samples``, on all processes. Kept until
        another epoch is asked for. Raises :class:`PluginError` when a sampler's are not."""
        if self.sampler is None:
            return torch.arange(*part_of((0, len(self.store)), self.rank, self.ranks))
        if self._drawn is None or self._drawn[0] != epoch:
            self._drawn = epoch, drawn_order(self.sampler, self.seed, epoch, self.samples)
        return self._drawn[1]

    def bounds(self, samples: int) -> list[tuple[int, int]]:
        """Of whole batches. Raises :class:`DataError` when one has no image for some process."""
        if self.sampler is None:
            return batch_bounds(samples, self.batch_size, fewest=0)
        bounds = batch_bounds(samples, self.batch_size, fewest=2 * self.ranks)
        smallest = min((last - first for first, last in bounds), default=0)
        if smallest < self.ranks:
            raise DataError(
                f"a batch of {smallest} images for {self.ranks} processes: expected one each or "
                f"more; raise training.batch_size, or start fewer processes"
            )
        return bounds

    def size_of(self, epoch: int) -> tuple[int, int]:
        """(samples, steps) of an epoch; in training, the same on all processes."""
        samples = len(self.order(epoch))
        return samples, len(self.bounds(samples))

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from step ``start`` on: the very ones an epoch from its
        beginning would have there."""
        order = self.order(epoch)
        bounds = self.bounds(len(order))[start:]
        return self.batches(order, torch.arange(len(order)), bounds, epoch)

    def trials(self) -> Iterator[Batch]:
        """A batch of each form there is, to try a network on."""
        yield next(self.epoch(1))

    def batches(
        self, order: Tensor, positions: Tensor, bounds: Sequence[tuple[int, int]], epoch: int
    ) -> Iterator[Batch]:
        """``order``: int64 (M,), indices below ``samples``; ``positions``: int64 (M,), their places
        in the epoch's order; ``bounds``: where batches begin and end in both, all processes' parts
        together."""
        shares = [1.0] * len(bounds)
        if self.sampler is not None and self.ranks > 1:
            parts = [part_of(one, self.rank, self.ranks) for one in bounds]
            shares = [
                (mine[1] - mine[0]) * self.ranks / (whole[1] - whole[0])
                for mine, whole in zip(parts, bounds, strict=True)
            ]
            bounds = parts
        indices = order % len(self.store)
        labels = None
        if self._labels is not None:
            labels = self._labels.index_select(0, sent(indices, self.device))
        positions = sent(positions, self.device)
        rows = self._rows.batches(indices, bounds)
        for (first, last), share, (pixels, stored_masks) in zip(bounds, shares, rows, strict=True):
            place, masks = slice(first, last), stored_masks
            if self._augments:
                images, masks = self.copies.augment(
                    self.preprocessing.to_unit(pixels, self._buffer(pixels)),
                    masks,
                    order[place],
                    positions[place],
                    len(self.store),
                    (self.seed, epoch),
                )
                images = self.preprocessing.finish(images)
            else:
                images = self.preprocessing(pixels, self._buffer(pixels))
            yield self._batch(images, masks, labels, place, epoch, positions[place], share)

    def _batch(
        self,
        images: Tensor,
        masks: Tensor | None,
        labels: Tensor | None,
        place: slice,
        epoch: int,
        positions: Tensor,
        share: float,
    ) -> Batch:
        if not self.channels_last:
            images = images.contiguous()
        if self.task.kind == SEGMENTATION:
            chosen = None if masks is None else self.preprocessing.finish_masks(masks)
        else:
            chosen = None if labels is None else labels[place]
        targets = None if chosen is None else self.task.targets(chosen)
        if targets is not None and self._mixes:
            images, targets = self.copies.mix(
                images, targets, self.task, positions, (self.seed, epoch)
            )
        return Batch(images, chosen, targets, share)

    def _buffer(self, pixels: Tensor) -> Tensor:
        """float32 of at least the pixels' shape, reused by the next batch."""
        if self._units is None or len(self._units) < len(pixels):
            self._units = torch.empty(pixels.shape, dtype=torch.float32, device=self.device)
        return self._units
