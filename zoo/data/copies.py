"""The training split once, or several times with different augmentations (an enlarged set).

Shapes: B images of a batch, H by W pixels, C channels, N samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from zoo.data.augmentation import Augmentations
from zoo.data.device import sent
from zoo.data.draws import Draws
from zoo.errors import TrainingError
from zoo.tasks import MULTICLASS, Task


@dataclass(frozen=True)
class Copy:
    """``fixed``: the copy is augmented once and for all; else drawn afresh in every epoch."""

    augmentations: Augmentations = field(default_factory=Augmentations)
    fixed: bool = False


@dataclass(frozen=True)
class Copies:
    """Index ``i`` of an epoch's order is sample ``i % N`` of copy ``i // N``."""

    members: Sequence[Copy] = (Copy(),)

    def __post_init__(self) -> None:
        several = len(self.members) > 1
        if several and any(copy.augmentations.mixing for copy in self.members):
            raise TrainingError(
                "an augmentation that mixes images cannot stand in one of several copies; remove it"
            )

    @property
    def augment_anything(self) -> bool:
        return any(copy.augmentations.steps for copy in self.members)

    @property
    def mix_anything(self) -> bool:
        return any(copy.augmentations.mixing for copy in self.members)

    @property
    def number(self) -> int:
        return len(self.members)

    def augment(
        self,
        images_BCHW: Tensor,
        masks_BHW: Tensor | None,
        indices: Tensor,
        positions: Tensor,
        samples: int,
        stream: tuple[int, int],
    ) -> tuple[Tensor, Tensor | None]:
        """``indices``: int64 (B,) on the CPU, of the enlarged set; ``positions``: int64 (B,) on the
        device, in the epoch's order; ``stream``: (seed, epoch)."""
        if len(self.members) == 1:
            return self._one(0, images_BCHW, masks_BHW, indices, positions, stream)
        copies = indices // samples
        for number, copy in enumerate(self.members):
            rows = torch.nonzero(copies == number).flatten()
            if not copy.augmentations.steps or len(rows) == 0:
                continue
            there = sent(rows, images_BCHW.device)
            images, masks = self._one(
                number,
                images_BCHW[there],
                None if masks_BHW is None else masks_BHW[there],
                indices[rows],
                positions[there],
                stream,
            )
            if images.shape[1:] != images_BCHW.shape[1:]:
                raise TrainingError(
                    f"copy {number} has images of {tuple(images.shape[2:])} after augmentation, "
                    f"others of {tuple(images_BCHW.shape[2:])}; copies must keep one size"
                )
            images_BCHW[there] = images
            if masks_BHW is not None and masks is not None:
                masks_BHW[there] = masks
        return images_BCHW, masks_BHW

    def mix(
        self,
        images_BCHW: Tensor,
        targets: Tensor,
        task: Task,
        positions: Tensor,
        stream: tuple[int, int],
    ) -> tuple[Tensor, Tensor]:
        """Mixup and the like, over the whole batch; multiclass targets become float (B, K)."""
        augmentations = self.members[0].augmentations
        if task.kind == MULTICLASS:
            targets = functional.one_hot(targets, len(task.classes)).float()
        return augmentations.mix(images_BCHW, targets, Draws(positions, *stream, "mix"))

    def _one(
        self,
        number: int,
        images_BCHW: Tensor,
        masks_BHW: Tensor | None,
        indices: Tensor,
        positions: Tensor,
        stream: tuple[int, int],
    ) -> tuple[Tensor, Tensor | None]:
        copy = self.members[number]
        if not copy.augmentations.steps:
            return images_BCHW, masks_BHW
        if copy.fixed:
            draws = Draws(sent(indices, positions.device), stream[0], "fixed", number)
        else:
            draws = Draws(positions, *stream, "augment", number)
        return copy.augmentations(images_BCHW, masks_BHW, draws)
