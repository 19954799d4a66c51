"""One mask, looked at: whether it is there, fits its image, and holds class ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from zoo.data.audit.files import FileFaultError, digest, file_bytes
from zoo.data.datasets import Split, file_of
from zoo.data.decoding import IGNORE, aligned_mask, mask_ids, open_image, upright_size
from zoo.errors import DataError, reason
from zoo.tasks import Task

_LOSSY = ("JPEG", "WEBP")
_RINGING = 32  # gray levels by which a lossy format may stray from 0
_FOREGROUND = 127  # what mask_ids takes for foreground in a mask of neither ids nor 0 and 255


@dataclass(frozen=True)
class MaskSeen:
    """``counts``: pixels of each class; ``pixels``: digest of the ids. ``gray``: the values between
    background and foreground that were rounded to either."""

    fault: tuple[str, str] | None = None
    counts: tuple[int, ...] = ()
    pixels: bytes = b""
    gray: int = 0


def look_at_mask(
    split: Split, index: int, task: Task, image: object, size: tuple[int, int]
) -> MaskSeen:
    """Never raises for what a file may hold."""
    name = split.ids[index]
    try:
        path = file_of(split, index, "mask_file")
        if path is None:
            mask: object = split.mask(index)
        else:
            mask = open_image(file_bytes(path, name), name)
    except FileFaultError as fault:
        kind = "mask_missing" if fault.args[0] == "missing_file" else "mask_undecodable"
        return MaskSeen((kind, f"mask of {fault.args[1]}"))
    except Exception as error:
        said = str(error) if isinstance(error, DataError) else reason(error)
        missing = "no masks" in said or "no such file" in said.lower()
        kind = "mask_missing" if missing else "mask_undecodable"
        return MaskSeen((kind, f"mask of {name!r}: {said}"))
    aligned = aligned_mask(mask, image)
    if upright_size(aligned) != size:
        height, width = upright_size(aligned)
        said = f"mask of {name!r} is {height}x{width}, its image {size[0]}x{size[1]}"
        return MaskSeen(("mask_size", said))
    try:
        ids = mask_ids(aligned, task, size, f"mask of {name!r}")
    except DataError as error:
        return MaskSeen(("mask_values", str(error)))
    return _described(mask, ids, task, name)


def _described(mask: object, ids: np.ndarray, task: Task, name: str) -> MaskSeen:
    counted = np.bincount(ids.ravel(), minlength=256)
    counts = tuple(int(count) for count in counted[: len(task.classes)])
    lossy = isinstance(mask, Image.Image) and mask.format in _LOSSY
    values = np.unique(np.asarray(mask)) if len(task.classes) == 2 else np.empty(0, np.int64)
    between = values[(values > 1) & (values < IGNORE)]
    lost = between[between <= _FOREGROUND]
    # Ids 0, 1, 2 in a task of two classes are read as shades of gray, all of them background.
    if len(lost) and not counts[1] and not (lossy and lost.max() <= _RINGING):
        said = (
            f"mask of {name!r} holds the values {_few(values)}, all of which count as background; "
            f"expected 0 and 1, or 0 and 255"
        )
        return MaskSeen(("mask_values", said))
    gray = 0 if lossy else len(between)
    return MaskSeen(None, counts, digest(repr(ids.shape).encode(), ids.tobytes()), gray)


def _few(values: np.ndarray) -> str:
    shown = ", ".join(str(value) for value in values[:5].tolist())
    return f"{shown}, ..." if len(values) > 5 else shown
