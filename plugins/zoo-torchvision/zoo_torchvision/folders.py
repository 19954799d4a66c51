"""torchvision's ImageFolder: a folder a class, in ``train``, ``val`` and ``test``, or just so.

Labels follow the sorted names. That order also made "benign" the positive class of somebody's
tumours; so two classes need ``positive``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo import DataError, Dataset, FileSplit, Provenance, Split, Task

_SPLITS = ("train", "val", "test")
_PROVENANCE = Provenance(licence="unknown", how_to_get="your own folder")


def build(root: Path, name: str, *, positive: str = "") -> Dataset:
    here = [split for split in _SPLITS if (root / split).is_dir()]
    folders = {split: root / split for split in here} if "train" in here else {"all": root}
    classes: list[str] = []
    splits: dict[str, Split] = {}
    for split, folder in folders.items():
        found, splits[split] = _read(root, folder)
        if classes and found != classes:
            raise DataError(
                f"dataset 'torchvision/{name}': {str(folder)!r} has the classes "
                f"{', '.join(found)}; expected those of train, {', '.join(classes)}"
            )
        classes = found
    return Dataset(_task(name, classes, positive), splits, _PROVENANCE)


def chosen_positive(name: str, classes: Sequence[str], positive: str) -> str:
    if positive not in classes:
        raise DataError(
            f"dataset 'torchvision/{name}': positive {positive!r}: expected one of "
            f"{', '.join(map(repr, classes))}"
        )
    return positive


def _task(name: str, classes: Sequence[str], positive: str) -> Task:
    if len(classes) == 2:
        if not positive:
            raise DataError(
                f"dataset 'torchvision/{name}': of the two classes {classes[0]!r} and "
                f"{classes[1]!r} one is to be found; say which with --positive (in a recipe, "
                f"dataset.positive)"
            )
        return Task.binary(classes, positive=chosen_positive(name, classes, positive))
    if positive:
        raise DataError(
            f"dataset 'torchvision/{name}': positive {positive!r}: only two classes have one"
        )
    return Task.multiclass(classes)


def _read(root: Path, folder: Path) -> tuple[list[str], FileSplit]:
    from torchvision.datasets import ImageFolder

    try:
        made = ImageFolder(str(folder))
    except OSError as error:
        what = (str(error).splitlines() or [""])[0]
        raise DataError(
            f"dataset 'torchvision/ImageFolder': {what} expected a folder of images for each class"
        ) from error
    paths = [Path(path) for path, _ in made.samples]
    ids = [path.relative_to(root).as_posix() for path in paths]
    return list(made.classes), FileSplit(paths, np.array(made.targets, np.int64), ids)
