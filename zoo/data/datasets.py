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

    def file(self, index: int) -> Path:
        """Where the image is: a split whose images are files says so, to be read once only."""
        return self.paths[index]

    def mask(self, index: int) -> Any:
        if self.masks is None:
            raise DataError("this split has no masks")
        return open_image(self.masks[index])

    def mask_file(self, index: int) -> Path | None:
        return None if self.masks is None else self.masks[index]


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

    def file(self, index: int) -> Path | None:
        return file_of(self.of, int(self.indices[index]))

    def mask_file(self, index: int) -> Path | None:
        return file_of(self.of, int(self.indices[index]), "mask_file")

    def place(self, index: int) -> tuple[Path, str] | None:
        return place_of(self.of, int(self.indices[index]))

    def mask(self, index: int) -> Any:
        return self.of.mask(int(self.indices[index]))


@dataclass(frozen=True)
class Joined:
    """Several splits, one after the other. Labels and groups are there when all have them."""

    parts: tuple[Split, ...]

    @functools.cached_property
    def _starts(self) -> np.ndarray:
        return np.cumsum([0, *(len(part) for part in self.parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    @functools.cached_property
    def ids(self) -> Sequence[str]:
        return [one for part in self.parts for one in part.ids]

    @functools.cached_property
    def labels(self) -> np.ndarray | None:
        labels = [part.labels for part in self.parts]
        known = [np.asarray(one) for one in labels if one is not None]
        return np.concatenate(known) if len(known) == len(labels) else None

    @functools.cached_property
    def groups(self) -> Sequence[str] | None:
        groups = [part.groups for part in self.parts]
        known = [one for one in groups if one is not None]
        return [name for one in known for name in one] if len(known) == len(groups) else None

    def image(self, index: int) -> Any:
        part, inner = self._place(index)
        return part.image(inner)

    def mask(self, index: int) -> Any:
        part, inner = self._place(index)
        return part.mask(inner)

    def file(self, index: int) -> Path | None:
        return file_of(*self._place(index))

    def mask_file(self, index: int) -> Path | None:
        return file_of(*self._place(index), "mask_file")

    def place(self, index: int) -> tuple[Path, str] | None:
        return place_of(*self._place(index))

    def _place(self, index: int) -> tuple[Split, int]:
        part = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self.parts[part], index - int(self._starts[part])


def groups_of(split: Split, ids: Sequence[str]) -> Sequence[str] | None:
    """The groups of some of the split's samples, by their ids."""
    if split.groups is None:
        return None
    group_of = dict(zip(split.ids, split.groups, strict=True))
    return [group_of[one] for one in ids]


def file_of(split: Split, index: int, which: str = "file") -> Path | None:
    """The file an image (or, with ``"mask_file"``, its mask) is in, for a split that has files."""
    file = getattr(split, which, None)
    found: Path | None = file(index) if file is not None else None
    return found


def has_masks(split: Split) -> bool:
    """Whether a segmentation split brings masks; those of a test split may be kept secret."""
    if isinstance(split, Subset):
        return has_masks(split.of)
    if isinstance(split, Joined):
        return all(map(has_masks, split.parts))
    return getattr(split, "masks", True) is not None


def place_of(split: Split, index: int) -> tuple[Path, str] | None:
    """The file that holds an image among others, such as a table, and where in it: for a split that
    says so by a method ``place(index)``. What is decoded from it can then be kept on disk, and a
    change of the file be noticed."""
    place = getattr(split, "place", None)
    found: tuple[Path, str] | None = place(index) if place is not None else None
    return found


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
    for field_, kind in (("task", Task), ("provenance", Provenance), ("splits", Mapping)):
        value = getattr(dataset, field_)
        if not isinstance(value, kind):
            got = type(value).__name__
            raise DataError(f"dataset {name!r}: its {field_} is {got}; expected {kind.__name__}")
    if not dataset.splits:
        raise DataError(f"dataset {name!r} has no splits")
    owners: dict[str, str] = {}
    for split_name, split in dataset.splits.items():
        where = f"dataset {name!r}, split {split_name!r}"
        if len(split) == 0:
            raise DataError(f"{where}: it is empty")
        if len(split.ids) != len(split):
            raise DataError(f"{where}: {len(split.ids)} ids for {len(split)} images")
        if not all(isinstance(one, str) for one in split.ids):
            raise DataError(f"{where}: ids are not all text")
        if len(set(split.ids)) != len(split.ids):
            raise DataError(f"{where}: some ids stand twice")
        for one in split.ids:
            if owners.setdefault(one, split_name) != split_name:
                raise DataError(f"{where}: id {one!r} is in split {owners[one]!r} too")
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
