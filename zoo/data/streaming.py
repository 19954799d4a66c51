"""Images decoded as they are needed, for data too large to keep: the same batches, only slower.

Workers are threads: Pillow lets others run while it decodes and resizes, nothing has to be copied
between processes, and none can hang or die.

Shapes: N samples, B images, H by W pixels, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zoo.data.decoded import Decoder, Progress, Row
from zoo.data.store import Prints, Sums, labels_tensor
from zoo.errors import DataError
from zoo.tasks import SEGMENTATION, Task

_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class Stream:
    """What a :class:`zoo.data.store.Store` is, but for the arrays: one pass over the images has
    found which can be decoded, their statistics and the pixels of each class."""

    decoder: Decoder
    kept: np.ndarray
    labels: Tensor | None
    ids: tuple[str, ...]
    skipped: Mapping[str, str]
    moments: tuple[tuple[float, ...], tuple[float, ...]]
    prints: Prints
    pixels: tuple[int, ...] = ()
    workers: int = 2

    def __len__(self) -> int:
        return len(self.kept)

    @property
    def image_size(self) -> tuple[int, int]:
        assert self.decoder.form.size is not None
        return self.decoder.form.size

    @property
    def channels(self) -> int:
        return self.decoder.form.channels

    def fingerprint(self) -> str:
        return self.prints.of(self.ids, self.labels)

    def statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        return self.moments

    def class_counts(self, task: Task) -> tuple[int, ...]:
        if task.kind == SEGMENTATION:
            return self.pixels[: len(task.classes)]
        if self.labels is None:
            raise DataError("this split has no labels to count")
        if self.labels.ndim == 2:
            return tuple(int(count) for count in self.labels.long().sum(dim=0))
        return tuple(int(n) for n in torch.bincount(self.labels, minlength=len(task.classes)))

    def counted(self, task: Task) -> int:
        return sum(self.pixels[:255]) if task.kind == SEGMENTATION else len(self)

    def batches(
        self, order: Tensor, bounds: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """uint8 (B, H, W, C) and masks uint8 (B, H, W) or None, decoded ahead by the workers."""
        rows = self.kept[order.numpy()]
        with ThreadPoolExecutor(max(self.workers, 1)) as pool:
            if self.workers == 0:  # nothing ahead: each row when it is asked for
                for start, end in bounds:
                    yield _stacked([self.decoder.row(int(row)) for row in rows[start:end]])
                return
            submit = [[*map(int, rows[start:end])] for start, end in bounds]
            waiting = [
                [pool.submit(self.decoder.row, row) for row in batch]
                for batch in submit[:_BATCHES_AHEAD]
            ]
            try:
                for number in range(len(bounds)):
                    current = waiting.pop(0)
                    if number + _BATCHES_AHEAD < len(bounds):
                        ahead = submit[number + _BATCHES_AHEAD]
                        waiting.append([pool.submit(self.decoder.row, row) for row in ahead])
                    yield _stacked([future.result() for future in current])
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def open_stream(decoder: Decoder, workers: int, progress: Progress | None = None) -> Stream:
    """Look at every image once, keeping none."""
    sums, prints = Sums(decoder.form.channels), Prints()
    pixels = np.zeros(256, np.int64)
    kept: list[int] = []
    skipped: dict[str, str] = {}
    for index, row in decoder.rows(progress):
        if isinstance(row, DataError):
            skipped[decoder.split.ids[index]] = str(row)
            continue
        image, mask = row
        if image.shape[:2] != decoder.form.size:
            raise DataError(
                f"{decoder.where}: image {decoder.split.ids[index]!r} is {image.shape[0]}x"
                f"{image.shape[1]}; give data.store_size (or --size)"
            )
        kept.append(index)
        sums.add(image)
        prints.add(image, mask)
        if mask is not None:
            pixels += np.bincount(mask.reshape(-1), minlength=256)
    if not kept:
        raise DataError(f"{decoder.where}: none of its {len(decoder.split)} images can be decoded")
    labels = labels_tensor(decoder.split)
    chosen = np.array(kept, np.int64)
    return Stream(
        decoder,
        chosen,
        None if labels is None else labels[torch.from_numpy(chosen)],
        tuple(decoder.split.ids[index] for index in kept),
        skipped,
        sums.statistics(),
        prints,
        tuple(int(count) for count in pixels),
        workers,
    )


def _stacked(rows: list[Row]) -> tuple[Tensor, Tensor | None]:
    images = torch.from_numpy(np.stack([image for image, _ in rows]))
    masks = [mask for _, mask in rows if mask is not None]
    return images, torch.from_numpy(np.stack(masks)) if masks else None
