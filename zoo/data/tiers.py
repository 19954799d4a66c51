"""Where a split's pixels are kept: in memory, in a mapped file, or nowhere, decoded when needed.

The choice follows from their size; the batches are the same, to the bit.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from zoo.data import caching
from zoo.data.datasets import ArraySplit, Joined, Split, Subset, has_masks
from zoo.data.decoded import STOP, Decoder, Progress, sized
from zoo.data.decoding import is_gray, mask_ids, pixels
from zoo.data.device import free_memory
from zoo.data.fitting import Form
from zoo.data.store import Store, array_of, labels_tensor, tensor_of
from zoo.data.streaming import Stream, open_stream
from zoo.storage.cache_folder import cache_folder
from zoo.tasks import SEGMENTATION, Task

Held = Store | Stream
AUTO, MEMORY, MAPPED, STREAMED = "auto", "memory", "mapped", "streamed"
_SHARE = 3  # a third of the free memory, or of the free disk


@dataclass(frozen=True)
class Keeping:
    """How to keep pixels. ``tier``: ``auto`` keeps up to ``limit`` bytes in memory and as much
    mapped, 0 for a third of what is free; or the tier itself. ``threads`` decode once, ``workers``
    decode a stream. ``notice`` is told what was chosen and left out; ``progress`` how far decoding
    is."""

    on_error: str = STOP
    threads: int = 1
    workers: int = 2
    tier: str = AUTO
    limit: int = 0
    notice: Callable[[str], None] = lambda text: None
    progress: Callable[[str], Progress | None] = lambda where: None


def open_split(split: Split, form: Form, task: Task, where: str, keeping: Keeping) -> Held:
    """The split's pixels, ready for batches. Array splits are their own store, in their own size.
    Raises :class:`DataError` naming the image that is wrong."""
    array = array_of(split)
    if array is not None and array.shape[3] == form.channels:
        return Store(
            tensor_of(array),
            labels_tensor(split),
            tuple(split.ids),
            _array_masks(split, task, where),
        )
    decoder = Decoder(split, form, task, where, keeping.on_error, keeping.threads)
    if array is not None:
        decoder = replace(decoder, form=replace(form, size=array.shape[1:3]), exact=True)
    else:
        decoder = sized(decoder)
    held = _held(decoder, keeping)
    for name, why in list(held.skipped.items())[:3]:
        keeping.notice(f"left out {name!r}: {why}")
    if held.skipped:
        keeping.notice(f"{where}: {len(held.skipped)} of {len(split)} images are left out")
    return held


def native_form(split: Split, where: str) -> tuple[tuple[int, int], int]:
    """((height, width), channels) of the split's first image; 1 channel when it is gray."""
    image = split.image(0)
    first = pixels(image, 1 if is_gray(image) else 3, where)
    return (first.shape[0], first.shape[1]), first.shape[2]


def _held(decoder: Decoder, keeping: Keeping) -> Held:
    assert decoder.form.size is not None
    height, width = decoder.form.size
    depth = decoder.form.channels + decoder.has_masks
    size = len(decoder.split) * height * width * depth
    progress = keeping.progress(decoder.where)
    in_files = caching.fingerprint(decoder) is not None
    tier = keeping.tier if keeping.tier != AUTO else _tier(size, in_files, keeping.limit)
    if tier == MEMORY:
        if in_files:
            return caching.open_cached(decoder, in_memory=True, progress=progress)
        return caching.decode_in_memory(decoder, progress)
    if tier == MAPPED:
        keeping.notice(f"{decoder.where}: {_text(size)} are mapped from {cache_folder()}")
        return caching.open_cached(decoder, in_memory=False, progress=progress)
    keeping.notice(
        f"{decoder.where}: {_text(size)} are not kept; images are decoded in every epoch, by "
        f"{keeping.workers} threads"
    )
    return open_stream(decoder, keeping.workers, progress)


def _tier(size: int, in_files: bool, limit: int) -> str:
    if size <= (limit or free_memory(torch.device("cpu")) // _SHARE):
        return MEMORY
    return MAPPED if in_files and size <= (limit or _free_disk() // _SHARE) else STREAMED


def _array_masks(split: Split, task: Task, where: str) -> torch.Tensor | None:
    if task.kind != SEGMENTATION or not has_masks(split):
        return None
    if isinstance(split, Subset):
        whole = _array_masks(split.of, task, where)
        return None if whole is None else whole[torch.from_numpy(split.indices)]
    if isinstance(split, Joined):
        parts = [_array_masks(part, task, where) for part in split.parts]
        return torch.cat([part for part in parts if part is not None])
    assert isinstance(split, ArraySplit)
    size = split.images.shape[1:3]
    ids = [
        mask_ids(split.mask(index), task, size, f"{where}: image {split.ids[index]!r}")
        for index in range(len(split))
    ]
    return torch.from_numpy(np.stack(ids))


def _free_disk() -> int:
    folder = cache_folder()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _text(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
