"""Masks as files: gray PNGs of class ids, without a palette, and the same laid over the image.

Shapes: H by W pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.data.contact_sheet import overlaid
from zoo.data.decoding import pixels
from zoo.storage.failures import reported

SUFFIX, OVERLAY_SUFFIX = ".png", ".overlay.png"


def write_mask(folder: Path, name: str, mask: np.ndarray) -> None:
    """``mask``: uint8 (H, W)."""
    _write(folder / f"{name}{SUFFIX}", mask)


def write_overlay(folder: Path, name: str, image: Any, mask: np.ndarray) -> None:
    """``image``: as it was given to the network, of the mask's size when upright."""
    _write(folder / f"{name}{OVERLAY_SUFFIX}", overlaid(pixels(image, 3, name), mask))


def _write(path: Path, array: np.ndarray) -> None:
    with reported("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(path, "PNG")
