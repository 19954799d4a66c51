"""Stored rows by index, batch after batch, on the device.

Shapes: M indices of an epoch, B images of a batch, H by W pixels, C channels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from zoo.data.device import sent
from zoo.data.store import Store
from zoo.data.streaming import Stream
from zoo.data.tiers import Held

Bounds = Sequence[tuple[int, int]]
Rows_ = tuple[Tensor, Tensor | None]  # uint8 (B, H, W, C), and masks uint8 (B, H, W) or None
_RESIDENT_SHARE = 0.4  # of the free device memory that a store may take
_AHEAD = 4  # batches on the device whose work is not done


class Rows(Protocol):
    def batches(self, indices: Tensor, bounds: Bounds) -> Iterator[Rows_]:
        """The rows of ``indices``, int64 (M,) on the CPU, in the batches that ``bounds`` cut. What
        is given may be overwritten by the next batch."""


def rows_of(store: Held, device: torch.device) -> Rows:
    """On the device, if the store fits there; else gathered on the host and copied."""
    if isinstance(store, Stream):
        return _Copied(store, device) if device.type != "cpu" else store
    if device.type == "cpu" or _fits(store, device):
        return _Resident(store, device)
    return _Copied(_Resident(store, torch.device("cpu"), pinned=device.type == "cuda"), device)


def _fits(store: Store, device: torch.device) -> bool:
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    masks = 0 if store.masks is None else store.masks.numel()
    return store.images.numel() + masks <= _RESIDENT_SHARE * free


class _Resident:
    """One ``index_select`` a batch, into a buffer that is reused: fresh memory costs page faults.

    ``pinned``: into page-locked memory, for copies that nothing waits for. A copy may still stand
    in its queue when the next batch is gathered, or the next epoch's first, so each batch gets
    memory of its own. torch keeps such memory, and gives it out again once the copies from it are
    done."""

    def __init__(self, store: Store, device: torch.device, pinned: bool = False) -> None:
        self._images = store.images.to(device)
        self._masks = None if store.masks is None else store.masks.to(device)
        self._device, self._pinned = device, pinned
        self._reused: Rows_ | None = None

    def batches(self, indices: Tensor, bounds: Bounds) -> Iterator[Rows_]:
        indices = sent(indices, self._device)
        most = max((last - first for first, last in bounds), default=0)
        for first, last in bounds:
            chosen = indices[first:last]
            images, masks = self._memory(last - first, most)
            torch.index_select(self._images, 0, chosen, out=images)
            if self._masks is not None and masks is not None:
                torch.index_select(self._masks, 0, chosen, out=masks)
            yield images, masks

    def _memory(self, rows: int, most: int) -> Rows_:
        """For ``rows`` of a batch, of at most ``most`` in this epoch."""
        if self._pinned:
            return self._fresh(rows)
        if self._reused is None or len(self._reused[0]) < most:
            self._reused = self._fresh(most)
        images, masks = self._reused
        if rows < len(images):
            images, masks = images[:rows], None if masks is None else masks[:rows]
        return images, masks

    def _fresh(self, rows: int) -> Rows_:
        masks = self._masks
        return self._empty(self._images, rows), None if masks is None else self._empty(masks, rows)

    def _empty(self, like: Tensor, rows: int) -> Tensor:
        return torch.empty(
            (rows, *like.shape[1:]), dtype=like.dtype, device=self._device, pin_memory=self._pinned
        )


class _Copied:
    """Rows of the host, copied to the device. On CUDA a stream of its own copies, so that a batch
    is on its way while the device works on the one before; the host waits only where it is
    :data:`_AHEAD` batches ahead, which bounds the memory that they take."""

    def __init__(self, source: Rows, device: torch.device) -> None:
        self._source, self._device = source, device
        self._stream: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._worked: deque[torch.cuda.Event] = deque()  # those of the last epoch too

    def batches(self, indices: Tensor, bounds: Bounds) -> Iterator[Rows_]:
        for images, masks in self._source.batches(indices, bounds):
            if len(self._worked) >= _AHEAD:
                self._worked.popleft().synchronize()
            there = self._copied([images] if masks is None else [images, masks])
            yield there[0], None if masks is None else there[1]
            if self._stream is not None:  # by now the batch's work stands in its queue
                done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
                done.record(torch.cuda.current_stream(self._device))
                self._worked.append(done)

    def _copied(self, here: Sequence[Tensor]) -> list[Tensor]:
        if self._stream is None:
            return [sent(one, self._device) for one in here]
        work = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._stream):
            there = [sent(one, self._device) for one in here]
        work.wait_stream(self._stream)  # the device does, the host goes on
        for one in there:
            # Memory of the copying stream: it is given to a later copy once the work is done.
            one.record_stream(work)
        return there
