"""Loss and confusion counts of a pass, added up on the device: nothing is read before the end."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zoo.predictions import counts
from zoo.tasks import MULTILABEL, Task


class Tally:
    """Adds batches up; :meth:`numbers` reads the sums, the only synchronization."""

    def __init__(self, task: Task, device: torch.device) -> None:
        self.samples = 0
        self._task = task
        classes = len(task.classes)
        cells = classes * 4 if task.kind == MULTILABEL else classes * classes
        # mps has no float64.
        exact = torch.float32 if device.type == "mps" else torch.float64
        self._loss = torch.zeros((), dtype=exact, device=device)
        self._cells = torch.zeros(cells, dtype=torch.int64, device=device)
        self._ones = torch.ones(1, dtype=torch.int64, device=device)
        self._first_cells = torch.arange(classes, device=device) * 4

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """``loss``: the batch's mean; ``logits``: (B, O, ...); ``labels``: the store's."""
        self.samples += len(labels)
        self._loss.add_(loss.detach(), alpha=len(labels))
        cells = self._task.decisions(logits.detach())
        if self._task.kind == MULTILABEL:
            cells.add_(self._first_cells).add_(labels, alpha=2)
        else:
            cells.add_(labels, alpha=len(self._task.classes))
        cells = cells.view(-1)
        self._cells.index_add_(0, cells, self._ones.expand(len(cells)))

    def loss(self) -> float:
        """The mean loss so far; synchronizes."""
        return float(self._loss) / max(self.samples, 1)

    def numbers(self) -> dict[str, counts.Number]:
        """``loss``, None where it is not finite, and the figures of ``counts.NAMES``."""
        shape = (-1, 2, 2) if self._task.kind == MULTILABEL else (len(self._task.classes), -1)
        table = self._cells.cpu().numpy().reshape(shape)
        loss = self.loss()
        return {"loss": loss if math.isfinite(loss) else None, **counts.metrics(self._task, table)}
