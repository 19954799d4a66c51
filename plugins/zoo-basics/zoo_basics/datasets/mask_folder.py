"""Images and their masks in two folders, paired by stem; splits in text files, or made by zoo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from posixpath import splitext

from zoo import DataError, Dataset, DatasetContext, FileSplit, Task
from zoo_basics.datasets.places import (
    OWN_FILES,
    contained,
    first_of,
    folder_inside,
    root_folder,
    split_named,
)
from zoo_basics.datasets.scanning import Found, images_below, refuse_broken

_LAYOUT = "mask_folder"
_CLASSES = ["background", "foreground"]


def build(
    ctx: DatasetContext,
    *,
    images: str = "images",
    masks: str = "masks",
    mask_suffix: str = "",
    classes: list[str] = _CLASSES,
    positive: str = "",
) -> Dataset:
    """``images`` and ``masks``: folders in the root, with or without subfolders; ``mask_suffix``:
    what a mask's stem has behind its image's (``_mask``). Both may be one folder then.

    ``classes``: in the order of the masks' ids; of two, ``positive`` is the last unless named.
    ``train.txt``, ``val.txt`` and ``test.txt`` in the root name images a line, with suffix or
    without; without such files there is one split, ``all``. Test images may lack masks, all of
    them. Raises :class:`zoo.DataError` for what has no partner.
    """
    root = root_folder(_LAYOUT, ctx.root, "its images and masks")
    task = _task(classes, positive)
    notes: dict[str, str] = {}
    by_stem, mask_of = _found(root, images, masks, mask_suffix, notes)
    lists = {part: _listed(path, by_stem) for part, path in _list_files(root).items()}
    _refuse_twice(lists)
    unlabeled = bool(lists.get("test")) and not any(stem in mask_of for stem in lists["test"])
    _refuse_unpaired(by_stem, mask_of, set(lists["test"]) if unlabeled else set())
    left_out = sorted(set(by_stem) - {stem for stems in lists.values() for stem in stems})
    if lists and left_out:
        notes["images in no split"] = first_of([by_stem[s] for s in left_out], "images")
    splits = {
        part: FileSplit(
            [root / by_stem[stem] for stem in stems],
            None,
            [by_stem[stem] for stem in stems],
            masks=None
            if unlabeled and part == "test"
            else [root / mask_of[stem] for stem in stems],
        )
        for part, stems in (lists or {"all": sorted(by_stem)}).items()
    }
    return Dataset(task, splits, OWN_FILES, notes)


def _task(classes: list[str], positive: str) -> Task:
    if positive and (len(classes) != 2 or positive not in classes):
        raise DataError(
            f"dataset {_LAYOUT!r}: positive {positive!r}: expected one of two classes, given are "
            f"{', '.join(repr(name) for name in classes)}"
        )
    named = (positive or classes[1]) if len(classes) == 2 else None
    return Task.segmentation(classes, positive=named)


def _found(
    root: Path, images: str, masks: str, mask_suffix: str, notes: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """(each stem's image, the mask of that stem), as paths relative to the root."""
    folders = [
        "" if folder == root else folder.relative_to(root).as_posix()
        for folder in (
            folder_inside(_LAYOUT, root, "images", images),
            folder_inside(_LAYOUT, root, "masks", masks),
        )
    ]
    both = [images_below(_LAYOUT, root, folder) for folder in folders]
    if folders[0] == folders[1]:
        both = list(_parted(both[0], images, mask_suffix))
    for option, name, found in zip(("images", "masks"), (images, masks), both, strict=True):
        refuse_broken(_LAYOUT, found)
        if not found.images:
            raise DataError(
                f"dataset {_LAYOUT!r}: {option} {name!r}: no images in that folder; name the right "
                f"one in dataset.{option}"
            )
    others = sorted({*both[0].others, *both[1].others})
    if others:
        notes["other files"] = first_of(others, "files are no images")
    by_stem = _by_stem(both[0].images, folders[0], "images")
    mask_of = _by_stem(both[1].images, folders[1], "masks")
    if not mask_suffix:
        return by_stem, mask_of
    return by_stem, {
        # One that lacks the suffix is kept under its path, where it is nobody's partner.
        (stem.removesuffix(mask_suffix) if stem.endswith(mask_suffix) else path): path
        for stem, path in mask_of.items()
    }


def _parted(found: Found, folder: str, mask_suffix: str) -> tuple[Found, Found]:
    """Images and masks of one folder, told apart by the masks' suffix."""
    if not mask_suffix:
        raise DataError(
            f"dataset {_LAYOUT!r}: images and masks are both in {folder!r}; set "
            f"dataset.mask_suffix to what a mask's name has behind its image's, as '_mask'"
        )
    is_mask = [splitext(name)[0].endswith(mask_suffix) for name in found.images]
    pairs = list(zip(found.images, is_mask, strict=True))
    images = Found([name for name, mask in pairs if not mask], found.others, found.broken)
    return images, Found([name for name, mask in pairs if mask])


def _by_stem(paths: list[str], folder: str, what: str) -> dict[str, str]:
    """Paths by what they are called below ``folder``, without the suffix."""
    named: dict[str, str] = {}
    twice = []
    for path in paths:
        stem = splitext(path.removeprefix(f"{folder}/") if folder else path)[0]
        if stem in named:
            twice.append(f"{named[stem]} and {path}")
        named.setdefault(stem, path)
    if twice:
        raise DataError(
            f"dataset {_LAYOUT!r}: {len(twice)} {what} share a stem, the first are {twice[0]}; "
            f"keep one of each"
        )
    return named


def _list_files(root: Path) -> dict[str, Path]:
    """The text file of each split, by the split's name."""
    found: dict[str, Path] = {}
    for path in sorted(root.glob("*.txt")):
        part = split_named(path.stem)
        if part is None or not path.is_file():
            continue
        if part in found:
            raise DataError(
                f"dataset {_LAYOUT!r}: {found[part].name!r} and {path.name!r} would both list the "
                f"split {part!r}; keep one"
            )
        found[part] = path
    if found and "train" not in found:
        raise DataError(
            f"dataset {_LAYOUT!r}: {str(root)!r} has "
            f"{', '.join(path.name for path in found.values())} and no train.txt; add it, or take "
            f"them away to have the splits made"
        )
    return {part: found[part] for part in ("train", "val", "test") if part in found}


def _listed(path: Path, by_stem: Mapping[str, str]) -> list[str]:
    """The stems that ``path`` lists, in its order."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"split list {path.name!r} cannot be read as UTF-8 text") from error
    names = [line.strip() for line in lines if line.strip()]
    unknown, stems = [], []
    for name in names:
        # A name may hold dots without having a suffix, so it is tried as it stands first.
        stem = name if name in by_stem else splitext(contained(name) or name)[0]
        stems.append(stem)
        if stem not in by_stem:
            unknown.append(name)
    if not names:
        raise DataError(f"split list {path.name!r} is empty; name its images, one a line")
    if unknown:
        raise DataError(
            f"split list {path.name!r}: {len(unknown)} of {len(names)} names have no image, the "
            f"first is {unknown[0]!r}; expected names as below the folder of images"
        )
    return stems


def _refuse_twice(lists: Mapping[str, list[str]]) -> None:
    where: dict[str, str] = {}
    for part, stems in lists.items():
        for stem in stems:
            if stem in where:
                raise DataError(
                    f"dataset {_LAYOUT!r}: {stem!r} is listed in {where[stem]!r} and in {part!r}; "
                    f"each image may be listed once"
                )
            where[stem] = part


def _refuse_unpaired(
    by_stem: Mapping[str, str], mask_of: Mapping[str, str], without: set[str]
) -> None:
    """``without``: the stems that need no mask."""
    alone = sorted(path for stem, path in by_stem.items() if stem not in {*mask_of, *without})
    if alone:
        raise DataError(
            f"dataset {_LAYOUT!r}: {len(alone)} of {len(by_stem)} images have no mask, the first "
            f"is {alone[0]!r}; add the masks, or set dataset.mask_suffix"
        )
    spare = sorted(path for stem, path in mask_of.items() if stem not in by_stem)
    if spare:
        raise DataError(
            f"dataset {_LAYOUT!r}: {len(spare)} of {len(mask_of)} masks have no image, the first "
            f"is {spare[0]!r}; add the images, or take the masks away"
        )
