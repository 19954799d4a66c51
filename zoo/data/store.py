"""Each image decoded once, kept as one uint8 array; labels and masks beside it.

Shapes: N samples, H by W pixels, C channels, K classes.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from zoo.data.datasets import ArraySplit, Joined, Split, Subset
from zoo.data.decoding import IGNORE
from zoo.errors import DataError
from zoo.tasks import SEGMENTATION, Task

_CHUNK = 4096  # images whose statistics are summed at once


@dataclass(frozen=True)
class Store:
    """``images``: uint8 (N, H, W, C), in memory or mapped; ``labels``: int64 (N,) or uint8 (N, K);
    ``masks``: uint8 (N, H, W); None where there are none. ``skipped``: why images were left out,
    by id."""

    images: Tensor
    labels: Tensor | None
    ids: tuple[str, ...]
    masks: Tensor | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def image_size(self) -> tuple[int, int]:
        return self.images.shape[1], self.images.shape[2]

    @property
    def channels(self) -> int:
        return self.images.shape[3]

    def statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation (of the population) per channel, of values in [0, 1].

        Sums are exact integers, so the figures do not depend on order or threads.
        """
        sums = Sums(self.channels)
        for chunk in torch.split(self.images, _CHUNK):
            sums.add(chunk.numpy())
        return sums.statistics()

    def class_counts(self, task: Task) -> tuple[int, ...]:
        """How many samples carry each class; pixels for segmentation, ignored ones left out."""
        classes = len(task.classes)
        if task.kind == SEGMENTATION:
            if self.masks is None:
                raise DataError("this split has no masks to count")
            counts = np.zeros(256, np.int64)
            for chunk in torch.split(self.masks, _CHUNK):
                counts += np.bincount(chunk.numpy().reshape(-1), minlength=256)
            return tuple(int(count) for count in counts[:classes])
        if self.labels is None:
            raise DataError("this split has no labels to count")
        if self.labels.ndim == 2:
            return tuple(int(count) for count in self.labels.long().sum(dim=0))
        return tuple(int(count) for count in torch.bincount(self.labels, minlength=classes))

    def counted(self, task: Task) -> int:
        """What :meth:`class_counts` counts: samples, or pixels that are not ignored."""
        if task.kind != SEGMENTATION or self.masks is None:
            return len(self)
        return sum(int((chunk != IGNORE).sum()) for chunk in torch.split(self.masks, _CHUNK))

    def fingerprint(self) -> str:
        """sha256 over ids, labels, masks and pixels: equal fingerprints are equal data."""
        prints = Prints()
        for start in range(0, len(self), _CHUNK):
            part = slice(start, start + _CHUNK)
            masks = None if self.masks is None else self.masks[part].numpy()
            prints.add(self.images[part].numpy(), masks)
        return prints.of(self.ids, self.labels)


class Prints:
    """The fingerprint of data, added up chunk by chunk."""

    def __init__(self) -> None:
        self._images, self._masks = hashlib.sha256(), hashlib.sha256()
        self._form: tuple[int, ...] = ()

    def add(self, images: np.ndarray, masks: np.ndarray | None) -> None:
        self._form = images.shape[-3:]
        self._images.update(np.ascontiguousarray(images).data)
        if masks is not None:
            self._masks.update(np.ascontiguousarray(masks).data)

    def of(self, ids: Sequence[str], labels: Tensor | None) -> str:
        digest = hashlib.sha256("\n".join(ids).encode())
        if labels is not None:
            digest.update(labels.numpy().tobytes())
        digest.update(repr(self._form).encode())
        digest.update(self._images.digest() + self._masks.digest())
        return digest.hexdigest()


class Sums:
    """Exact sums of values and squares per channel, added chunk by chunk."""

    def __init__(self, channels: int) -> None:
        self._count = 0
        self._total = np.zeros(channels, np.int64)
        self._squares = np.zeros(channels, np.int64)

    def add(self, images: np.ndarray) -> None:
        """``images``: uint8 (..., C)."""
        for channel in range(len(self._total)):
            values = np.bincount(images[..., channel].reshape(-1), minlength=256)
            levels = np.arange(256, dtype=np.int64)
            self._total[channel] += values @ levels
            self._squares[channel] += values @ np.square(levels)
        self._count += images.size // len(self._total)

    def statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        mean = self._total / self._count
        variance = np.maximum(self._squares / self._count - np.square(mean), 0.0)
        # A constant channel has no spread to divide by; it is centred only.
        std = np.where(variance > 0.0, np.sqrt(variance), 255.0)
        return tuple(float(m) for m in mean / 255.0), tuple(float(s) for s in std / 255.0)


def labels_tensor(split: Split) -> Tensor | None:
    """int64 (N,), uint8 (N, K) multilabel, or None."""
    if split.labels is None:
        return None
    labels = np.asarray(split.labels)
    return torch.from_numpy(np.array(labels, dtype=np.uint8 if labels.ndim == 2 else np.int64))


def array_of(split: Split, indices: np.ndarray | None = None) -> np.ndarray | None:
    """The images of an array split, or of a part of one, as (N, H, W, C) without decoding; those of
    ``indices`` alone, which are gathered once however often a split was divided."""
    if isinstance(split, Subset):
        inner = split.indices if indices is None else split.indices[indices]
        return array_of(split.of, inner)
    if isinstance(split, Joined):
        parts = [part for part in map(array_of, split.parts) if part is not None]
        same = len({part.shape[1:] for part in parts}) == 1
        if not same or len(parts) != len(split.parts):
            return None
        joined = np.concatenate(parts)
        return joined if indices is None else joined[indices]
    if not isinstance(split, ArraySplit):
        return None
    images = np.asarray(split.images)
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise DataError(
            f"an array split holds images of shape {images.shape} and type {images.dtype}; "
            f"expected uint8 (N, H, W) or (N, H, W, C)"
        )
    if indices is not None:
        images = images[indices]
    return images if images.ndim == 4 else images[..., None]


def tensor_of(array: np.ndarray) -> Tensor:
    """The array's own memory as a tensor, which is only read."""
    with warnings.catch_warnings():
        # torch warns that a read-only array could be written to; a store never is.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(np.ascontiguousarray(array))
