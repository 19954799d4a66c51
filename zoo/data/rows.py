"""Stored rows by index, batch after batch, on the device.

Shapes: M indices of an epoch, B images of a batch, H by W pixels, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from zoo.data.store import Store
from zoo.data.streaming import Stream
from zoo.data.tiers import Held

Bounds = Sequence[tuple[int, int]]
Rows_ = tuple[Tensor, Tensor | None]  # uint8 (B, H, W, C), and masks uint8 (B, H, W) or None
_RESIDENT_SHARE = 0.4  # of the free device memory that a store may take
_RING = 3  # pinned buffers in flight


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
    """One ``index_select`` a batch, into buffers that are reused: fresh memory costs page faults.
    ``pinned``: a ring of page-locked buffers, for copies that overlap with work."""

    def __init__(self, store: Store, device: torch.device, pinned: bool = False) -> None:
        self._images = store.images.to(device)
        self._masks = None if store.masks is None else store.masks.to(device)
        self._device, self._pinned = device, pinned
        self._buffers: list[tuple[Tensor, Tensor | None]] = []

    def batches(self, indices: Tensor, bounds: Bounds) -> Iterator[Rows_]:
        indices = indices.to(self._device)
        self._reserve(max((last - first for first, last in bounds), default=0))
        for number, (first, last) in enumerate(bounds):
            images, masks = self._buffers[number % len(self._buffers)]
            chosen, rows = indices[first:last], last - first
            if rows < len(images):
                images, masks = images[:rows], None if masks is None else masks[:rows]
            torch.index_select(self._images, 0, chosen, out=images)
            if self._masks is not None and masks is not None:
                torch.index_select(self._masks, 0, chosen, out=masks)
            yield images, masks

    def _reserve(self, rows: int) -> None:
        if self._buffers and len(self._buffers[0][0]) >= rows:
            return
        masks = self._masks
        self._buffers = [
            (self._empty(self._images, rows), None if masks is None else self._empty(masks, rows))
            for _ in range(_RING if self._pinned else 1)
        ]

    def _empty(self, like: Tensor, rows: int) -> Tensor:
        return torch.empty(
            (rows, *like.shape[1:]), dtype=like.dtype, device=self._device, pin_memory=self._pinned
        )


class _Copied:
    """Rows of the host, copied to the device. A pinned buffer is given out again only when its copy
    is done."""

    def __init__(self, source: Rows, device: torch.device) -> None:
        self._source, self._device = source, device

    def batches(self, indices: Tensor, bounds: Bounds) -> Iterator[Rows_]:
        events: list[torch.cuda.Event] = []
        for images, masks in self._source.batches(indices, bounds):
            there = images.to(self._device, non_blocking=True)
            masks_there = None if masks is None else masks.to(self._device, non_blocking=True)
            if self._device.type == "cuda":
                done = torch.cuda.Event()  # type: ignore[no-untyped-call]
                done.record()
                events.append(done)
            yield there, masks_there
            # The source fills its next buffer now: the one whose copy was started a ring ago.
            if len(events) >= _RING:
                events.pop(0).synchronize()
