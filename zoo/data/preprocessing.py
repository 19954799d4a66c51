"""How an image becomes a network's input: one rule for training, evaluation and use.

Shapes: B images, H by W pixels, C channels. Stored images are uint8 (B, H, W, C); a network takes
float32 (B, C, H, W), here a channels_last view of the same layout.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from zoo.data.fitting import BICUBIC, BILINEAR, FILTERS, STRETCH, Form
from zoo.errors import DataError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """``store_size`` and ``fit``: what an image is first fitted to (``zoo.data.fitting.Form``),
    None where it keeps its size. ``size``: (height, width) of the network's input, reached on the
    device by ``resize``: ``"bilinear"`` or ``"bicubic"`` (antialiased when shrinking), or, with
    ``center_crop``, by cutting out the centre. ``mean`` and ``std``: per channel, of values in
    [0, 1].
    """

    size: tuple[int, int]
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: str = BILINEAR
    store_size: tuple[int, int] | None = None
    fit: str = STRETCH
    center_crop: bool = False

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
        if self.resize not in FILTERS:
            raise DataError(f"resize rule {self.resize!r}: expected one of {', '.join(FILTERS)}")

    @property
    def form(self) -> Form:
        """How a single image, not yet stored, is fitted."""
        return Form(self.channels, self.store_size, self.fit, self.resize)

    def to_unit(self, images_BHWC: Tensor, buffer: Tensor | None = None) -> Tensor:
        """uint8 (B, H, W, C) -> float32 (B, C, H, W) in [0, 1], written into ``buffer`` (the first
        B rows of a float32 (>= B, H, W, C)) where one is given: fresh memory costs page faults."""
        # Dividing gives exactly 1.0 for 255; multiplying by the reciprocal does not.
        return _converted(images_BHWC, buffer).div_(255.0).permute(0, 3, 1, 2)

    def finish(self, images_BCHW: Tensor) -> Tensor:
        """float32 in [0, 1] -> sized and normalized. May overwrite its input."""
        return self._normalized(self._sized(images_BCHW, 1.0), 1.0)

    def __call__(self, images_BHWC: Tensor, buffer: Tensor | None = None) -> Tensor:
        """uint8 (B, H, W, C) -> the network's input: :meth:`to_unit` and :meth:`finish` in fewer
        passes over memory; it differs from them in the last bit."""
        images = _converted(images_BHWC, buffer).permute(0, 3, 1, 2)
        return self._normalized(self._sized(images, 255.0), 1.0 / 255.0)

    def _sized(self, images_BCHW: Tensor, white: float) -> Tensor:
        if tuple(images_BCHW.shape[-2:]) == self.size:
            return images_BCHW
        if self.center_crop:
            return self._cropped(images_BCHW)
        sized = functional.interpolate(
            images_BCHW, self.size, mode=self.resize, align_corners=False, antialias=True
        )
        # Cubic weights may be negative, so that values go beyond black and white beside an edge.
        return sized.clamp_(0.0, white) if self.resize == BICUBIC else sized

    def _normalized(self, images_BCHW: Tensor, unit: float) -> Tensor:
        """(x * unit - mean) / std, as one multiplication and addition in place."""
        if not images_BCHW.is_contiguous(memory_format=torch.channels_last):
            images_BCHW = images_BCHW.contiguous(memory_format=torch.channels_last)
        scale, shift = _row(self.mean, self.std, unit, images_BCHW.shape[3], images_BCHW.device)
        # Rows of W * C values: a loop over the channels of each pixel alone would be all overhead.
        rows = images_BCHW.permute(0, 2, 3, 1).view(-1, len(scale))
        torch.addcmul(shift, rows, scale, out=rows)
        return images_BCHW

    def finish_masks(self, masks_BHW: Tensor) -> Tensor:
        """Class ids -> int64 (B, H, W) of the network's size, by nearest neighbour."""
        if tuple(masks_BHW.shape[-2:]) != self.size:
            if self.center_crop:
                masks_BHW = self._cropped(masks_BHW)
            else:
                # nearest-exact takes the pixel under the centre, as the image's resize does.
                masks_BHW = functional.interpolate(
                    masks_BHW.unsqueeze(1).float(), self.size, mode="nearest-exact"
                ).squeeze(1)
        return masks_BHW.long()

    def _cropped(self, images: Tensor) -> Tensor:
        """The centre; where the image is smaller, zeros around it."""
        (height, width), (tall, wide) = images.shape[-2:], self.size
        top, left = (height - tall) // 2, (width - wide) // 2
        # A negative pad cuts away.
        return functional.pad(images, (-left, wide - width + left, -top, tall - height + top))

    def as_json(self) -> dict[str, Any]:
        return {
            "size": list(self.size),
            "channels": self.channels,
            "mean": list(self.mean),
            "std": list(self.std),
            "resize": self.resize,
            **self.form.as_json(),
            "center_crop": self.center_crop,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Preprocessing:
        """What :meth:`as_json` wrote. Raises :class:`DataError` on anything else."""
        size, mean, std = (data.get(name) for name in ("size", "mean", "std"))
        if not (_are(size, int) and _are(mean, float) and _are(std, float)):
            raise DataError(f"preprocessing {dict(data)!r}: expected lists of numbers")
        assert size is not None and mean is not None and std is not None
        channels, crop = data.get("channels"), data.get("center_crop", False)
        if type(channels) is not int or type(crop) is not bool:
            raise DataError(
                f"preprocessing {dict(data)!r}: channels or center_crop of a wrong type"
            )
        form = Form.from_json(data, channels)
        resize = str(data.get("resize"))
        return cls(
            tuple(size), channels, tuple(mean), tuple(std), resize, form.size, form.rule, crop
        )


def _converted(images_BHWC: Tensor, buffer: Tensor | None) -> Tensor:
    """uint8 -> float32, of the same values."""
    if buffer is None:
        return images_BHWC.float()
    return buffer[: len(images_BHWC)].copy_(images_BHWC)


@functools.lru_cache(maxsize=64)
def _row(
    mean: tuple[float, ...], std: tuple[float, ...], unit: float, width: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Scale and shift, float32 (W * C,), sent to the device once: each sending waits for it."""
    scale = torch.tensor([unit / one for one in std] * width, dtype=torch.float32)
    shift = torch.tensor([-m / s for m, s in zip(mean, std, strict=True)] * width)
    return scale.to(device), shift.float().to(device)


def _are(values: object, of: type) -> bool:
    return isinstance(values, list) and all(type(value) is of for value in values)
