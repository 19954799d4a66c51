"""Batches straight from the store: no worker processes, no per-sample Python, no float copy.

An epoch's order is one tensor of indices; a batch is one ``index_select`` into a reused buffer,
then work on the device for the whole batch at once: to [0, 1], augment, size, normalize.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from zoo.data.augmentation import Augmentations
from zoo.data.draws import Draws, generator
from zoo.data.preprocessing import Preprocessing
from zoo.data.store import Store
from zoo.errors import DataError, PluginError

Sampler = Callable[[torch.Generator], Tensor]
_RESIDENT_SHARE = 0.4  # of the free device memory that a store may take


@dataclass(frozen=True)
class Batch:
    """``images``: float32 (B, C, H, W), the network's input, in memory that the next batch reuses;
    ``labels``: the store's, on the device, or None."""

    images: Tensor
    labels: Tensor | None

    def __len__(self) -> int:
        return len(self.images)


def batch_bounds(length: int, batch_size: int, *, join_last: bool) -> list[tuple[int, int]]:
    """Where batches begin and end. ``join_last``: a last batch of one joins its neighbour, since
    batch normalization cannot take the variance of one value."""
    bounds = [(at, min(at + batch_size, length)) for at in range(0, length, batch_size)]
    if join_last and len(bounds) > 1 and bounds[-1][1] - bounds[-1][0] == 1:
        bounds[-2:] = [(bounds[-2][0], length)]
    return bounds


@dataclass
class Loader:
    """Batches of a store. With a ``sampler``: a training loader, whose order is a function of
    (seed, epoch) and whose augmentation is one of (seed, epoch, position). Without: in order, every
    sample once, not augmented."""

    store: Store
    preprocessing: Preprocessing
    batch_size: int
    device: torch.device
    sampler: Sampler | None = None
    augmentations: Augmentations = field(default_factory=Augmentations)
    seed: int = 0

    def __post_init__(self) -> None:
        self._images, self._labels = self.store.images, self.store.labels
        if self.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.device)
            if self._images.numel() <= _RESIDENT_SHARE * free:
                self._images = self._images.to(self.device)
        elif self.device.type == "mps":
            self._images = self._images.to(self.device)
        if self._labels is not None:
            self._labels = self._labels.to(self.device)
        self._gathered: Tensor | None = None
        self._units: Tensor | None = None

    def order(self, epoch: int) -> Tensor:
        """int64 (M,): the indices of one epoch. Raises :class:`PluginError` when a sampler's are
        not indices of the store."""
        if self.sampler is None:
            return torch.arange(len(self.store))
        order = self.sampler(generator(self.seed, "order", epoch))
        if not isinstance(order, Tensor) or order.dtype != torch.int64 or order.ndim != 1:
            raise PluginError("the sampler returned no int64 (M,) tensor of indices")
        if len(order) == 0 or int(order.min()) < 0 or int(order.max()) >= len(self.store):
            raise PluginError(
                f"the sampler returned {len(order)} indices; expected some, in 0 to "
                f"{len(self.store) - 1}"
            )
        return order

    def bounds(self, samples: int) -> list[tuple[int, int]]:
        return batch_bounds(samples, self.batch_size, join_last=self.sampler is not None)

    def epoch(self, epoch: int = 0) -> Iterator[Batch]:
        order = self.order(epoch)
        bounds = self.bounds(len(order))
        self._reserve(max(end - start for start, end in bounds))
        indices = order.to(self._images.device)
        labels = None
        if self._labels is not None:
            labels = self._labels.index_select(0, order.to(self.device))
        positions = torch.arange(len(order), device=self.device)
        for start, end in bounds:
            images = self._gather(indices[start:end])
            if self.augmentations.steps:
                draws = Draws(positions[start:end], self.seed, "augment", epoch)
                images, _ = self.augmentations(images, None, draws)
            images = self.preprocessing.finish(images)
            yield Batch(images, None if labels is None else labels[start:end])

    def _reserve(self, rows: int) -> None:
        shape = (rows, *self._images.shape[1:])
        if self._gathered is None or len(self._gathered) < rows:
            pinned = self.device.type == "cuda" and self._images.device.type == "cpu"
            self._gathered = torch.empty(
                shape, dtype=torch.uint8, device=self._images.device, pin_memory=pinned
            )
            self._units = torch.empty(shape, dtype=torch.float32, device=self.device)

    def _gather(self, indices: Tensor) -> Tensor:
        """float32 (B, C, H, W) in [0, 1], channels_last, on the device, in the reused buffer."""
        if self._gathered is None or self._units is None:
            raise DataError("the loader's buffers are not reserved")
        rows = self._gathered[: len(indices)]
        torch.index_select(self._images, 0, indices, out=rows)
        return self.preprocessing.to_unit(rows, self._units)
