"""The augmentations of a recipe in their order, each with draws of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from zoo.data.draws import Draws
from zoo.errors import PluginError

Augmentation = Callable[[Tensor, Tensor | None, Draws], tuple[Tensor, Tensor | None]]


@dataclass(frozen=True)
class Augmentations:
    """``steps``: (name, callable) in the order applied."""

    steps: Sequence[tuple[str, Augmentation]] = ()

    def __call__(
        self, images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        """Float images in [0, 1], masks of class ids or None. Number and kind stay; an augmentation
        that returns something else is named."""
        for place, (name, augment) in enumerate(self.steps):
            before = images_BCHW.shape[:2], images_BCHW.dtype
            images_BCHW, masks_BHW = augment(images_BCHW, masks_BHW, draws.for_part(place, name))
            after = images_BCHW.shape[:2], images_BCHW.dtype
            if after != before:
                raise PluginError(
                    f"augmentation {name!r} made {after[1]} {tuple(after[0])} of {before[1]} "
                    f"{tuple(before[0])}; expected the same batch, channels and type"
                )
        return images_BCHW, masks_BHW
