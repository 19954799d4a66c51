"""What was decided of each image in its own size, and the mask that it has there.

Shapes: P images of a batch; K classes; H by W pixels of the network, h by w of an image.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.data.datasets import Split, has_masks
from zoo.data.decoding import IGNORE, aligned_mask, mask_ids, upright_size
from zoo.data.preprocessing import Preprocessing
from zoo.data.restoring import restored
from zoo.predictions.own_masks import MaskPair
from zoo.tasks import Task


class OwnSize:
    """``ids``: the samples of ``split`` that are answered for, in their order; some may have been
    left out of it. ``where`` stands in messages."""

    def __init__(
        self, split: Split, ids: Sequence[str], preprocessing: Preprocessing, task: Task, where: str
    ) -> None:
        places = {one: index for index, one in enumerate(split.ids)}
        self._places = [places[one] for one in ids]
        self._split, self._preprocessing, self._task, self._where = (
            split,
            preprocessing,
            task,
            where,
        )
        self._labelled = has_masks(split)

    def of(self, logits: Tensor, first: int) -> list[MaskPair]:
        """Of logits (P, O, H, W), the answers for ``ids`` from the index ``first`` on; as a loaded
        version decides. Raises :class:`DataError` naming a mask that is wrong."""
        together = self._task.probabilities(logits.cpu())
        return [self._pair(planes, first + at) for at, planes in enumerate(together)]

    def _pair(self, planes_KHW: Tensor, number: int) -> MaskPair:
        index = self._places[number]
        image = self._split.image(index)
        size = upright_size(image)
        mine, seen = restored(planes_KHW, self._preprocessing, size)
        decided = self._task.decided(mine[None])[0].masked_fill_(~seen, IGNORE)
        targets = None
        if self._labelled:
            mask = aligned_mask(self._split.mask(index), image)
            name = f"{self._where}: image {self._split.ids[index]!r}"
            targets = mask_ids(mask, self._task, size, name)
        return MaskPair(decided.to(torch.uint8).numpy(), targets)
