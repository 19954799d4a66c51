"""Each image decoded once, kept as one uint8 array; labels beside it.

Shapes: N samples, H by W pixels, C channels. Array datasets are their own store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zoo.data.datasets import ArraySplit, Split, Subset
from zoo.data.decoding import is_gray, pixels
from zoo.errors import DataError

_CHUNK = 4096  # images whose statistics are summed at once


@dataclass(frozen=True)
class Store:
    """``images``: uint8 (N, H, W, C); ``labels``: int64 (N,), uint8 (N, K) or None."""

    images: Tensor
    labels: Tensor | None
    ids: tuple[str, ...]

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
        total = np.zeros(self.channels, np.int64)
        squares = np.zeros(self.channels, np.int64)
        for chunk in torch.split(self.images, _CHUNK):
            values = chunk.numpy().reshape(-1, self.channels).astype(np.int64)
            total += values.sum(axis=0)
            squares += np.square(values).sum(axis=0)
        count = self.images.numel() // self.channels
        mean = total / count
        variance = np.maximum(squares / count - np.square(mean), 0.0)
        # A constant channel has no spread to divide by; it is centred only.
        std = np.where(variance > 0.0, np.sqrt(variance), 255.0)
        return tuple(float(m) for m in mean / 255.0), tuple(float(s) for s in std / 255.0)

    def class_counts(self, classes: int) -> tuple[int, ...]:
        """How many samples carry each class."""
        if self.labels is None:
            raise DataError("this split has no labels to count")
        if self.labels.ndim == 2:
            return tuple(int(count) for count in self.labels.long().sum(dim=0))
        return tuple(int(count) for count in torch.bincount(self.labels, minlength=classes))

    def fingerprint(self) -> str:
        """sha256 over ids, labels and pixels: equal fingerprints are equal data."""
        digest = hashlib.sha256("\n".join(self.ids).encode())
        digest.update(str(tuple(self.images.shape)).encode())
        if self.labels is not None:
            digest.update(self.labels.numpy().tobytes())
        for chunk in torch.split(self.images, _CHUNK):
            digest.update(chunk.numpy().tobytes())
        return digest.hexdigest()


def native_form(split: Split, where: str) -> tuple[tuple[int, int], int]:
    """((height, width), channels) of the split's first image; 1 channel when it is gray."""
    image = split.image(0)
    first = pixels(image, 1 if is_gray(image) else 3, where)
    return (first.shape[0], first.shape[1]), first.shape[2]


def build_store(split: Split, channels: int, where: str) -> Store:
    """Decode ``split`` into a store. Raises :class:`DataError` naming the image that is wrong."""
    array = _array_of(split)
    if array is None or array.shape[3] != channels:
        array = _decoded(split, channels, where)
    labels = None
    if split.labels is not None:
        labels = torch.from_numpy(np.array(split.labels, dtype=_label_type(split.labels)))
    return Store(torch.from_numpy(np.ascontiguousarray(array)), labels, tuple(split.ids))


def _label_type(labels: np.ndarray) -> type:
    return np.uint8 if np.asarray(labels).ndim == 2 else np.int64


def _array_of(split: Split) -> np.ndarray | None:
    """The images of an array split, or of a part of one, as (N, H, W, C) without decoding."""
    if isinstance(split, ArraySplit):
        images = np.asarray(split.images)
        if images.dtype != np.uint8 or images.ndim not in (3, 4):
            raise DataError(
                f"an array split holds images of shape {images.shape} and type {images.dtype}; "
                f"expected uint8 (N, H, W) or (N, H, W, C)"
            )
        return images if images.ndim == 4 else images[..., None]
    if isinstance(split, Subset):
        whole = _array_of(split.of)
        return None if whole is None else whole[split.indices]
    return None


def _decoded(split: Split, channels: int, where: str) -> np.ndarray:
    images = _images(split, channels, where)
    first = next(images)
    array = np.empty((len(split), *first.shape), np.uint8)
    array[0] = first
    for index, image in enumerate(images, start=1):
        if image.shape != first.shape:
            raise DataError(
                f"{where}: image {split.ids[index]!r} is {image.shape[0]}x{image.shape[1]}, others "
                f"are {first.shape[0]}x{first.shape[1]}; expected one size"
            )
        array[index] = image
    return array


def _images(split: Split, channels: int, where: str) -> Iterator[np.ndarray]:
    for index in range(len(split)):
        yield pixels(split.image(index), channels, f"{where}: image {split.ids[index]!r}")
