"""torchvision's datasets as zoo's: one adapter over the table, and what four of them need besides.

torchvision reads some formats that can run code (CIFAR's are pickles); it does so only after the
file's md5 was that of the published one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zoo import ArraySplit, DataError, Dataset, DatasetContext, FileSplit, Split, Task
from zoo_torchvision import folders, pcam, pets
from zoo_torchvision.table import TABLE, Entry

_DIGITS = tuple(str(digit) for digit in range(10))


def build(ctx: DatasetContext, name: str, **options: Any) -> Dataset:
    """The dataset of that name. Splits and labels are the published ones; where there is one split
    only it is ``all``. Raises :class:`zoo.DataError`: files missing, damaged, or another's."""
    if ctx.root is None or not ctx.root.is_dir():
        given = "" if ctx.root is None else f": root {str(ctx.root)!r}: no such folder"
        raise DataError(
            f"dataset 'torchvision/{name}'{given}: give the folder of its files with --root FOLDER"
        )
    return _builder(name)(ctx.root, name, **options)


def options(name: str) -> inspect.Signature:
    return inspect.signature(_builder(name), eval_str=True)


def _builder(name: str) -> Callable[..., Dataset]:
    special: dict[str, Callable[..., Dataset]] = {
        "EMNIST": _emnist,
        "OxfordIIITPet": _pet,
        "PCAM": pcam.build,
        "ImageFolder": folders.build,
    }
    return special.get(name, _plain)


def _plain(root: Path, name: str) -> Dataset:
    made = _made(root, name, TABLE[name])
    splits = {split: _split(root, TABLE[name], split, one) for split, one in made.items()}
    classes = _classes(TABLE[name], made)
    return Dataset(
        Task.multiclass(classes), splits, TABLE[name].provenance, dict(TABLE[name].notes)
    )


def _emnist(
    root: Path,
    name: str,
    *,
    split: Literal["balanced", "byclass", "bymerge", "letters", "digits", "mnist"] = "balanced",
) -> Dataset:
    entry = TABLE[name]
    made = _made(root, name, entry, split=split)
    # Letters are numbered from 1; torchvision has a class "N/A" at 0, of which there is no image.
    first = 1 if split == "letters" else 0
    splits: dict[str, Split] = {
        part: _split(root, entry, part, one, first) for part, one in made.items()
    }
    task = Task.multiclass(_classes(entry, made)[first:])
    return Dataset(task, splits, entry.provenance, dict(entry.notes))


def _pet(
    root: Path,
    name: str,
    *,
    target: Literal["category", "binary-category", "segmentation"] = "category",
    positive: str = "",
) -> Dataset:
    """``target``: 37 breeds; cat or dog (``positive`` unless chosen: dog); or the animal's mask."""
    entry = TABLE[name]
    made = _made(root, name, entry)
    splits: dict[str, Split]
    if target == "segmentation":
        if positive:
            raise DataError(f"dataset 'torchvision/{name}': only 'binary-category' has a positive")
        splits = {part: pets.split_of(_split(root, entry, part, one), one)
                  for part, one in made.items()}  # fmt: skip
        task = Task.segmentation(["background", "pet"], positive="pet")
        return Dataset(task, splits, entry.provenance, dict(pets.NOTES))
    binary = pets.binary_entry(entry) if target == "binary-category" else entry
    splits = {part: _split(root, binary, part, one) for part, one in made.items()}
    classes = _classes(binary, made)
    if target == "category" and positive:
        raise DataError(f"dataset 'torchvision/{name}': only 'binary-category' has a positive")
    if target == "category":
        return Dataset(Task.multiclass(classes), splits, entry.provenance)
    chosen = folders.chosen_positive(name, classes, positive or "Dog")
    return Dataset(Task.binary(classes, positive=chosen), splits, entry.provenance)


def _made(root: Path, name: str, entry: Entry, **arguments: Any) -> dict[str, Any]:
    """torchvision's own dataset of each split."""
    from torchvision import datasets

    needs = [path.format(**arguments) for path in entry.needs]
    if missing := [path for path in needs if not (root / path).exists()]:
        raise DataError(
            f"dataset 'torchvision/{name}': {str(root)!r} lacks {', '.join(missing)}; get them "
            f"with: zoo data get torchvision/{name} --root {str(root)!r}"
        )
    if any((root / name / "processed").glob("*.pt")):
        raise DataError(
            f"dataset 'torchvision/{name}': {str(root / name / 'processed')!r} is of an old "
            f"torchvision, which kept pickles; remove it"
        )
    try:
        return {
            split: getattr(datasets, name)(str(root), **{**arguments, **given})
            for split, given in entry.splits.items()
        }
    # A reader of six formats raises what its parsers do, and RuntimeError for a wrong md5.
    except Exception as error:
        what = (str(error).splitlines() or [""])[0]
        what = what.partition(" You can use download=True")[0]  # advice for Python, not for zoo
        raise DataError(
            f"dataset 'torchvision/{name}': torchvision cannot read {str(root)!r} "
            f"({type(error).__name__}: {what}); get the files again with: zoo data get "
            f"torchvision/{name} --root FOLDER"
        ) from error


def _classes(entry: Entry, made: dict[str, Any]) -> Sequence[str]:
    if not entry.classes:
        return _DIGITS
    return list(getattr(next(iter(made.values())), entry.classes))


def _split(root: Path, entry: Entry, split: str, made: Any, first: int = 0) -> Split:
    """``first``: the label that becomes 0."""
    labels = np.asarray(getattr(made, entry.labels)).astype(np.int64) - first
    images = getattr(made, entry.images)
    if entry.layout == "paths":
        paths = [Path(one[0] if isinstance(one, tuple) else one) for one in images]
        return FileSplit(paths, labels, [path.relative_to(root).as_posix() for path in paths])
    array = np.asarray(images)
    if entry.layout == "arrays_transposed":
        array = array.transpose(0, 2, 1)
    if entry.layout == "arrays_channels_first":
        array = array.transpose(0, 2, 3, 1)
    ids = [f"{split}-{i:06d}" for i in range(len(array))]
    return ArraySplit(np.ascontiguousarray(array), labels, ids)
