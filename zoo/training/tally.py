"""Loss and confusion counts of a pass, added up on the device.

A step only puts its tensors on a list; every so many steps they are counted together. What the host
wants to know meanwhile is copied while the device goes on, and read when it has arrived: nothing
waits before the end of the pass.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import torch
from torch import Tensor

from zoo.data.decoding import IGNORE
from zoo.predictions import counts
from zoo.tasks import MULTILABEL, SEGMENTATION, Task
from zoo.training.replicas import ALONE, Replicas
from zoo.training.update import Outcome
from zoo.training.watch import Watch

_TOGETHER = 64  # steps whose tensors are kept for counting them together,
_LOGITS = 1 << 18  # or fewer, once they hold so many logits
# Pixels fall into a few cells only; spread over so many copies of them they do not queue up.
_SPREAD = 256


class Tally:
    """Adds batches up; :meth:`numbers` reads the sums."""

    def __init__(
        self,
        task: Task,
        device: torch.device,
        replicas: Replicas = ALONE,
        *,
        skip: bool = False,
    ) -> None:
        self.task = task
        self.replicas = replicas
        self.watch = Watch(skip)
        self._taken = 0  # samples of this process
        self.device = device
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []
        self._pending = 0
        self._losses: list[Tensor] = []
        self._left_out: list[Tensor] = []
        self._about: list[tuple[int, int, float]] = []
        self._coming: deque[tuple[Tensor, list[tuple[int, int, float]], Any]] = deque()
        self._cells = torch.zeros(_cells(task), dtype=torch.int64, device=device)

    def count(self, logits: Tensor, labels: Tensor) -> None:
        """``logits``: (B, O, ...), kept until they are counted; ``labels``: the store's. Masks are
        counted at once: the next batch reuses their memory."""
        self._logits.append(logits.detach())
        self._labels.append(labels)
        self._pending += logits.numel()
        if len(self._logits) >= _TOGETHER or self._pending > _LOGITS or labels.ndim > 2:
            self._count()

    def add(self, given: Tensor | Outcome, samples: int, step: int = 0, rate: float = 0.0) -> None:
        """``given``: a step's mean loss over its ``samples``, or what came of its update."""
        loss, left_out = given if isinstance(given, Outcome) else (given, None)
        self._taken += samples
        self._losses.append(loss.detach())
        if left_out is not None:
            self._left_out.append(left_out)
        self._about.append((samples, step, rate))
        if len(self._losses) >= _TOGETHER:
            self._send()

    @property
    def samples(self) -> int:
        """Whose losses are known or under way; over several processes an estimate."""
        return self._taken * self.replicas.ranks

    def glimpse(self) -> float | None:
        """The mean loss of the steps that the host knows of; asks for the others without waiting.
        Raises :class:`TrainingError` when one was not finite."""
        self._send()
        self._receive(wait=False)
        self.watch.require_finite()
        return self.watch.mean

    def settle(self) -> None:
        """Wait for everything. Raises :class:`TrainingError` when a loss was not finite."""
        self._count()
        self._send()
        self._receive(wait=True)
        self.watch.require_finite()

    def numbers(self, *, strict: bool = False) -> dict[str, counts.Number]:
        """``loss``, None where no step has a finite one, or, if ``strict``, where one has not; and
        the figures of the task. Over all processes."""
        self._count()
        self._send()
        self._receive(wait=True)
        cells, watch = self._cells.clone(), self.watch
        exact = torch.float32 if self.device.type == "mps" else torch.float64
        parts = [watch.total, watch.samples, watch.dropped]
        sums = torch.tensor(parts, dtype=exact, device=self.device)
        self.replicas.sum(cells, sums)
        total, samples, dropped = sums.tolist()
        loss = None if not samples or (strict and dropped) else total / samples
        return {"loss": loss, **counts.metrics(self.task, self._table(cells))}

    def new_epoch(self) -> None:
        self._taken = 0
        self.watch.new_epoch()
        self._cells.zero_()

    def state_dict(self) -> dict[str, Any]:
        """After :meth:`settle`. What all processes saw: losses apart, so that each goes on from its
        own sum and the mean is the same to the last bit."""
        watch, cells = self.watch, self._cells.clone()
        self.replicas.sum(cells)
        seen = self.replicas.each([self._taken, watch.samples, watch.total])
        return {"cells": cells, "seen": seen, "watch": watch.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """By as many processes as there were, or by others: the first one then has all sums."""
        rank, ranks, seen = self.replicas.rank, self.replicas.ranks, state["seen"]
        if len(seen) != ranks:
            taken, *sums = (sum(one) for one in zip(*seen, strict=True))
            seen = [[taken / ranks, *(sums if one == 0 else (0, 0))] for one in range(ranks)]
        self._taken, self.watch.samples = int(seen[rank][0]), int(seen[rank][1])
        self.watch.total = seen[rank][2]
        self.watch.load_state_dict(state["watch"])
        self._cells.copy_(state["cells"]).mul_(rank == 0)

    def _count(self) -> None:
        if not self._logits:
            return
        logits, labels = torch.cat(self._logits), torch.cat(self._labels)
        self._logits.clear()
        self._labels.clear()
        self._pending = 0
        classes = len(self.task.classes)
        if self.task.kind == SEGMENTATION:
            cells = torch.where(
                labels == IGNORE,
                classes * classes,
                labels * classes + self.task.decisions(logits),
            ).flatten()
            cells = cells * _SPREAD + torch.arange(len(cells), device=cells.device) % _SPREAD
        elif self.task.kind == MULTILABEL:
            first = torch.arange(classes, device=labels.device) * 4
            cells = (first + labels * 2 + self.task.decisions(logits)).flatten()
        else:
            cells = labels * classes + self.task.decisions(logits)
        one = torch.ones((), dtype=torch.int64, device=cells.device)
        self._cells.index_add_(0, cells, one.expand(len(cells)))

    def _table(self, cells: Tensor) -> Any:
        """int64 (K, K), or (K, 2, 2) for multilabel."""
        classes = len(self.task.classes)
        if self.task.kind == SEGMENTATION:
            cells = cells.view(-1, _SPREAD).sum(1)[:-1]
        shape = (-1, 2, 2) if self.task.kind == MULTILABEL else (classes, classes)
        return cells.cpu().numpy().reshape(shape)

    def _send(self) -> None:
        """Start the losses on their way to the host, and below them, as (2, steps), the flags of
        updates that were left out."""
        if not self._losses:
            return
        losses = torch.stack(self._losses).float()
        flags = torch.stack(self._left_out) if self._left_out else torch.zeros_like(losses)
        losses = torch.stack([losses, flags.float()])
        arrived = None
        if self.device.type == "cuda":
            there = torch.empty(losses.shape, dtype=losses.dtype, pin_memory=True)
            losses = there.copy_(losses, non_blocking=True)
            arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            arrived.record()
        self._coming.append((losses, self._about, arrived))
        self._losses, self._left_out, self._about = [], [], []

    def _receive(self, *, wait: bool) -> None:
        while self._coming:
            losses, about, arrived = self._coming[0]
            if arrived is not None and wait:
                arrived.synchronize()
            elif arrived is not None and not arrived.query():
                return
            self._coming.popleft()
            values, left_out = losses.tolist()
            self.watch.see(values, left_out, about)


def _cells(task: Task) -> int:
    classes = len(task.classes)
    if task.kind == SEGMENTATION:
        return (classes * classes + 1) * _SPREAD  # the last one for pixels that are ignored
    return classes * 4 if task.kind == MULTILABEL else classes * classes
