"""MedMNIST's twelve 2D sets, in every size, from their npz files.

Shapes: N samples, S by S pixels, K classes.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
import tomllib
import warnings
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zoo import (
    ArraySplit,
    DataError,
    Dataset,
    DatasetContext,
    Provenance,
    RemoteFile,
    Task,
    ZooWarning,
)
from zoo_medical.npz import bad, read_arrays

SPLITS = ("train", "val", "test")
HASHED = 2 << 30  # bytes of a file; above it, hashing would cost minutes at every start
_RECORD = "https://zenodo.org/records/10519652/files"
_CITATION = (
    "J. Yang, R. Shi, D. Wei, Z. Liu, L. Zhao, B. Ke, H. Pfister, B. Ni. MedMNIST v2: a "
    "large-scale lightweight benchmark for 2D and 3D biomedical image classification. Scientific "
    "Data, 10(41), 2023. doi:10.1038/s41597-022-01721-8"
)
_LABEL_BYTES = 8  # of the widest integer


def build(
    ctx: DatasetContext, name: str, *, size: Literal[28, 64, 128, 224] = 28, positive: str = ""
) -> Dataset:
    """Splits ``train``, ``val`` and ``test`` as published; gray sets have one channel.

    A file with other counts or another md5 than published is taken with a warning and a note; wrong
    shapes, types or labels are errors. ``positive``: the class of a binary set to be found, if not
    the usual one.
    """
    facts = table()[name]
    path = _path(ctx.root, name, size)
    _check_memory(name, facts, size)
    arrays = read_arrays(path, {key: most for split in SPLITS
                                for key, most in _largest(facts, size, split).items()})  # fmt: skip
    splits = {split: _split(path, facts, size, split, arrays) for split in SPLITS}
    notes = _differences(path, facts, size, {split: len(splits[split]) for split in SPLITS})
    for what in notes.values():
        warnings.warn(f"dataset 'medmnist/{name}': {what}", ZooWarning, stacklevel=2)
    if path.stat().st_size > HASHED:
        notes["md5"] = "not compared, the file is large; zoo data get compares it"
    if facts.get("ordinal"):
        notes["task"] = "the classes are ordered grades; they are treated as unordered ones"
    return Dataset(_task(name, facts, positive), splits, _provenance(name, facts, size), notes)


def options(name: str) -> inspect.Signature:
    """Those of :func:`build`, the same for every set."""
    return inspect.signature(build, eval_str=True)


def fetch(
    ctx: DatasetContext, name: str, *, size: Literal[28, 64, 128, 224] = 28, positive: str = ""
) -> list[RemoteFile]:
    facts, file = table()[name], file_name(name, size)
    bytes_in_all = sum(sum(_largest(facts, size, split).values()) for split in SPLITS)
    url = f"{_RECORD}/{file}?download=1"
    return [RemoteFile(url, file, facts["md5"][str(size)], bytes_in_all)]


@functools.cache
def table() -> dict[str, Any]:
    """What is known of each set: classes, counts, md5 and the rest of ``medmnist.toml``."""
    return tomllib.loads(resources.files("zoo_medical").joinpath("medmnist.toml").read_text("utf8"))


def file_name(name: str, size: int) -> str:
    return f"{name}.npz" if size == 28 else f"{name}_{size}.npz"


def _path(root: Path | None, name: str, size: int) -> Path:
    file = file_name(name, size)
    command = f"zoo data get medmnist/{name}" + (
        "" if size == 28 else f" --set dataset.size={size}"
    )
    if root is None:
        raise DataError(
            f"dataset 'medmnist/{name}' needs the folder of {file}: give --root FOLDER; get it "
            f"with: {command} --root FOLDER"
        )
    if not (root / file).is_file():
        raise DataError(
            f"dataset 'medmnist/{name}': {str(root)!r} lacks {file}; get it with: {command} "
            f"--root {str(root)!r}"
        )
    return root / file


def _largest(facts: dict[str, Any], size: int, split: str) -> dict[str, int]:
    """Bytes of the split's arrays: room for twice as many samples as published."""
    samples = 2 * facts["samples"][SPLITS.index(split)]
    labels = len(facts["classes"]) if facts["task"] == "multilabel" else 1
    return {
        f"{split}_images": samples * size * size * facts["channels"],
        f"{split}_labels": samples * labels * _LABEL_BYTES,
    }


