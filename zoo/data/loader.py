"""Batches straight from the store: no worker processes, no per-sample Python, no float copy.

An epoch's order is one tensor of indices; a batch is one ``index_select`` into a reused buffer,
then work on the device for the whole batch at once: to [0, 1], augment, size, normalize.

Shapes: B images, H by W pixels, C channels, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.data.copies import Copies
from zoo.data.draws import generator
from zoo.data.preprocessing import Preprocessing
from zoo.data.rows import Rows, rows_of
from zoo.data.tiers import Held
from zoo.errors import PluginError
from zoo.tasks import SEGMENTATION, Task

Sampler = Callable[[torch.Generator], Tensor]


@dataclass(frozen=True)
class Batch:
    """``images``: float32 (B, C, H, W), the network's input, in memory that the next batch reuses;
    ``labels``: int64 (B,), uint8 (B, K) or int64 masks (B, H, W), None where there are none;
    ``targets``: what a loss takes, ``Task.targets`` of the labels unless they are mixed."""

    images: Tensor
    labels: Tensor | None
    targets: Tensor | None

    def __len__(self) -> int:
        return len(self.images)


def batch_bounds(length: int, batch_size: int, *, join_last: bool) -> list[tuple[int, int]]:
    """Where batches begin and end. ``join_last``: a last batch of one joins its neighbour, since
    batch normalization cannot take the variance of one value."""
    bounds = [(at, min(at + batch_size, length)) for at in range(0, length, batch_size)]
    if join_last and len(bounds) > 1 and bounds[-1][1] - bounds[-1][0] == 1:
        bounds[-2:] = [(bounds[-2][0], length)]
    return bounds


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
    sample once, not augmented."""

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
    ) -> None:
        self.store = store
        self.preprocessing = preprocessing
        self.task = task
        self.batch_size = batch_size
        self.device = device
        self.sampler = sampler
        self.copies = copies or Copies()
        self.seed = seed
        self.channels_last = channels_last
        self._rows: Rows = rows_of(store, device)
        self._labels = None if store.labels is None else store.labels.to(device)
        self._units: Tensor | None = None
        self._augments = sampler is not None and self.copies.augment_anything
        self._mixes = sampler is not None and self.copies.mix_anything

    @property
    def samples(self) -> int:
        """What a sampler chooses from: every sample, once a copy."""
        return len(self.store) * self.copies.number

    def order(self, epoch: int) -> Tensor:
        """int64 (M,): the indices of one epoch, below ``samples``. Raises :class:`PluginError` when
        a sampler's are not."""
        if self.sampler is None:
            return torch.arange(len(self.store))
        return drawn_order(self.sampler, self.seed, epoch, self.samples)

    def bounds(self, samples: int) -> list[tuple[int, int]]:
        return batch_bounds(samples, self.batch_size, join_last=self.sampler is not None)

    def size_of(self, epoch: int) -> tuple[int, int]:
        """(samples, steps) of an epoch."""
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
        in the epoch's order; ``bounds``: where batches begin and end in both."""
        indices = order % len(self.store)
        labels = None
        if self._labels is not None:
            labels = self._labels.index_select(0, indices.to(self.device))
        positions = positions.to(self.device)
        rows = self._rows.batches(indices, bounds)
        for (first, last), (pixels, stored_masks) in zip(bounds, rows, strict=True):
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
            yield self._batch(images, masks, labels, place, epoch, positions[place])

    def _batch(
        self,
        images: Tensor,
        masks: Tensor | None,
        labels: Tensor | None,
        place: slice,
        epoch: int,
        positions: Tensor,
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
        return Batch(images, chosen, targets)

    def _buffer(self, pixels: Tensor) -> Tensor:
        """float32 of at least the pixels' shape, reused by the next batch."""
        if self._units is None or len(self._units) < len(pixels):
            self._units = torch.empty(pixels.shape, dtype=torch.float32, device=self.device)
        return self._units
