"""Decode a split once, in parallel, into arrays of one size; what is wrong is named or left out.

Shapes: N samples, H by W pixels, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from zoo.data.datasets import Split, file_of, has_masks
from zoo.data.decoding import FORMATS, aligned_mask, mask_ids, open_image, upright_size
from zoo.data.fitting import Form
from zoo.errors import DataError
from zoo.tasks import SEGMENTATION, Task

STOP, SKIP = "stop", "skip"
Row = tuple[np.ndarray, np.ndarray | None]  # uint8 (H, W, C), and a mask uint8 (H, W)
Progress = Callable[[int, int], None]  # images done, images in all
_LOOKED_AT = 32  # images that are no files whose size is asked for
_AHEAD = 64  # images decoded ahead of the one that is written, a thread


@dataclass(frozen=True)
class Decoder:
    """How the images of a split become rows. ``exact``: they must have the form's size already.
    ``where`` stands in messages; ``on_error``: ``stop`` raises for the first image that is wrong,
    ``skip`` leaves it out and says so."""

    split: Split
    form: Form
    task: Task
    where: str
    on_error: str = STOP
    threads: int = 1
    exact: bool = False

    @property
    def has_masks(self) -> bool:
        return self.task.kind == SEGMENTATION and has_masks(self.split)

    def row(self, index: int) -> Row:
        """uint8 (H, W, C) and, for segmentation, uint8 (H, W)."""
        name = f"{self.where}: image {self.split.ids[index]!r}"
        form = replace(self.form, size=None) if self.exact else self.form
        file = file_of(self.split, index)
        if file is not None and not self.has_masks:
            image: object = open_image(file, self.split.ids[index], form.size)
        else:
            # A mask is compared with the size its image has before any shrinking.
            image = self.split.image(index)
        fitted = form.image(image, name, enlarge=True)
        if not self.has_masks:
            return fitted, None
        mask = aligned_mask(self.split.mask(index), image)
        return fitted, form.mask(mask_ids(mask, self.task, upright_size(image), name))

    def rows(self, progress: Progress | None = None) -> Iterator[tuple[int, Row | DataError]]:
        """(index, row), in order; with ``skip`` a row may be the :class:`DataError` instead."""
        total = len(self.split)
        with ThreadPoolExecutor(self.threads) as pool:
            window = self.threads * _AHEAD
            waiting = [pool.submit(self.row, index) for index in range(min(window, total))]
            try:
                for index in range(total):
                    future = waiting.pop(0)
                    if index + window < total:
                        waiting.append(pool.submit(self.row, index + window))
                    try:
                        yield index, future.result()
                    except DataError as error:
                        if self.on_error == STOP:
                            raise DataError(stop_text(str(error))) from error
                        yield index, error
                    if progress is not None:
                        progress(index + 1, total)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def fill(
        self, images: np.ndarray, masks: np.ndarray | None, progress: Progress | None = None
    ) -> tuple[np.ndarray, dict[str, str]]:
        """Write rows into uint8 (N, H, W, C) and (N, H, W), those left out leaving no gap. Returns
        (int64 indices kept, why others were left out, by id)."""
        kept: list[int] = []
        skipped: dict[str, str] = {}
        for index, row in self.rows(progress):
            if isinstance(row, DataError):
                skipped[self.split.ids[index]] = str(row)
                continue
            image, mask = row
            if image.shape != images.shape[1:]:
                raise DataError(
                    f"{self.where}: image {self.split.ids[index]!r} is {image.shape[0]}x"
                    f"{image.shape[1]}, others are {images.shape[1]}x{images.shape[2]}; "
                    f"give data.store_size (or --size)"
                )
            images[len(kept)] = image
            if masks is not None:
                masks[len(kept)] = mask
            kept.append(index)
        if not kept:
            raise DataError(f"{self.where}: none of its {len(self.split)} images can be decoded")
        return np.array(kept, np.int64), skipped


def stop_text(error: str) -> str:
    return f"{error}; to leave such images out: --set data.on_error=skip"


def sized(decoder: Decoder) -> Decoder:
    """``decoder`` with the size in which its images will be stored.

    Images that are all of one size, within the form's, keep it: a store never enlarges. Where sizes
    differ the form must say one. Files are asked for their size by their headers alone; of images
    that are no files, some are looked at.
    """
    split, form = decoder.split, decoder.form
    if file_of(split, 0) is None:
        some_of = np.linspace(0, len(split) - 1, min(len(split), _LOOKED_AT)).astype(int)
        sizes = {size for i in some_of.tolist() if (size := _image_size(split, i)) is not None}
    else:
        with ThreadPoolExecutor(decoder.threads) as pool:
            found = pool.map(lambda index: _header_size(split, index), range(len(split)))
            sizes = {size for size in found if size is not None}
    if not sizes:
        raise DataError(f"{decoder.where}: none of its {len(split)} images can be decoded")
    largest = max(height for height, _ in sizes), max(width for _, width in sizes)
    if len(sizes) == 1 and (
        form.size is None or (largest[0] <= form.size[0] and largest[1] <= form.size[1])
    ):
        return replace(decoder, form=replace(form, size=largest), exact=True)
    if form.size is None:
        some = ", ".join(f"{height}x{width}" for height, width in sorted(sizes)[:3])
        raise DataError(
            f"{decoder.where}: images are of {len(sizes)} sizes ({some}, ...); give one with "
            f"--size (or data.size, data.store_size)"
        )
    return decoder


def _image_size(split: Split, index: int) -> tuple[int, int] | None:
    """None for what is no image: decoding will name it."""
    try:
        return upright_size(split.image(index))
    except DataError:
        return None


def _header_size(split: Split, index: int) -> tuple[int, int] | None:
    """None for a file that is no image: decoding will name it."""
    path = file_of(split, index)
    try:
        with Image.open(str(path), formats=FORMATS) as image:
            return upright_size(image)
    except Exception:
        return None
