"""What the contract asks of datasets, samplers and augmentations.

Nothing of ``zoo.data`` is used: it builds upon plugins, not the other way round. So datasets are
judged by what they answer, and augmentations get draws of the interface of ``zoo.Draws``.

Shapes: N samples, B images, C channels, H by W pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from zoo import tasks
from zoo.errors import PluginError, ZooError
from zoo.plugins.catalog import Component
from zoo.plugins.check_tasks import example_task
from zoo.plugins.contexts import DatasetContext, SamplerContext

_SAMPLES = 120
_IMAGES = 32
_SIZE = (12, 16)


def rootless_dataset(component: Component) -> Iterator[str]:
    """A dataset that needs a folder says so when it gets none."""
    try:
        component.build(DatasetContext(None))
    except PluginError as error:
        yield f"without a root it must raise a zoo.DataError that says what to give; {error}"
    except ZooError:
        return
    else:
        yield "needs_root is True, but it builds without one"


def dataset(component: Component, root: Path | None) -> Iterator[str]:
    made = component.build(DatasetContext(root))
    if not isinstance(made.task, tasks.Task):
        yield f"task {made.task!r}: expected a zoo.Task"
        return
    if made.task.kind not in component.spec.tasks:
        yield f"its task is {made.task.kind}; its spec says {sorted(component.spec.tasks)}"
    if not made.provenance.licence:
        yield "no licence in its provenance"
    if not isinstance(made.splits, Mapping) or not {"train", "all"} & set(made.splits):
        yield "no split called 'train', nor one called 'all'"
        return
    for name, split in made.splits.items():
        for problem in _split_problems(made.task, split):
            yield f"split {name!r}: {problem}"


def _split_problems(task: tasks.Task, split: Any) -> Iterator[str]:
    length = len(split)
    if length == 0:
        yield "it is empty"
        return
    if len(split.ids) != length or len(set(split.ids)) != length:
        yield f"{len(set(split.ids))} different ids for {length} images"
    if split.groups is not None and len(split.groups) != length:
        yield f"{len(split.groups)} groups for {length} images"
    if split.labels is not None:
        yield from _label_problems(task, np.asarray(split.labels), length)
    for index in {0, length - 1}:
        yield from _image_problems(f"image {index}", split.image(index))
        if task.kind == tasks.SEGMENTATION:
            yield from _image_problems(f"mask {index}", split.mask(index))


def _label_problems(task: tasks.Task, labels: np.ndarray, length: int) -> Iterator[str]:
    classes = len(task.classes)
    shape = (length, classes) if task.kind == tasks.MULTILABEL else (length,)
    highest = 1 if task.kind == tasks.MULTILABEL else classes - 1
    if task.kind == tasks.SEGMENTATION:
        yield "a segmentation split has masks; its labels are None"
    elif labels.shape != shape or labels.dtype.kind not in "iu":
        yield f"labels of shape {labels.shape} and type {labels.dtype}; expected integers {shape}"
    elif labels.min() < 0 or labels.max() > highest:
        yield f"labels from {labels.min()} to {labels.max()}; expected 0 to {highest}"


def _image_problems(where: str, image: Any) -> Iterator[str]:
    array = np.asarray(image)
    is_pil = hasattr(image, "mode")
    if array.ndim not in (2, 3) or 0 in array.shape:
        yield f"{where} has shape {array.shape}; expected (H, W) or (H, W, C)"
    if not is_pil and array.dtype != np.uint8:
        yield f"{where} has type {array.dtype}; expected uint8, or a PIL image"


def sampler(component: Component) -> Iterator[str]:
    for kind in sorted(component.spec.tasks):
        labels = _labels(kind)
        context = SamplerContext(example_task(kind), labels, len(labels))
        draw = component.build(context)
        first = draw(_seeded(1))
        if not isinstance(first, Tensor) or first.dtype != torch.int64 or first.ndim != 1:
            yield f"for a {kind} task it gives {_described(first)}; expected a tensor int64 (M,)"
            return
        if len(first) == 0 or first.min() < 0 or first.max() >= len(labels):
            yield f"for a {kind} task its indices leave 0 to {len(labels) - 1}, or there are none"
        draw(_seeded(2))
        if not torch.equal(draw(_seeded(1)), first):
            yield (
                f"for a {kind} task the same generator gives another order; draw from the "
                f"generator alone, and keep no state"
            )


def _labels(kind: str) -> np.ndarray[Any, Any]:
    """Unbalanced on purpose; all classes present."""
    index = np.arange(_SAMPLES)
    classes = len(example_task(kind).classes)
    if kind == tasks.MULTILABEL:
        carried = np.equal(index[:, None] % np.arange(2, classes + 2), 0)
        return np.asarray(carried, np.uint8)
    if kind == tasks.SEGMENTATION:
        return np.zeros(_SAMPLES, np.int64)
    return np.asarray(np.minimum(index // (_SAMPLES // 6), classes - 1), np.int64)


def _seeded(seed: int) -> Generator:
    return Generator().manual_seed(seed)


def _described(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {value.dtype} {tuple(value.shape)}"
    return type(value).__name__


class PositionDraws:
    """Draws of the interface of ``zoo.Draws``: each number depends on the call and the position."""

    def __init__(self, positions: Tensor, *parts: int | str) -> None:
        self.positions = positions
        self._parts = parts
        self._calls = 0

    def __len__(self) -> int:
        return len(self.positions)

    def uniform(self, low: float = 0.0, high: float = 1.0, shape: tuple[int, ...] = ()) -> Tensor:
        return self._numbers(torch.rand, shape) * (high - low) + low

    def normal(self, shape: tuple[int, ...] = ()) -> Tensor:
        return self._numbers(torch.randn, shape)

    def chance(self, probability: float) -> Tensor:
        return self.uniform() < probability

    def integers(self, low: int, high: int) -> Tensor:
        return self.uniform(low, high).floor().long().clamp(max=high - 1)

    def for_part(self, *parts: int | str) -> PositionDraws:
        return PositionDraws(self.positions, *self._parts, *parts)

    def _numbers(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        self._calls += 1
        seeds = [self._seed(position) for position in self.positions.tolist()]
        return torch.stack([draw(shape, generator=_seeded(seed)) for seed in seeds])

    def _seed(self, position: int) -> int:
        digest = hashlib.sha256(repr((self._parts, self._calls, position)).encode()).digest()
        return int.from_bytes(digest[:4], "little")


def augmentation(component: Component) -> Iterator[str]:
    augment = component.build(None)
    if getattr(augment, "mixes", False):
        for channels in (1, 3):
            for problem in _mixing_problems(augment, channels):
                yield f"on {channels} channels: {problem}"
        if tasks.SEGMENTATION in component.spec.tasks:
            yield "it mixes targets, which masks are not; leave segmentation out of its tasks"
        return
    refused = []
    for channels in (1, 3):
        try:
            augment(torch.rand(1, channels, *_SIZE), None, PositionDraws(torch.tensor([0])))
        except ZooError as error:
            refused.append(str(error))
            continue
        for problem in _augmentation_problems(augment, channels):
            yield f"on {channels} channels: {problem}"
    if len(refused) == 2:
        yield f"it takes neither 1 nor 3 channels: {refused[0]}"
    if tasks.SEGMENTATION in component.spec.tasks and not refused:
        yield from _apart_problems(augment)


def _augmentation_problems(augment: Any, channels: int) -> Iterator[str]:
    generator = _seeded(3)
    images = torch.rand(_IMAGES, channels, *_SIZE, generator=generator).round(decimals=1)
    images = images.contiguous(memory_format=torch.channels_last)
    masks = torch.randint(0, 3, (_IMAGES, *_SIZE), generator=generator)
    positions = torch.arange(1000, 1000 + _IMAGES)
    out, out_masks = augment(images.clone(), masks.clone(), PositionDraws(positions))
    if out.shape[:2] != images.shape[:2] or out.dtype != images.dtype:
        yield f"images become {_described(out)}; expected {_described(images)}"
        return
    if not torch.isfinite(out).all() or out.min() < 0 or out.max() > 1:
        yield f"images leave [0, 1]: {out.min():.3g} to {out.max():.3g}"
    if out_masks is None or out_masks.dtype != masks.dtype or out_masks.shape != _masks_of(out):
        yield f"masks become {_described(out_masks)}; expected int64 {_masks_of(out)}"
        return
    if not set(out_masks.unique().tolist()) <= {0, 1, 2}:
        yield "masks hold classes that were not there; sample them to the nearest pixel"
    if augment(images.clone(), None, PositionDraws(positions))[1] is not None:
        yield "without masks it must give None for them"
    again, again_masks = augment(images.clone(), masks.clone(), PositionDraws(positions))
    if not torch.equal(again, out) or not torch.equal(again_masks, out_masks):
        yield "the same draws give another result; take random numbers from draws alone"
        return
    for i in range(_IMAGES):
        one = slice(i, i + 1)
        alone, _ = augment(images[one].clone(), masks[one].clone(), PositionDraws(positions[one]))
        if alone.shape != out[one].shape or not torch.allclose(alone, out[one], atol=1e-4):
            yield "an image's result depends on the others of its batch; each has its own draw"
            return


def _masks_of(images_BCHW: Tensor) -> tuple[int, ...]:
    return (len(images_BCHW), *images_BCHW.shape[2:])


def _apart_problems(augment: Any) -> Iterator[str]:
    """Images that show their own mask must go on doing so. A corner: no flip gives it back."""
    height, width = 16, 16
    masks = torch.zeros(_IMAGES, height, width, dtype=torch.int64)
    masks[:, : height // 2, : width // 2] = 1
    images = (0.2 + 0.6 * masks).unsqueeze(1).repeat(1, 3, 1, 1)
    out, out_masks = augment(images.clone(), masks.clone(), PositionDraws(torch.arange(_IMAGES)))
    shown = torch.stack((out.mean(1).flatten(1), out_masks.flatten(1).float()))
    centred = shown - shown.mean(-1, keepdim=True)
    first, second = centred / centred.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    both = (centred.norm(dim=-1) > 1e-3).all(0)
    apart = both & ((first * second).sum(-1).abs() < 0.5)
    if out.shape == images.shape:
        # Most pixels in their places: nothing moved, something is covered. A flip moves half.
        kept = (out == images).all(1).flatten(1).float().mean(1)
        apart &= kept < 0.65
    if apart.sum() > _IMAGES // 20:
        yield f"{int(apart.sum())} of {_IMAGES} masks did not go with their images"


def _mixing_problems(augment: Any, channels: int) -> Iterator[str]:
    """Images that show their own target, all white in the channel of their class, must go on doing
    so: each channel's mean is the share of that class."""
    classes = torch.arange(_IMAGES) % (channels + 1)
    targets = torch.nn.functional.one_hot(classes, channels + 1)[:, :channels].float()
    images = targets[:, :, None, None].expand(-1, -1, *_SIZE)
    images = images.contiguous(memory_format=torch.channels_last)
    positions = torch.arange(1000, 1000 + _IMAGES)
    out, shares = augment(images.clone(), targets.clone(), PositionDraws(positions))
    for what, made, given in (("images", out, images), ("targets", shares, targets)):
        if made.shape != given.shape or made.dtype != given.dtype:
            yield f"{what} become {_described(made)}; expected {_described(given)}"
            return
        if not torch.isfinite(made).all() or made.min() < 0 or made.max() > 1:
            yield f"{what} leave [0, 1]: {made.min():.3g} to {made.max():.3g}"
            return
    if not torch.allclose(out.mean(dim=(2, 3)), shares, atol=1e-3):
        yield "targets are not mixed in the shares of the images' pixels"
    again, again_shares = augment(images.clone(), targets.clone(), PositionDraws(positions))
    if not torch.equal(again, out) or not torch.equal(again_shares, shares):
        yield "the same draws give another result; take random numbers from draws alone"
