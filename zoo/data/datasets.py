"""What a dataset plugin returns: splits of images with labels, the task, and where they come from.

Shapes: N samples, H by W pixels, C channels (1 or 3), K classes.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from zoo.data.decoding import open_image
from zoo.errors import DataError
from zoo.tasks import MULTILABEL, SEGMENTATION, Task


class Split(Protocol):
    """A part of a dataset. Labels are known without decoding an image; None where there are none.

    ``labels``: int64 (N,), or uint8 (N, K) for multilabel; None for segmentation. ``groups``: one
    name a sample (patient, lesion); samples of a group never straddle two splits.
    """

    @property
    def ids(self) -> Sequence[str]: ...
    @property
    def labels(self) -> np.ndarray | None: ...
    @property
    def groups(self) -> Sequence[str] | None: ...
    def __len__(self) -> int: ...
    def image(self, index: int) -> Any:
        """A PIL image, or uint8 (H, W) or (H, W, C)."""

    def mask(self, index: int) -> Any:
        """Segmentation only: class ids, a PIL image or uint8 (H, W)."""


@dataclass(frozen=True)
class Provenance:
    """Where images come from. ``licence`` is an SPDX or Hugging Face name where there is one."""

    licence: str
    citation: str = ""
    homepage: str = ""
    how_to_get: str = ""


@dataclass(frozen=True)
class ArraySplit:
    """A split that is already in memory: its own store.

    ``images``: uint8 (N, H, W) or (N, H, W, C).
    """

    images: np.ndarray
    labels: np.ndarray | None
    ids: Sequence[str]
    groups: Sequence[str] | None = None
    masks: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)

    def image(self, index: int) -> np.ndarray:
        return np.asarray(self.images[index])

    def mask(self, index: int) -> np.ndarray:
        if self.masks is None:
            raise DataError("this split has no masks")
        return np.asarray(self.masks[index])


@dataclass(frozen=True)
class FileSplit:
    """A split whose images are files, decoded when asked for. ``masks``: a file an image."""

    paths: Sequence[Path]
    labels: np.ndarray | None
    ids: Sequence[str]
    groups: Sequence[str] | None = None
    masks: Sequence[Path] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def image(self, index: int) -> Any:
        return open_image(self.paths[index])

    def mask(self, index: int) -> Any:
        if self.masks is None:
            raise DataError("this split has no masks")
        return open_image(self.masks[index])


@dataclass(frozen=True)
class Subset:
    """Some samples of another split, in the order of ``indices`` (int64)."""

    of: Split
    indices: np.ndarray

    def __len__(self) -> int:
        return len(self.indices)

    @functools.cached_property
    def ids(self) -> Sequence[str]:
        ids = self.of.ids
        return [ids[i] for i in self.indices]

    @functools.cached_property
    def labels(self) -> np.ndarray | None:
        labels = self.of.labels
        return None if labels is None else np.asarray(labels)[self.indices]

    @functools.cached_property
    def groups(self) -> Sequence[str] | None:
        groups = self.of.groups
        return None if groups is None else [groups[i] for i in self.indices]

    def image(self, index: int) -> Any:
        return self.of.image(int(self.indices[index]))

    def mask(self, index: int) -> Any:
        return self.of.mask(int(self.indices[index]))


@dataclass(frozen=True)
class Dataset:
    """Splits by name. ``train``, ``val`` and ``test`` are used as they are; a dataset without a
    division of its own gives one split, ``all``; zoo makes what is missing (``zoo.data.splits``).
    """

    task: Task
    splits: Mapping[str, Split]
    provenance: Provenance
    notes: Mapping[str, str] = field(default_factory=dict)


def check_dataset(name: str, dataset: Dataset) -> None:
    """Raise :class:`DataError` unless every split is coherent: lengths, ids, labels in range."""
    if not dataset.splits:
        raise DataError(f"dataset {name!r} has no splits")
    for split_name, split in dataset.splits.items():
        where = f"dataset {name!r}, split {split_name!r}"
        if len(split) == 0:
            raise DataError(f"{where}: it is empty")
        if len(split.ids) != len(split):
            raise DataError(f"{where}: {len(split.ids)} ids for {len(split)} images")
        if len(set(split.ids)) != len(split.ids):
            raise DataError(f"{where}: some ids stand twice")
        if split.groups is not None and len(split.groups) != len(split):
            raise DataError(f"{where}: {len(split.groups)} groups for {len(split)} images")
        if split.labels is not None:
            check_labels(where, dataset.task, np.asarray(split.labels), len(split))


def check_labels(where: str, task: Task, labels: np.ndarray, length: int) -> None:
    """Raise :class:`DataError` unless ``labels`` are of the task's shape, integer and in range."""
    count = len(task.classes)
    shape = (length, count) if task.kind == MULTILABEL else (length,)
    if task.kind == SEGMENTATION:
        raise DataError(f"{where}: a segmentation split has masks, not labels")
    if labels.shape != shape or labels.dtype.kind not in "iu":
        raise DataError(
            f"{where}: labels of shape {labels.shape} and type {labels.dtype}; expected integers "
            f"of shape {shape}"
        )
    highest = 1 if task.kind == MULTILABEL else count - 1
    outside = np.flatnonzero(((labels < 0) | (labels > highest)).reshape(length, -1).any(axis=1))
    if len(outside):
        first = int(outside[0])
        raise DataError(
            f"{where}: {len(outside)} labels outside the classes, the first is "
            f"{labels[first].tolist()!r} of sample {first}; expected 0 to {highest}"
        )
