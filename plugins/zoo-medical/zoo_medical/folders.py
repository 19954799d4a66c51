"""Images in folders: one a class, in one a split or in one for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from zoo import DataError, FileSplit

SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"])
SPLITS = ("train", "val", "test")


def required_root(name: str, root: Path | None, wanted: str) -> Path:
    """The folder that was given. Raises :class:`zoo.DataError` saying what must be in it."""
    if root is None:
        raise DataError(f"dataset {name!r} needs the folder of {wanted}: give --root FOLDER")
    if not root.is_dir():
        raise DataError(
            f"dataset {name!r}: root {str(root)!r}: no such folder; give the folder of {wanted}: "
            f"--root FOLDER"
        )
    return root


def chosen_positive(name: str, classes: Sequence[str], positive: str) -> str:
    if positive not in classes:
        raise DataError(
            f"dataset {name!r}: positive {positive!r}: expected one of "
            f"{', '.join(map(repr, classes))}"
        )
    return positive


def images_below(folder: Path) -> list[Path]:
    """The images in a folder and the folders in it, by name; hidden ones are none."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def class_folders(folder: Path, classes: Sequence[str]) -> dict[str, Path]:
    """The folder of each class that has one, whatever its case: ``MEL`` for ``mel``."""
    by_name = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    return {name: by_name[name.lower()] for name in classes if name.lower() in by_name}


def split_of(
    name: str,
    root: Path,
    folder: Path,
    classes: Sequence[str],
    group_of: Callable[[Path], str] | None = None,
) -> FileSplit:
    """The images of ``folder``/class, labels in the order of ``classes``, ids relative to
    ``root``. Raises :class:`zoo.DataError` when a class has no folder or no images."""
    found = class_folders(folder, classes)
    paths: list[Path] = []
    labels: list[int] = []
    for label, class_name in enumerate(classes):
        images = images_below(found[class_name]) if class_name in found else []
        if not images:
            raise DataError(
                f"dataset {name!r}: {str(folder)!r} has no images of class {class_name!r}; "
                f"expected a folder for each of {', '.join(classes)}"
            )
        paths += images
        labels += [label] * len(images)
    return FileSplit(
        paths,
        np.array(labels, np.int64),
        [path.relative_to(root).as_posix() for path in paths],
        None if group_of is None else [group_of(path) for path in paths],
    )
