"""The augmentations of a recipe in their order, each with draws of its own.

Most change images and masks, each image by itself. Some mix the images of a batch, and with them
the targets: their callable has an attribute ``mixes`` that is true, and other arguments.

Shapes: images float (B, C, H, W); masks (B, H, W) of class ids; targets float (B, O): one-hot rows
for multiclass, 0 and 1 for binary and multilabel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor
from typing_extensions import TypeIs

from zoo.data.draws import Draws
from zoo.errors import PluginError, TrainingError

Augmentation = Callable[[Tensor, Tensor | None, Draws], tuple[Tensor, Tensor | None]]


class Mixing(Protocol):
    """Mixes images and, in the same shares, their targets. Images may be normalized already."""

    mixes: bool

    def __call__(
        self, images_BCHW: Tensor, targets_BO: Tensor, draws: Draws
    ) -> tuple[Tensor, Tensor]: ...


@dataclass(frozen=True)
class Augmentations:
    """``steps``: (name, callable) in the order applied. Those that mix come after all others, since
    they need the targets."""

    steps: Sequence[tuple[str, Augmentation | Mixing]] = ()

    def __call__(
        self, images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        """All but the mixing ones, on float images in [0, 1] and masks of class ids or None. Number
        and kind stay; height and width may change. An augmentation that returns something else is
        named."""
        for place, (name, step) in enumerate(self.steps):
            if is_mixing(step):
                continue
            before = images_BCHW
            images_BCHW, masks_BHW = step(images_BCHW, masks_BHW, draws.for_part(place, name))
            _require_kind(name, before, images_BCHW)
            if masks_BHW is not None and masks_BHW.shape[1:] != images_BCHW.shape[2:]:
                raise PluginError(
                    f"augmentation {name!r} made masks of {tuple(masks_BHW.shape[1:])} for images "
                    f"of {tuple(images_BCHW.shape[2:])}; expected the same height and width"
                )
        return images_BCHW, masks_BHW

    @property
    def mixing(self) -> Sequence[tuple[str, Mixing]]:
        """The steps that mix; without any, targets stay as they are."""
        return [(name, step) for name, step in self.steps if is_mixing(step)]

    def mix(self, images_BCHW: Tensor, targets_BO: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """The mixing steps. Raises :class:`TrainingError` for targets that cannot be mixed."""
        for place, (name, step) in enumerate(self.mixing):
            part = draws.for_part(place, name)
            images_BCHW, targets_BO = _mixed(name, step, images_BCHW, targets_BO, part)
        return images_BCHW, targets_BO


def is_mixing(step: object) -> TypeIs[Mixing]:
    return bool(getattr(step, "mixes", False))


def _mixed(
    name: str, step: Mixing, images_BCHW: Tensor, targets_BO: Tensor, draws: Draws
) -> tuple[Tensor, Tensor]:
    if targets_BO.ndim != 2 or not targets_BO.is_floating_point():
        raise TrainingError(
            f"augmentation {name!r} mixes targets: it needs float (B, outputs), given "
            f"{targets_BO.dtype} {tuple(targets_BO.shape)}; remove it from the recipe"
        )
    images, targets = step(images_BCHW, targets_BO, draws)
    _require_kind(name, images_BCHW, images)
    if targets.shape != targets_BO.shape:
        raise PluginError(
            f"augmentation {name!r} made targets {tuple(targets.shape)} of "
            f"{tuple(targets_BO.shape)}; expected the same shape"
        )
    return images, targets


def _require_kind(name: str, before: Tensor, after: Tensor) -> None:
    if (after.shape[:2], after.dtype) != (before.shape[:2], before.dtype):
        raise PluginError(
            f"augmentation {name!r} made {after.dtype} {tuple(after.shape[:2])} of {before.dtype} "
            f"{tuple(before.shape[:2])}; expected the same batch, channels and type"
        )
