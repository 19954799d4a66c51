"""MNIST from its four idx files, as published or gunzipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo import ArraySplit, DataError, Dataset, DatasetContext, Provenance, Task
from zoo_basics.datasets.idx import read_idx

_SIDE = 28
_CLASSES = 10
# Split -> (the images' name, the labels' name); some mirrors write a dot for the last-but-one dash.
_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_PROVENANCE = Provenance(
    licence="see homepage",  # which names none
    citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner. Gradient-based learning applied to "
    "document recognition. Proceedings of the IEEE, 86(11), 1998. doi:10.1109/5.726791",
    homepage="http://yann.lecun.com/exdb/mnist/",
    how_to_get="download the four idx files into one folder and give it as --root",
)


def build(ctx: DatasetContext) -> Dataset:
    """Splits ``train`` and ``test`` as published, gray, 28 by 28 pixels; zoo takes ``val`` out of
    ``train``. Raises :class:`zoo.DataError` for missing, damaged or mismatched files."""
    found = _find(ctx.root)
    splits = {
        name: _split(name, found[images], found[labels])
        for name, (images, labels) in _FILES.items()
    }
    task = Task.multiclass([str(digit) for digit in range(_CLASSES)])
    return Dataset(task, splits, _PROVENANCE)


def _find(root: Path | None) -> dict[str, Path]:
    """Each file's path by its published name. Names all that are missing at once."""
    if root is None:
        raise DataError(
            "dataset 'mnist' needs the folder of its four idx files: give --root FOLDER"
        )
    if not root.is_dir():
        raise DataError(
            f"dataset 'mnist': root {str(root)!r}: no such folder; give the folder of its four "
            f"idx files: --root FOLDER"
        )
    names = [name for pair in _FILES.values() for name in pair]
    found = {name: path for name in names if (path := _existing(root, name)) is not None}
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(
            f"dataset 'mnist': {str(root)!r} lacks {', '.join(missing)}; put the files there, "
            f"gzipped (.gz) or not"
        )
    return found


def _existing(root: Path, name: str) -> Path | None:
    dotted = name.replace("-idx", ".idx")
    for candidate in (name, f"{name}.gz", dotted, f"{dotted}.gz"):
        if (root / candidate).is_file():
            return root / candidate
    return None


def _split(name: str, images_path: Path, labels_path: Path) -> ArraySplit:
    images_NHW = read_idx(images_path, dimensions=3)
    labels_N = read_idx(labels_path, dimensions=1)
    if images_NHW.shape[1:] != (_SIDE, _SIDE):
        height, width = images_NHW.shape[1:]
        raise DataError(
            f"idx file {str(images_path)!r}: images of {height} x {width} pixels; expected "
            f"{_SIDE} x {_SIDE}; get the file again"
        )
    if len(images_NHW) != len(labels_N):
        raise DataError(
            f"idx files {str(images_path)!r} and {str(labels_path)!r}: {len(images_NHW)} images "
            f"and {len(labels_N)} labels; get both again, from one place"
        )
    outside = np.flatnonzero(labels_N >= _CLASSES)
    if len(outside):
        first = int(outside[0])
        raise DataError(
            f"idx file {str(labels_path)!r}: {len(outside)} labels outside the classes, the first "
            f"is {int(labels_N[first])} of image {first}; expected 0 to 9; get the file again"
        )
    ids = [f"{name}-{i:05d}" for i in range(len(labels_N))]
    return ArraySplit(images=images_NHW, labels=labels_N.astype(np.int64), ids=ids)
