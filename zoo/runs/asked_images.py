"""The images that are asked about: files, folders of them, or a split of a dataset."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.datasets import Split, file_of
from zoo.data.decoding import SUFFIXES
from zoo.data.splits import TEST, SplitPlan
from zoo.errors import DataError, missing_path
from zoo.plugins.catalog import catalog
from zoo.runs import opening
from zoo.runs.output_names import placed_below
from zoo.runs.sources import Source
from zoo.runs.subjects import Subject
from zoo.storage.failures import reported

PATH, NAME, STEM = "path", "name", "stem"
IDS = (PATH, NAME, STEM)


@dataclass(frozen=True)
class AskedImages:
    """``ids``: each stands once; ``names``: relative paths, parts joined by "/", for files that
    answer them. ``split``: where images are that are no ``files``."""

    ids: Sequence[str]
    names: Sequence[str]
    files: Sequence[Path] | None = None
    split: Split | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def image(self, index: int) -> Any:
        """A path, or what a dataset gives: a PIL image or an array."""
        if self.files is not None:
            return self.files[index]
        assert self.split is not None
        return file_of(self.split, index) or self.split.image(index)


def images_at(paths: Sequence[str | Path], ids: str = PATH) -> AskedImages:
    """The image files that ``paths`` are, or that lie below them, folder by folder in order; what
    is named twice is there once. ``ids``: their paths (as given, joined by "/"), their names, or
    names without suffix. Raises :class:`DataError`: missing, no images, ids that are not
    unique."""
    if ids not in IDS:
        raise DataError(f"ids {ids!r}: expected one of {', '.join(IDS)}")
    given = [Path(one).expanduser() for one in paths]
    files = list(dict.fromkeys(file for one in given for file in _files(one)))
    named: dict[str, Path] = {}
    for file in files:
        if not _is_text(file):
            raise DataError(f"the file name {str(file)!r} is not UTF-8; rename it")
        one = {PATH: file.as_posix(), NAME: file.name, STEM: file.stem}[ids]
        other = named.setdefault(one, file)
        if other != file:
            raise DataError(
                f"images {str(other)!r} and {str(file)!r} would both have the id {one!r}; "
                f"leave --ids out, or give one folder at a time"
            )
    return AskedImages(list(named), placed_below(files, given), files=files)


def images_of(
    subject: Subject, dataset: str, split: str = TEST, root: str | None = None
) -> AskedImages:
    """Those of a dataset's split, with its ids. Of the one that ``subject`` was trained on, the
    options and the division are those it was trained with."""
    source = subject.trained_on
    if source is None or source.name != dataset:
        source = Source(dataset, {}, SplitPlan())
    opened = opening.open_dataset(
        catalog(), source.name, source.options, root or source.root, source.plan
    )
    part = opened.split(split)
    return AskedImages(part.ids, part.ids, split=part)


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    if not place.exists():
        raise DataError(missing_path("image", place))
    if not place.is_dir():
        raise DataError(f"image {str(place)!r} is no file; expected an image, or a folder of them")
    found = sorted(_images_below(place), key=lambda one: one.parts)
    if not found:
        raise DataError(
            f"folder {str(place)!r} holds no images; expected files that end in "
            f"{', '.join(sorted(SUFFIXES))}"
        )
    yield from found


def _images_below(root: Path) -> Iterator[Path]:
    """Links are followed, but no folder is entered twice; hidden files and folders are passed
    over."""
    seen = set()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        with reported("read", folder):
            status = folder.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = list(os.scandir(folder))
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith("."):
                continue
            if path.is_dir():
                waiting.append(path)
            # A link that leads nowhere is named as such later; a pipe would never end.
            elif path.suffix.lower() in SUFFIXES and (path.is_file() or not path.exists()):
                yield path


def _is_text(path: Path) -> bool:
    """Whether the name can be written to a table: on POSIX it may be any bytes."""
    return not any("\ud800" <= letter <= "\udfff" for letter in str(path))
