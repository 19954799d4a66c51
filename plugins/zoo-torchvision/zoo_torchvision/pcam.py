"""PatchCamelyon: six HDF5 files, too large for memory, read image by image. Needs h5py."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import DataError, Dataset, Provenance, Split, Task
from zoo_torchvision.folders import chosen_positive

CLASSES = ("normal", "tumor")
HOMEPAGE = "https://github.com/basveeling/pcam"
_FILES = {"train": "train", "val": "valid", "test": "test"}
_SIDE = 96
_PROVENANCE = Provenance(
    licence="cc0-1.0",
    citation="B. S. Veeling, J. Linmans, J. Winkens, T. Cohen, M. Welling. Rotation Equivariant "
    "CNNs for Digital Pathology, 2018. arXiv:1806.03962",
    homepage=HOMEPAGE,
    how_to_get="the six .h5.gz files of its homepage, unpacked into ROOT/pcam",
)


@dataclass(frozen=True)
class H5Split:
    """``path``: of an HDF5 file with uint8 (N, H, W, 3) called ``x``."""

    path: Path
    labels: np.ndarray
    ids: Sequence[str]
    groups: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def image(self, index: int) -> np.ndarray:
        return np.asarray(_opened(self.path, os.getpid())["x"][index])

    def place(self, index: int) -> tuple[Path, str]:
        """Where the image is, so that zoo may keep it decoded."""
        return self.path, f"x {index}"

    def mask(self, index: int) -> Any:
        raise DataError("this split has no masks")


def file_names() -> list[str]:
    """Below the root."""
    return [
        f"pcam/camelyonpatch_level_2_split_{part}_{what}.h5"
        for part in _FILES.values()
        for what in ("x", "y")
    ]


def build(root: Path, name: str, *, positive: str = "tumor") -> Dataset:
    task = Task.binary(CLASSES, positive=chosen_positive(name, CLASSES, positive))
    if missing := [file for file in file_names() if not (root / file).is_file()]:
        raise DataError(
            f"dataset 'torchvision/{name}': {str(root)!r} lacks {', '.join(missing)}; get them "
            f"from {HOMEPAGE} and unpack them there"
        )
    splits: dict[str, Split] = {
        split: _split(root, name, split, part) for split, part in _FILES.items()
    }
    return Dataset(task, splits, _PROVENANCE)


def _split(root: Path, name: str, split: str, part: str) -> H5Split:
    images = root / f"pcam/camelyonpatch_level_2_split_{part}_x.h5"
    targets = root / f"pcam/camelyonpatch_level_2_split_{part}_y.h5"
    try:
        shape, dtype = (
            _opened(images, os.getpid())["x"].shape,
            _opened(images, os.getpid())["x"].dtype,
        )
        labels = np.asarray(_opened(targets, os.getpid())["y"]).reshape(-1).astype(np.int64)
    except (OSError, KeyError) as error:
        raise DataError(
            f"dataset 'torchvision/{name}': the files of {split} in {str(root / 'pcam')!r} cannot "
            f"be read ({type(error).__name__}); get them again from {HOMEPAGE}"
        ) from error
    if shape != (len(labels), _SIDE, _SIDE, 3) or dtype != np.uint8:
        raise DataError(
            f"dataset 'torchvision/{name}': {str(images)!r} holds {dtype} of shape {shape} for "
            f"{len(labels)} labels; expected uint8 of {(len(labels), _SIDE, _SIDE, 3)}"
        )
    return H5Split(images, labels, [f"{split}-{i:06d}" for i in range(len(labels))])


@functools.lru_cache(maxsize=8)
def _opened(path: Path, process: int) -> Any:
    """Kept open, in each process its own: an HDF5 handle does not survive a fork."""
    try:
        import h5py
    except ImportError as error:
        raise DataError(f"{str(path)!r} needs h5py: pip install 'zoo-torchvision[pcam]'") from error
    return h5py.File(path, "r")
