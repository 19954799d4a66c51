"""From an image of any size to the size it is stored in: one rule for training and for use.

Shapes: H by W pixels, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.data.decoding import open_image, pixels
from zoo.errors import DataError

STRETCH, CROP, PAD = "stretch", "crop", "pad"
RULES = (STRETCH, CROP, PAD)
BILINEAR, BICUBIC = "bilinear", "bicubic"
_FILTERS = {BILINEAR: Image.Resampling.BILINEAR, BICUBIC: Image.Resampling.BICUBIC}
FILTERS = tuple(_FILTERS)


@dataclass(frozen=True)
class Form:
    """``size``: (height, width) of what is stored, None for the image's own; ``rule``: what becomes
    of another aspect ratio: ``stretch``; ``crop`` (shrink until the shorter side fits, keep the
    centre); ``pad`` (shrink until the longer side fits, black around). ``channels``: 1 or 3;
    ``resize``: by which filter, ``bilinear`` or ``bicubic``."""

    channels: int
    size: tuple[int, int] | None = None
    rule: str = STRETCH
    resize: str = BILINEAR

    def __post_init__(self) -> None:
        if self.resize not in FILTERS:
            raise DataError(f"resize {self.resize!r}: expected one of {', '.join(FILTERS)}")
        if self.rule not in RULES:
            raise DataError(f"fit {self.rule!r}: expected one of {', '.join(RULES)}")

    def image(self, image: object, where: str, *, enlarge: bool = False) -> np.ndarray:
        """A PIL image, a path or a uint8 array as uint8 (H, W, C).

        A stretched image that is smaller stays so, unless ``enlarge``: reaching the network's size
        is the device's work.

        A JPEG that is at least twice too large is decoded at half, a quarter or an eighth of its
        size, which its format offers; so shrinking a file and shrinking what another reader made of
        it differ by a few levels.
        """
        if isinstance(image, str | Path):
            image = open_image(Path(image), shrink_to=self.size)
        array = pixels(image, self.channels, where)
        if self.size is None or array.shape[:2] == self.size:
            return array
        smaller = array.shape[0] <= self.size[0] and array.shape[1] <= self.size[1]
        if smaller and self.rule == STRETCH and not enlarge:
            return array
        return self._fitted(array, _FILTERS[self.resize])

    def mask(self, ids: np.ndarray) -> np.ndarray:
        """Class ids, uint8 (H, W), fitted as their image is: each pixel gets the class that has the
        largest share in what the image's pixel is made of. The nearest neighbour would lie half a
        source pixel off when a side is halved. What is padded is class 0."""
        if self.size is None or ids.shape == self.size:
            return ids
        known = np.unique(ids)[::-1]  # a tie goes to the higher id: not to the background
        shares = [
            self._fitted((ids == one)[:, :, None] * np.uint8(255), Image.Resampling.BILINEAR)
            for one in known
        ]
        largest = known[np.argmax(np.concatenate(shares, axis=2), axis=2)]
        return np.where(np.any(shares, axis=(0, 3)), largest, 0).astype(np.uint8)

    def placed(self, size: tuple[int, int]) -> tuple[tuple[int, int], list[tuple[float, float]]]:
        """Where :meth:`image` puts an image of ``size``: (height, width) of what it gives, and for
        either axis (scale, shift), by which a coordinate in the image becomes one in that; edges of
        pixels are whole numbers."""
        if self.size is None or size == self.size:
            return size, [(1.0, 0.0)] * 2
        if self.rule == STRETCH:
            smaller = size[0] <= self.size[0] and size[1] <= self.size[1]
            stored = size if smaller else self.size
            return stored, [(a / b, 0.0) for a, b in zip(stored, size, strict=True)]
        inner, start = self._inner(size)
        scales = (a / b for a, b in zip(inner, size, strict=True))
        return self.size, [(scale, -float(at)) for scale, at in zip(scales, start, strict=True)]

    def as_json(self) -> dict[str, Any]:
        size = None if self.size is None else list(self.size)
        return {"store_size": size, "fit": self.rule}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], channels: int) -> Form:
        """What :meth:`as_json` wrote. Raises :class:`DataError` on anything else."""
        size = data.get("store_size")
        if size is not None and not (
            isinstance(size, list)
            and len(size) == 2
            and all(type(side) is int and 0 < side <= 16384 for side in size)
        ):
            raise DataError(f"store_size {size!r}: expected [height, width] in 1 to 16384")
        return cls(
            channels,
            None if size is None else (size[0], size[1]),
            str(data.get("fit", STRETCH)),
            str(data.get("resize", BILINEAR)),
        )

    def _fitted(self, array: np.ndarray, filter_: Image.Resampling) -> np.ndarray:
        assert self.size is not None
        height, width = self.size
        if self.rule == STRETCH:
            return _resized(array, (height, width), filter_)
        inner, (top, left) = self._inner((array.shape[0], array.shape[1]))
        shrunk = _resized(array, inner, filter_)
        if self.rule == CROP:
            return np.ascontiguousarray(shrunk[top : top + height, left : left + width])
        padded = np.zeros((height, width, array.shape[2]), np.uint8)
        padded[-top : -top + inner[0], -left : -left + inner[1]] = shrunk
        return padded

    def _inner(self, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
        """(what an image of ``size`` is resized to, where in it that which is stored begins)."""
        assert self.size is not None
        across = (self.size[0] / size[0], self.size[1] / size[1])
        scale = max(across) if self.rule == CROP else min(across)
        inner = _at_least_one(size[0] * scale), _at_least_one(size[1] * scale)
        return inner, ((inner[0] - self.size[0]) // 2, (inner[1] - self.size[1]) // 2)


def _at_least_one(side: float) -> int:
    return max(1, round(side))


def _resized(array: np.ndarray, size: tuple[int, int], filter_: Image.Resampling) -> np.ndarray:
    """Pillow's filters take in all pixels when they shrink (antialiased)."""
    gray = array.shape[2] == 1
    image = Image.fromarray(array[:, :, 0] if gray else array)
    resized = np.asarray(image.resize((size[1], size[0]), filter_))
    return resized[:, :, None] if gray else resized
