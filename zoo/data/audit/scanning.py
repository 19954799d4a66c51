"""Every sample of a split looked at once, by several threads; kept as arrays, not as objects.

Shapes: N samples, S = 32.
"""

from __future__ import annotations

import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from zoo.data.audit.files import digest
from zoo.data.audit.looking import Seen, look
from zoo.data.audit.masking import MaskSeen
from zoo.data.audit.matching import SIDE
from zoo.data.datasets import Split
from zoo.tasks import Task

Progress = Callable[[str, int, int], None]  # what is done, how many, of how many
_CHUNK = 32  # samples a thread takes at once
_AHEAD = 4  # chunks waiting for each thread


@dataclass
class Scan:
    """What is known of a split. ``seen``: which samples could be decoded. ``pixels``, ``files``,
    ``masks``: digests, b"" where there are none. ``means`` and ``squares``: float64 (N, 3)."""

    name: str
    split: Split
    thumbs: np.ndarray
    seen: np.ndarray
    gray: np.ndarray
    means: np.ndarray
    squares: np.ndarray
    pixels: list[bytes] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)
    masks: list[bytes] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    gray_masks: list[tuple[int, int]] = field(default_factory=list)
    mask_counts: list[tuple[int, ...]] = field(default_factory=list)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)

    @classmethod
    def empty(cls, name: str, split: Split) -> Scan:
        count = len(split)
        return cls(
            name,
            split,
            np.zeros((count, SIDE, SIDE), np.uint8),
            np.zeros(count, bool),
            np.zeros(count, bool),
            np.zeros((count, 3)),
            np.zeros((count, 3)),
        )

    def add(self, index: int, one: Seen) -> None:
        self.faults += [(index, fault.kind, fault.message) for fault in one.faults]
        self.pixels.append(one.pixels)
        self.files.append(one.file)
        self._add_mask(index, one.mask)
        if one.thumb is None:
            return
        self.thumbs[index] = one.thumb
        self.seen[index] = True
        self.gray[index] = one.gray
        self.means[index], self.squares[index] = one.mean, one.square
        self.sizes[one.size] += 1
        self.modes[one.mode] += 1
        if one.blank:
            self.blank.append(index)

    def _add_mask(self, index: int, mask: MaskSeen | None) -> None:
        self.masks.append(b"" if mask is None else mask.pixels)
        self.mask_counts.append(() if mask is None else mask.counts)
        if mask is not None and mask.gray:
            self.gray_masks.append((index, mask.gray))

    def target(self, index: int) -> bytes:
        """A digest of what is to be learnt of a sample: its label, or its mask."""
        if self.split.labels is None:
            return self.masks[index]
        return digest(np.asarray(self.split.labels)[index].astype(np.int64).tobytes())


def scan(
    name: str, split: Split, task: Task, threads: int, progress: Progress | None = None
) -> Scan:
    """Memory: about 1.5 kB a sample, besides the few images in hand."""
    made = Scan.empty(name, split)
    with warnings.catch_warnings():
        # Damaged EXIF and the like, once a file: nothing that stops training.
        warnings.simplefilter("ignore")
        for index, one in enumerate(_looked_at(split, task, threads)):
            made.add(index, one)
            if progress is not None and (index % _CHUNK == 0 or index + 1 == len(split)):
                progress(f"decoding {name}", index + 1, len(split))
    return made


def _looked_at(split: Split, task: Task, threads: int) -> Iterator[Seen]:
    """In order; no more in hand than the threads need to keep busy."""

    def some(start: int) -> list[Seen]:
        stop = min(start + _CHUNK, len(split))
        return [look(split, index, task) for index in range(start, stop)]

    waiting: deque[Future[list[Seen]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for start in range(0, len(split), _CHUNK):
                waiting.append(pool.submit(some, start))
                if len(waiting) >= threads * _AHEAD:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
