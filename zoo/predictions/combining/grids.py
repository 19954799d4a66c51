"""Masks of networks of different sizes on one grid, the first member's.

Shapes: B images, P planes of H by W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.data.fitting import STRETCH
from zoo.data.preprocessing import Preprocessing
from zoo.errors import PredictionsError, clipped


def check_frames(names: Sequence[str], seen: Sequence[Preprocessing]) -> None:
    """Raise :class:`PredictionsError`, naming two members, unless all networks are shown the same
    part of an image, so that a plain resize brings their masks together."""
    for name, one in zip(names[1:], seen[1:], strict=True):
        if not _same_frame(seen[0], one):
            raise PredictionsError(
                f"members {clipped(names[0])!r} and {clipped(name)!r} see different parts of an "
                f"image: {_frame(seen[0])} and {_frame(one)}; their masks cannot be combined"
            )


def resized(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Probabilities (B, P, h, w) -> float32 (B, P, H, W), bilinear, antialiased when shrunk."""
    if planes.shape[2:] == size:
        return planes
    import torch
    from torch.nn import functional

    given = torch.from_numpy(np.ascontiguousarray(planes, np.float32))
    enlarged = functional.interpolate(
        given, size, mode="bilinear", align_corners=False, antialias=True
    )
    found: np.ndarray = enlarged.clamp_(0.0, 1.0).numpy()
    return found


def _same_frame(one: Preprocessing, other: Preprocessing) -> bool:
    if (one.size, one.store_size, one.fit, one.center_crop) == (
        other.size, other.store_size, other.fit, other.center_crop,
    ):  # fmt: skip
        return True
    if one.center_crop or other.center_crop:
        return False
    return _shape(one) == _shape(other)


def _shape(one: Preprocessing) -> tuple[str, float]:
    """What of an image is kept: all of it, or by which rule and aspect ratio."""
    if one.store_size is None or one.fit == STRETCH:
        return STRETCH, 0.0
    return one.fit, one.store_size[0] / one.store_size[1]


def _frame(one: Preprocessing) -> str:
    stored = "" if one.store_size is None else f" to {one.store_size[0]}x{one.store_size[1]}"
    crop = ", then its centre" if one.center_crop else ""
    return f"{one.fit}{stored}{crop}"
