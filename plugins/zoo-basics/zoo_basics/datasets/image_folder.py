"""Images in a folder for each class, with folders of splits above them or without."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zoo import DataError, Dataset, DatasetContext, FileSplit
from zoo_basics.datasets.labelling import (
    TaskChoice,
    check_learnable,
    class_task,
    numbered,
)
from zoo_basics.datasets.places import OWN_FILES, first_of, root_folder, split_named
from zoo_basics.datasets.scanning import Found, images_below, listing, refuse_broken

_LAYOUT = "image_folder"
_EXPECTED = "expected root/class/*.jpg or root/{train,val,test}/class/*.jpg"


@dataclass
class _Part:
    """One split: the images of each class, or, of a test split without labels, ``unlabeled``."""

    classes: dict[str, list[str]] = field(default_factory=dict)
    unlabeled: list[str] = field(default_factory=list)


@dataclass
class _Walk:
    """What was met on the way and is not used; zoo tells the user of it."""

    files: Found = field(default_factory=Found)
    stray: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    other_folders: list[str] = field(default_factory=list)

    def notes(self) -> dict[str, str]:
        notes = {}
        if self.files.others:
            notes["other files"] = first_of(self.files.others, "files are no images")
        if self.stray:
            what = "images lie outside the class folders and are not used"
            notes["stray images"] = first_of(self.stray, what)
        if self.empty:
            notes["empty class folders"] = ", ".join(self.empty)
        if self.other_folders:
            notes["folders not used"] = ", ".join(self.other_folders)
        return notes


def build(ctx: DatasetContext, *, positive: str = "", task: TaskChoice = "auto") -> Dataset:
    """Classes are the folders' names, sorted; ids the paths relative to the root.

    ``positive``: the positive one of two classes. ``task``: ``"multiclass"`` for two classes that
    are to be treated alike. Images directly in ``test`` are a test split without labels. Raises
    :class:`zoo.DataError` for a root that has neither form, and for classes that are only in
    ``val`` or ``test``.
    """
    root = root_folder(_LAYOUT, ctx.root, "class folders")
    walk = _Walk()
    parts = {name: _part(root, folder, name, walk) for name, folder in _folders(root, walk).items()}
    refuse_broken(_LAYOUT, walk.files)
    counts = {
        name: {label: len(images) for label, images in part.classes.items()}
        for name, part in parts.items()
    }
    advice = "; images without labels belong directly into 'test'"
    check_learnable(_LAYOUT, counts, advice if "test" in parts else "")
    # Sorted as text, numbers too: the order that other tools give such folders.
    classes = sorted({label for part in counts.values() for label in part})
    splits = {name: _split(root, part, classes) for name, part in parts.items()}
    return Dataset(class_task(_LAYOUT, classes, positive, task), splits, OWN_FILES, walk.notes())


def _folders(root: Path, walk: _Walk) -> dict[str, str]:
    """The folder of each split, or ``{"all": ""}`` where class folders lie in the root."""
    folders, files = listing(_LAYOUT, root)
    walk.files.add(Found(others=files.others))
    walk.stray += files.images
    named: dict[str, str] = {}
    others = []
    for folder in folders:
        name = split_named(folder)
        if name is None:
            others.append(folder)
        elif name in named:
            raise DataError(
                f"dataset {_LAYOUT!r}: the folders {named[name]!r} and {folder!r} would both be "
                f"the split {name!r}; join them"
            )
        else:
            named[name] = folder
    if not folders:
        raise DataError(f"dataset {_LAYOUT!r}: {str(root)!r} has no folders; {_EXPECTED}")
    if not named:
        return {"all": ""}
    if others and not ("train" in named and listing(_LAYOUT, root, named["train"])[0]):
        raise DataError(
            f"dataset {_LAYOUT!r}: {str(root)!r} has the split folders "
            f"{', '.join(named.values())} beside {', '.join(others)}; {_EXPECTED}; put the class "
            f"folders into 'train'"
        )
    if "train" not in named:
        raise DataError(
            f"dataset {_LAYOUT!r}: {str(root)!r} has {', '.join(named.values())} and no 'train'; "
            f"{_EXPECTED}"
        )
    walk.other_folders += others
    return named


def _part(root: Path, folder: str, name: str, walk: _Walk) -> _Part:
    part = _Part()
    class_folders, files = listing(_LAYOUT, root, folder)
    for label in class_folders:
        below = f"{folder}/{label}" if folder else label
        found = images_below(_LAYOUT, root, below)
        walk.files.add(found)
        if found.images:
            part.classes[label] = found.images
        elif not found.broken:
            walk.empty.append(below)
    if folder:
        walk.files.add(Found(others=files.others, broken=files.broken))
        if name == "test" and not part.classes:
            part.unlabeled = files.images
        else:
            walk.stray += files.images
    if not part.classes and not part.unlabeled and not walk.files.broken:
        where = str(root / folder)
        what = "class folders with images" if name != "test" else "images"
        raise DataError(f"dataset {_LAYOUT!r}: {where!r} has no {what}; {_EXPECTED}")
    return part


def _split(root: Path, part: _Part, classes: list[str]) -> FileSplit:
    if part.unlabeled:
        return FileSplit([root / name for name in part.unlabeled], None, part.unlabeled)
    labelled = sorted((name, label) for label, names in part.classes.items() for name in names)
    ids = [name for name, _ in labelled]
    labels_N: np.ndarray = numbered([label for _, label in labelled], classes)
    return FileSplit([root / name for name in ids], labels_N, ids)
