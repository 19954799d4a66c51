"""Small files in every layout, and the one line with which a layout refuses them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import zoo


def picture(path, value=0, size=(8, 8), mode="L"):
    """Write an even image of that gray, of ``size`` (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode in ("L", "P") else (value,) * len(mode)).save(path)
    return path


def pictures(folder, count, value=0):
    """``count`` images 0.png, 1.png, ... whose grays differ."""
    for i in range(count):
        picture(folder / f"{i}.png", value + i)


def noise(count, side=8, seed=0):
    """uint8 (N, side, side)."""
    return np.random.default_rng(seed).integers(0, 256, (count, side, side), dtype=np.uint8)


def refused(build, root, **options):
    """The message, with ROOT for the root; one line, as every message is."""
    with pytest.raises(zoo.DataError) as caught:
        build(zoo.DatasetContext(root), **options)
    text = str(caught.value)
    assert "\n" not in text and "\\n" not in text
    return text.replace(str(root), "ROOT")
