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


class Model:
    """``network`` is in eval mode, in channels_last layout, on ``device``."""

    def __init__(
        self,
        record: Record,
        preprocessing: Preprocessing,
        network: nn.Module,
        device: torch.device | str = "cpu",
    ) -> None:
        self.record = record
        self.preprocessing = preprocessing
        self.device = torch.device(device)
        self.network = network.eval().to(self.device).to(memory_format=torch.channels_last)

    @property
    def name(self) -> str:
        return self.record.model

    @property
    def version(self) -> int:
        return self.record.version

    @property
    def task(self) -> Task:
        return self.record.task

    def __repr__(self) -> str:
        return f"<zoo model {self.name}@{self.version}: {self.task.kind}>"

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
        listed, together = as_list(images), batch_size
        if together is None:
            most = images_at_once(self.device, self.task, self.preprocessing.size)
            together = min(_IMAGES, most)
        if together < 1:
            raise DataError(f"batch_size {batch_size!r}: expected 1 or more")
        starts = range(0, len(listed), together)
        batches = ((start, listed[start : start + together]) for start in starts)
        if self.task.kind == SEGMENTATION:
            pairs = [pair for start, some in batches for pair in self._masks(some, start)]
            return PredictedMasks([mask for mask, _ in pairs], [planes for _, planes in pairs])
        parts = [self._logits(some, start) for start, some in batches]
        if not parts:
            return Predicted([], np.empty((0, len(self.task.classes)), np.float32))
        logits = torch.cat(parts)
        return Predicted(self._named(logits), self.task.probabilities(logits).numpy())

    @torch.inference_mode()
    def _logits(self, images: Sequence[Any], first: int) -> Tensor:
        """float32 (B, outputs, ...) on the CPU. Images of the network's size are preprocessed
        together; others one by one, for a batch of photographs as float32 may not fit in
        memory."""
        size, form = self.preprocessing.size, self.preprocessing.form
        arrays = (form.image(one, f"image {first + i}") for i, one in enumerate(images))
        parts = []
        for fits, run in itertools.groupby(arrays, key=lambda array: array.shape[:2] == size):
            for several in [list(run)] if fits else ([one] for one in run):
                stacked = torch.from_numpy(np.stack(several))
                parts.append(self.preprocessing(stacked.to(self.device)))
        batch = torch.cat(parts).contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.network(batch)
        return logits.float().cpu()

    def _masks(self, images: Sequence[Any], first: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(mask, probabilities) of each image, in its own size."""
        for image, small in zip(
            images, self.task.probabilities(self._logits(images, first)), strict=True
        ):
            planes, seen = restored(small, self.preprocessing, upright_size(image))
            mask = self.task.decided(planes[None])[0].masked_fill_(~seen, IGNORE)
            yield mask.byte().numpy(), planes.numpy()

    def _named(self, logits: Tensor) -> list[Any]:
        names = self.task.classes
        decisions = self.task.decisions(logits).tolist()
        if self.task.kind == MULTILABEL:
            return [list(itertools.compress(names, row)) for row in decisions]
        return [names[label] for label in decisions]


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
