"""What the augmentations share: options people read, and changing only the images that drew it.

Shapes: images float (B, C, H, W) in [0, 1], in either memory format; masks (B, H, W) of class ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor

from zoo import Draws, ZooError

Probability = Annotated[float, Ge(0), Le(1)]
Gray = Annotated[float, Ge(0), Le(1)]
ClassId = Annotated[int, Ge(0), Le(255)]
AT_ONCE = 1 << 20  # bytes of images
Augmentation = Callable[[Tensor, Tensor | None, Draws], tuple[Tensor, Tensor | None]]


def change_chosen(
    chosen_B: Tensor,
    change: Callable[..., tuple[Tensor, Tensor | None]],
    images_BCHW: Tensor,
    masks_BHW: Tensor | None,
    *values_B: Tensor,
) -> tuple[Tensor, Tensor | None]:
    """``change(images, masks, *values)`` where ``chosen_B`` (bool) is true, elsewhere the given,
    bit for bit. ``change`` must treat each image by itself and keep height and width.

    On a CPU it gets the chosen images only, at most a megabyte at once: what it makes on the way
    then stays in the cache (colour at 224x224 takes half the time, one core). Elsewhere it gets
    all, since to count the chosen ones would be to wait for the device.
    """
    chosen_B = chosen_B.to(images_BCHW.device)
    values_B = tuple(values.to(images_BCHW.device) for values in values_B)
    if counts_freely(images_BCHW):
        return _change_some(chosen_B, change, images_BCHW, masks_BHW, values_B)
    images, masks = change(images_BCHW, masks_BHW, *values_B)
    images = torch.where(chosen_B[:, None, None, None], images, images_BCHW)
    if masks is not None and masks_BHW is not None:
        masks = torch.where(chosen_B[:, None, None], masks, masks_BHW)
    return in_format_of(images_BCHW, images), masks


def _change_some(
    chosen_B: Tensor,
    change: Callable[..., tuple[Tensor, Tensor | None]],
    images_BCHW: Tensor,
    masks_BHW: Tensor | None,
    values_B: tuple[Tensor, ...],
) -> tuple[Tensor, Tensor | None]:
    index_M = chosen_B.nonzero().squeeze(1)
    if len(index_M) == 0:
        return images_BCHW, masks_BHW
    at_once = max(1, AT_ONCE // (images_BCHW[0].numel() * images_BCHW.element_size()))
    if len(images_BCHW) == len(index_M) <= at_once:
        images, masks = change(images_BCHW, masks_BHW, *values_B)
        return in_format_of(images_BCHW, images), masks
    every = len(images_BCHW) == len(index_M)
    out = torch.empty_like(images_BCHW) if every else images_BCHW.clone()
    out_masks = None if masks_BHW is None else masks_BHW.clone()
    for first in range(0, len(index_M), at_once):
        part = index_M[first : first + at_once]
        given = images_BCHW[first : first + at_once] if every else take(images_BCHW, part)
        some_masks = None if masks_BHW is None else masks_BHW[part]
        images, some_masks = change(given, some_masks, *(each[part] for each in values_B))
        put_(out, part, images)
        if out_masks is not None and some_masks is not None:
            out_masks[part] = some_masks
    return out, out_masks


def counts_freely(images_BCHW: Tensor) -> bool:
    return images_BCHW.device.type == "cpu"


def take(images_BCHW: Tensor, index_M: Tensor) -> Tensor:
    """Some of the images, in the memory format of all: ``index_select`` alone loses it."""
    if is_channels_last(images_BCHW):
        return images_BCHW.permute(0, 2, 3, 1).index_select(0, index_M).permute(0, 3, 1, 2)
    return images_BCHW.index_select(0, index_M)


def put_(images_BCHW: Tensor, index_M: Tensor, some: Tensor) -> None:
    """Write these M images into the places of ``index_M``."""
    some = in_format_of(images_BCHW, some)  # index_copy_ between two formats takes twice as long
    if is_channels_last(images_BCHW):
        images_BCHW.permute(0, 2, 3, 1).index_copy_(0, index_M, some.permute(0, 2, 3, 1))
    else:
        images_BCHW.index_copy_(0, index_M, some)


def is_channels_last(images_BCHW: Tensor) -> bool:
    return images_BCHW.is_contiguous(memory_format=torch.channels_last)


def in_format_of(images_BCHW: Tensor, made: Tensor) -> Tensor:
    """``made`` in the memory format of the images; a copy only where it is not."""
    if is_channels_last(images_BCHW):
        return made.contiguous(memory_format=torch.channels_last)
    return made.contiguous()


def low_high(option: str, given: list[float], least: float, most: float) -> tuple[float, float]:
    """A range that an option gives. ``option`` is named as ``augmentation: option`` in the error.
    Raises :class:`zoo.ZooError` when it is none, or leaves ``least`` to ``most``."""
    if len(given) != 2 or not least <= given[0] <= given[1] <= most:
        limits = f"from {least:g}" + (f" to {most:g}" if most < float("inf") else "")
        raise ZooError(f"{option} {given!r}: expected [lowest, highest], both {limits}")
    return given[0], given[1]
