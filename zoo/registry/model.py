"""A version, loaded: pictures in, classes or masks, and probabilities out.

Shapes: N images, H by W pixels, C channels (1 or 3), K classes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from zoo.data.decoding import IGNORE, upright_size
from zoo.data.device import images_at_once
from zoo.data.preprocessing import Preprocessing
from zoo.data.restoring import restored
from zoo.errors import DataError
from zoo.registry.record import Record
from zoo.tasks import MULTILABEL, SEGMENTATION, Task

_IMAGES = 64  # preprocessed and answered together
_CHANNELS = 4  # an array's last axis up to this is taken for channels, not for width


@dataclass(frozen=True)
class Predicted:
    """``classes``: a name an image, or a list of names for a multilabel task. ``probabilities``:
    float32 (N, K), columns in the order of the task's classes."""

    classes: list[Any]
    probabilities: np.ndarray

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True)
class PredictedMasks:
    """An entry an image, of the image's own size, upright. ``masks``: uint8 (H, W), class ids in
    the order of the task's classes, 255 where preprocessing cut something off, so that nothing is
    known of it; ``probabilities``: float32 (K, H, W), 0 there, brought to that size by bilinear
    interpolation, and then decided by."""

    masks: list[np.ndarray]
    probabilities: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.masks)


@dataclass(frozen=True)
class Prepared:
    """An image as the network will see it, so that an original of any size can be let go.

    ``pixels``: uint8 (1, H, W, C) where it has the network's size already, else float32
    (1, C, H, W), preprocessed. ``size``: (height, width) of the original, upright.
    """

    pixels: Tensor
    size: tuple[int, int]


class Predictor:
    """A network and how it is used. ``network`` is in eval mode, in channels_last layout, on
    ``device``."""

    def __init__(
        self,
        task: Task,
        preprocessing: Preprocessing,
        network: nn.Module,
        device: torch.device | str = "cpu",
    ) -> None:
        self.task = task
        self.preprocessing = preprocessing
        self.device = torch.device(device)
        self.network = network.eval().to(self.device).to(memory_format=torch.channels_last)

    @property
    def together(self) -> int:
        """How many images suit the network at once, 64 at most."""
        return min(_IMAGES, images_at_once(self.device, self.task, self.preprocessing.size))

    def predict(self, images: Any, batch_size: int | None = None) -> Predicted | PredictedMasks:
        """``images``: one image or a sequence of them, each a PIL image, a path, or a uint8 array
        or tensor (H, W) or (H, W, C); or one such array (N, H, W) or (N, H, W, C). An array of
        three axes is one image when its last axis is at most 4, else a batch of gray ones; give
        ``[None]`` or a list to say so yourself. Channels come last: a tensor in which three
        channels come first is refused. Sizes may differ. Raises :class:`DataError` naming the
        image.

        A model for segmentation gives :class:`PredictedMasks`, which hold 4 * K bytes for every
        pixel of all images: large ones are better given a few at a time. ``batch_size``: how many
        go through the network at once, by default as many as suit it, 64 at most."""
        listed = as_list(images)
        together = self.together if batch_size is None else batch_size
        if together < 1:
            raise DataError(f"batch_size {batch_size!r}: expected 1 or more")
        batches = (
            [self.prepared(one, f"image {start + i}") for i, one in enumerate(some)]
            for start in range(0, len(listed), together)
            if (some := listed[start : start + together])
        )
        if self.task.kind == SEGMENTATION:
            pairs = [pair for batch in batches for pair in self.masks(batch)]
            return PredictedMasks([mask for mask, _ in pairs], [planes for _, planes in pairs])
        parts = [self.logits(batch) for batch in batches]
        return self._classes(torch.cat(parts) if parts else torch.empty(0, self.task.outputs))

    @torch.no_grad()
    def prepared(self, image: Any, where: str) -> Prepared:
        """One image, by :meth:`predict`'s rules; several threads may do this at once. Raises
        :class:`DataError` naming ``where``, or the path."""
        array = self.preprocessing.form.image(image, where)
        # Views may lie backwards, and Pillow's arrays are read-only: torch takes neither.
        pixels = torch.from_numpy(np.require(array, requirements=["C", "W"]))[None]
        if array.shape[:2] != self.preprocessing.size:
            # At once: a batch of photographs may not fit in memory.
            pixels = self.preprocessing(pixels.to(self.device))
        return Prepared(pixels, upright_size(image))

    def classes(self, images: Sequence[Prepared]) -> Predicted:
        """What :meth:`predict` says of ``images``, one at least, which go through the network
        together."""
        return self._classes(self.logits(images))

    def masks(self, images: Sequence[Prepared]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """As :meth:`classes`, for segmentation: (mask, probabilities) of each image, in its own
        size, made when it is asked for."""
        answers = self.task.probabilities(self.logits(images))
        for image, small in zip(images, answers, strict=True):
            planes, seen = restored(small, self.preprocessing, image.size)
            mask = self.task.decided(planes[None])[0].masked_fill_(~seen, IGNORE)
            yield mask.byte().numpy(), planes.numpy()

    @torch.no_grad()
    def batch(self, images: Sequence[Prepared]) -> Tensor:
        """float32 (B, C, H, W), the network's input, on the device."""
        parts = []
        for raw, run in itertools.groupby(images, key=lambda one: one.pixels.dtype == torch.uint8):
            pixels = torch.cat([one.pixels for one in run]).to(self.device)
            parts.append(self.preprocessing(pixels) if raw else pixels)
        return torch.cat(parts).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def logits(self, images: Sequence[Prepared]) -> Tensor:
        """float32 (B, outputs, ...) on the CPU."""
        logits: Tensor = self.network(self.batch(images))
        return logits.float().cpu()

    def _classes(self, logits: Tensor) -> Predicted:
        names = self.task.classes
        decisions = self.task.decisions(logits).tolist()
        probabilities = self.task.probabilities(logits).numpy()
        if self.task.kind == MULTILABEL:
            chosen = [list(itertools.compress(names, row)) for row in decisions]
            return Predicted(chosen, probabilities)
        return Predicted([names[label] for label in decisions], probabilities)


class Model(Predictor):
    """A version. ``record``: what was published of it."""

    def __init__(
        self,
        record: Record,
        preprocessing: Preprocessing,
        network: nn.Module,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(record.task, preprocessing, network, device)
        self.record = record

    @property
    def name(self) -> str:
        return self.record.model

    @property
    def version(self) -> int:
        return self.record.version

    def __repr__(self) -> str:
        return f"<zoo model {self.name}@{self.version}: {self.task.kind}>"


def as_list(images: Any) -> list[Any]:
    """``images`` as a list of single ones; the rule is :meth:`Model.predict`'s."""
    if isinstance(images, str | Path | Image.Image):
        return [images]
    if isinstance(images, Tensor):
        if images.ndim in (3, 4) and images.shape[-3] == 3 and images.shape[-1] > _CHANNELS:
            raise DataError(
                f"images: tensor of shape {tuple(images.shape)}: its channels seem to come first; "
                f"give them last, with tensor.movedim(-3, -1), or gray images as a list"
            )
        images = images.numpy(force=True)
    if isinstance(images, np.ndarray):
        one = images.ndim == 2 or (images.ndim == 3 and images.shape[-1] <= _CHANNELS)
        return [images] if one else list(images)
    if isinstance(images, Sequence | Iterator):
        return list(images)
    raise DataError(
        f"images {type(images).__name__}: expected an image, a path, a uint8 array, or a list"
    )
