"""How an image becomes a network's input: one rule for training, evaluation and use.

Shapes: B images, H by W pixels, C channels. Stored images are uint8 (B, H, W, C); a network takes
float32 (B, C, H, W), here a channels_last view of the same layout.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from zoo.errors import DataError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """``size``: (height, width) of the network's input; ``channels``: 1 or 3; ``mean`` and ``std``:
    per channel, of values in [0, 1]; ``resize``: ``"bilinear"``, antialiased when shrinking.
    """

    size: tuple[int, int]
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: str = "bilinear"

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise DataError(f"channels {self.channels!r}: expected 1 or 3")
        if len(self.size) != 2 or not all(0 < side <= 16384 for side in self.size):
            raise DataError(f"image size {self.size!r}: expected height and width in 1 to 16384")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != self.channels or not all(map(math.isfinite, values)):
                raise DataError(
                    f"normalization {name} {values!r}: expected {self.channels} finite numbers"
                )
        if min(self.std) <= 0.0:
            raise DataError(f"normalization std {self.std!r}: expected positive numbers")
        if self.resize != "bilinear":
            raise DataError(f"resize rule {self.resize!r}: expected 'bilinear'")

    def to_unit(self, images_BHWC: Tensor, buffer: Tensor | None = None) -> Tensor:
        """uint8 (B, H, W, C) -> float32 (B, C, H, W) in [0, 1], written into ``buffer`` (the first
        B rows of a float32 (>= B, H, W, C)) where one is given: fresh memory costs page faults."""
        if buffer is None:
            units = images_BHWC.float()
        else:
            units = buffer[: len(images_BHWC)]
            units.copy_(images_BHWC)
        # Dividing gives exactly 1.0 for 255; multiplying by the reciprocal does not.
        return units.div_(255.0).permute(0, 3, 1, 2)

    def finish(self, images_BCHW: Tensor) -> Tensor:
        """float32 in [0, 1] -> resized to ``size`` and normalized. May overwrite its input."""
        if tuple(images_BCHW.shape[-2:]) != self.size:
            images_BCHW = functional.interpolate(
                images_BCHW, self.size, mode="bilinear", align_corners=False, antialias=True
            )
        if any(self.mean) or any(value != 1.0 for value in self.std):
            mean, std = (
                torch.tensor(values, dtype=torch.float32, device=images_BCHW.device)
                for values in (self.mean, self.std)
            )
            images_BCHW = images_BCHW.sub_(mean.view(1, -1, 1, 1)).div_(std.view(1, -1, 1, 1))
        return images_BCHW

    def __call__(self, images_BHWC: Tensor) -> Tensor:
        """uint8 (B, H, W, C) -> the network's input."""
        return self.finish(self.to_unit(images_BHWC))

    def as_json(self) -> dict[str, Any]:
        return {
            "size": list(self.size),
            "channels": self.channels,
            "mean": list(self.mean),
            "std": list(self.std),
            "resize": self.resize,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Preprocessing:
        """What :meth:`as_json` wrote. Raises :class:`DataError` on anything else."""
        size, mean, std = (data.get(name) for name in ("size", "mean", "std"))
        if not (_are(size, int) and _are(mean, float) and _are(std, float)):
            raise DataError(f"preprocessing {dict(data)!r}: expected lists of numbers")
        assert size is not None and mean is not None and std is not None
        channels = data.get("channels")
        if not isinstance(channels, int):
            raise DataError(f"preprocessing channels {channels!r}: expected 1 or 3")
        return cls(tuple(size), channels, tuple(mean), tuple(std), str(data.get("resize")))


def _are(values: object, of: type) -> bool:
    return isinstance(values, list) and all(type(value) is of for value in values)
