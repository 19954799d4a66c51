"""One update as work to be measured: on copies, with made-up images, so that nothing of the run
changes.

Shapes: B images, C channels, H by W pixels.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from zoo.data.loader import Loader, equal_parts
from zoo.data.resolutions import Resolutions
from zoo.tasks import MULTILABEL, SEGMENTATION, Task
from zoo.training.loop import Trainee
from zoo.training.precision import Precision


@dataclass(frozen=True)
class Workload:
    """``image``: (C, H, W), the largest that the network is given; ``averaged``: whether a running
    average of the weights is kept too."""

    task: Task
    network: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    optimizer: Optimizer
    image: tuple[int, int, int]
    precision: Precision
    averaged: bool = False
    channels_last: bool = True

    @property
    def device(self) -> torch.device:
        return self.precision.device

    @property
    def image_text(self) -> str:
        """``3x224x224``."""
        return "x".join(map(str, self.image))

    def batch(self, images: int) -> tuple[Tensor, Tensor]:
        """Noise, float32 (B, C, H, W), and targets as the loss takes them."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        made = torch.empty((images, *self.image), device=self.device, memory_format=layout)
        form: tuple[int, ...] = (images,)
        if self.task.kind == MULTILABEL:
            form = (images, len(self.task.classes))
        elif self.task.kind == SEGMENTATION:
            form = (images, *self.image[1:])
        labels = torch.zeros(form, dtype=torch.int64, device=self.device)
        return made.normal_(), self.task.targets(labels)

    def loss_of(self, network: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        with self.precision.autocast():
            logits = network(images).float()
        return self.loss(logits, targets)

    @classmethod
    def of(cls, run: Trainee) -> Workload:
        """What a training does in every step, with images of its largest size."""
        loaders = parts_of(run.loader)
        largest = max((one.preprocessing for one in loaders), key=lambda one: math.prod(one.size))
        return cls(
            run.task,
            run.network,
            run.loss,
            run.update.optimizer,
            (largest.channels, *largest.size),
            run.update.precision,
            run.update.average is not None,
            loaders[0].channels_last,
        )

    @contextmanager
    def copied(self) -> Iterator[tuple[nn.Module, Optimizer]]:
        """A network and its optimizer to be used up; the random state stays as it was."""
        index = [self.device.index or 0] if self.device.type == "cuda" else []
        network = getattr(self.network, "_orig_mod", self.network)  # behind a compiled one
        with torch.random.fork_rng(devices=index):
            # Together, so that the copied optimizer holds the copied weights.
            trial, optimizer = copy.deepcopy((network, self.optimizer))
            yield trial.train(), optimizer


def images_of(run: Trainee) -> tuple[int, int]:
    """(images an update on all processes together, images at once on this one)."""
    first = parts_of(run.loader)[0]
    batch = first.batch_size
    mine = math.ceil(batch / first.ranks)
    return batch, max(last - first for first, last in equal_parts(mine, run.micro_batch or mine))


def parts_of(loader: Loader | Resolutions) -> Sequence[Loader]:
    """One loader an image size."""
    return loader.parts if isinstance(loader, Resolutions) else [loader]
