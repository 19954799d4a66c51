"""Masks in the size of their own image, in the file that holds those of the network's size.

An image whose masks are the same in both sizes has no members of its own, and is read from there.
Shapes: N images; h by w pixels of one of them, upright.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.errors import PredictionsError
from zoo.predictions.archive import HEADER, Archive, check_array
from zoo.tasks import IGNORE, Task

LONGEST_SIDE = 65535


@dataclass(frozen=True)
class MaskPair:
    """``decisions``: uint8 (h, w), class ids, 255 where preprocessing cut something off, so that
    the network was not shown it; ``targets``: the same, 255 where a pixel counts for nothing; None
    where there are no masks."""

    decisions: np.ndarray
    targets: np.ndarray | None

    def members(self, number: int) -> dict[str, np.ndarray]:
        """By name, as they are written."""
        arrays = {"decisions": self.decisions, "targets": self.targets}
        return {_member(name, number): one for name, one in arrays.items() if one is not None}

    def equals(self, decisions: np.ndarray, targets: np.ndarray | None) -> bool:
        same = np.array_equal(self.decisions, decisions)
        if self.targets is None or targets is None:
            return same and self.targets is targets
        return same and np.array_equal(self.targets, targets)


def check_members(
    archive: Archive, sizes: np.ndarray, size: tuple[int, int], labelled: bool, images: int
) -> None:
    """Raise :class:`PredictionsError` unless the members fit ``sizes``, integers (N, 2); their
    pixels are not read. ``size``: the network's."""
    check_array("sizes", sizes, (images, 2), "iu")
    if images and (sizes.min() < 1 or sizes.max() > LONGEST_SIDE):
        raise PredictionsError(f"sizes: expected 1 to {LONGEST_SIDE}")
    for number, own in enumerate(sizes.tolist()):
        there = [_member(name, number) in archive.sizes for name in ("decisions", "targets")]
        if there not in ([True, labelled], [False, False]) or (not there[0] and own != [*size]):
            raise PredictionsError(f"masks of image {number} are missing in its own size")
        for name in ("decisions", "targets")[: sum(there)]:
            check_bytes(archive, _member(name, number), (own[0], own[1]))


def read(archive: Archive, number: int, size: tuple[int, int], task: Task) -> MaskPair | None:
    """Those of an image; None where they are those of the network's size. Raises
    :class:`PredictionsError` for ids that are no class."""
    decisions = _mask(archive, "decisions", number, size, task)
    if decisions is None:
        return None
    return MaskPair(decisions, read_targets(archive, number, size, task))


def read_targets(
    archive: Archive, number: int, size: tuple[int, int], task: Task
) -> np.ndarray | None:
    """As :func:`read`, the true mask alone; None, too, where there are none."""
    return _mask(archive, "targets", number, size, task)


def _mask(
    archive: Archive, name: str, number: int, size: tuple[int, int], task: Task
) -> np.ndarray | None:
    member = _member(name, number)
    array = archive.get(member)
    if array is None:
        return None
    check_array(member, array, size, "u")
    if ((array >= len(task.classes)) & (array != IGNORE)).any():
        raise PredictionsError(f"{member} lie outside the classes")
    return array


def check_bytes(archive: Archive, member: str, shape: tuple[int, ...]) -> None:
    """Raise :class:`PredictionsError` unless the member has the bytes that uint8 of the shape have:
    what claims more is not to be read at all."""
    there: Any = archive.sizes.get(member, 0)
    if not 0 < there - int(np.prod(shape, dtype=object)) <= HEADER:
        raise PredictionsError(f"{member} has {there} bytes for {shape}")


def add(file: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with file.open(f"{name}.npy", "w", force_zip64=True) as stream:
        np.lib.format.write_array(stream, np.require(array, requirements="C"), allow_pickle=False)


def _member(name: str, number: int) -> str:
    return f"own-{name}-{number:06d}"