def _check_memory(name: str, facts: dict[str, Any], size: int) -> None:
    needed = sum(facts["samples"]) * size * size * facts["channels"]
    if not hasattr(os, "sysconf"):
        return
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there > 0:
        raise DataError(
            f"dataset 'medmnist/{name}' of {size} pixels takes {needed / 1e9:.1f} GB of memory; "
            f"this machine has {there / 1e9:.1f} GB; take a smaller size: --set dataset.size=64"
        )


def _split(
    path: Path, facts: dict[str, Any], size: int, split: str, arrays: dict[str, np.ndarray]
) -> ArraySplit:
    images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
    channels = () if facts["channels"] == 1 else (facts["channels"],)
    if images.dtype != np.uint8 or images.shape[1:] != (size, size, *channels):
        expected = " x ".join(str(side) for side in ("N", size, size, *channels))
        raise bad(
            path,
            f"{split}_images holds {images.dtype} of shape {images.shape}; expected uint8 of "
            f"{expected}",
        )
    multilabel = facts["task"] == "multilabel"
    columns = len(facts["classes"]) if multilabel else 1
    if labels.shape != (len(images), columns):
        raise bad(
            path,
            f"{split}_labels has the shape {labels.shape}; expected {(len(images), columns)}",
        )
    highest = 1 if multilabel else len(facts["classes"]) - 1
    if labels.min() < 0 or labels.max() > highest:
        raise bad(
            path,
            f"{split}_labels holds labels from {labels.min()} to {labels.max()}; expected 0 to "
            f"{highest}",
        )
    given = labels.astype(np.uint8) if multilabel else labels[:, 0].astype(np.int64)
    return ArraySplit(images, given, [f"{split}-{i:06d}" for i in range(len(images))])


def _differences(
    path: Path, facts: dict[str, Any], size: int, counts: dict[str, int]
) -> dict[str, str]:
    """What is not as published, by what it is about."""
    published = dict(zip(SPLITS, facts["samples"], strict=True))
    notes = {}
    if counts != published:
        notes["counts"] = (
            f"{path.name} has {_counted(counts)} samples; published are {_counted(published)}"
        )
    if path.stat().st_size <= HASHED:
        with path.open("rb") as stream:
            found = hashlib.file_digest(
                stream, lambda: hashlib.md5(usedforsecurity=False)
            ).hexdigest()
        if found != facts["md5"][str(size)]:
            notes["md5"] = (
                f"{path.name} has the md5 {found}; published is {facts['md5'][str(size)]}"
            )
    return notes


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts[split]} {split}" for split in SPLITS)


def _task(name: str, facts: dict[str, Any], positive: str) -> Task:
    classes = facts["classes"]
    if facts["task"] == "binary":
        chosen = positive or facts["positive"]
        if chosen not in classes:
            raise DataError(
                f"dataset 'medmnist/{name}': positive {positive!r}: expected one of "
                f"{', '.join(map(repr, classes))}"
            )
        return Task.binary(classes, positive=chosen)
    if positive:
        raise DataError(
            f"dataset 'medmnist/{name}': positive {positive!r}: only a set of two classes has one"
        )
    return Task.multilabel(classes) if facts["task"] == "multilabel" else Task.multiclass(classes)


def _provenance(name: str, facts: dict[str, Any], size: int) -> Provenance:
    return Provenance(
        licence=facts["licence"],
        citation=f"{_CITATION}. Images: {facts['source']}",
        homepage="https://medmnist.com",
        how_to_get=f"zoo data get medmnist/{name}, or {file_name(name, size)} from {_RECORD}",
    )
