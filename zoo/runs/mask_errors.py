"""Pixel by pixel, how a decided mask and the true one differ.

Shapes: H by W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.decoding import (
    IGNORE,
    SUFFIXES,
    aligned_mask,
    mask_ids,
    open_image,
    upright_size,
)
from zoo.errors import DataError, missing_path
from zoo.tasks import Task

NEGATIVE, POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE, OTHER = range(5)


def mask_errors(truth: np.ndarray, decided: np.ndarray, target: int | None) -> np.ndarray:
    """uint8 (H, W): :data:`POSITIVE` and the like, :data:`zoo.data.decoding.IGNORE` where either is
    unknown. Of class ``target`` against all others; None: of every class against the first, where
    :data:`OTHER` is one class taken for another, neither of them the first."""
    if target is None:
        true, said = truth != 0, decided != 0
    else:
        true, said = truth == target, decided == target
    errors = np.full(truth.shape, NEGATIVE, np.uint8)
    errors[true & said] = POSITIVE
    errors[~true & said] = FALSE_POSITIVE
    errors[true & ~said] = FALSE_NEGATIVE
    if target is None:
        errors[true & said & (truth != decided)] = OTHER
    errors[(truth == IGNORE) | (decided == IGNORE)] = IGNORE
    return errors


def dice(errors: np.ndarray) -> float | None:
    """Of the pixels that count; None where there is nothing to find and nothing was found. A pixel
    of another class is missed and wrongly found, both."""
    right = int((errors == POSITIVE).sum())
    wrong = sum(int((errors == one).sum()) for one in (FALSE_POSITIVE, FALSE_NEGATIVE))
    wrong += 2 * int((errors == OTHER).sum())
    return 2 * right / (2 * right + wrong) if right + wrong else None


def read_mask(path: Path, image: Any, task: Task) -> np.ndarray:
    """uint8 (H, W): class ids of a mask, turned as its image is."""
    mask = aligned_mask(open_image(path), image)
    return mask_ids(mask, task, upright_size(image), f"mask {str(path)!r}")


def masks_for(given: Path, names: Sequence[str]) -> Mapping[str, Path]:
    """The mask of each image, by its name below the folder of images: the file that is ``given``,
    of one image, or the one of that name, but for the suffix, in the folder that is. Raises
    :class:`DataError` naming the first image without."""
    if given.is_file():
        if len(names) != 1:
            raise DataError(f"mask {str(given)!r} is one file, and there are {len(names)} images")
        return {names[0]: given}
    if not given.is_dir():
        raise DataError(missing_path("mask", given))
    found = {}
    for name in names:
        stem = given / name
        beside = (stem.with_suffix(suffix) for suffix in ("", stem.suffix, *sorted(SUFFIXES)))
        mask = next((path for path in beside if path.is_file()), None)
        if mask is None:
            raise DataError(
                f"image {name!r} has no mask in {str(given)!r}; expected one of its name, such as "
                f"{stem.with_suffix('.png').name!r}"
            )
        found[name] = mask
    return found
