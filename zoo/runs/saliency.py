"""Where in an image a network looks: Grad-CAM and occlusion, by captum.

Shapes: C channels, H by W pixels of the network's input, h by w places of a layer's output, K
classes.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import DataError, PluginError, nearest, reason
from zoo.runs.extras import needed
from zoo.tasks import MULTILABEL, SEGMENTATION, Task

GRADCAM, OCCLUSION = "gradcam", "occlusion"
_NAMED = 8  # layers that a message lists


def require() -> None:
    """Raise :class:`zoo.errors.MissingError` where captum is missing."""
    needed("captum", "explain", "zoo explain")


class ClassScores(nn.Module):
    """Images -> (B, K): of each class the logit (of the class that is not positive, the negated
    one), or with ``as_probabilities`` its probability. ``region``: bool (H, W), the pixels over
    which those of a segmentation are averaged."""

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        region: Tensor | None = None,
        *,
        as_probabilities: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.task, self.region = network, task, region
        self.as_probabilities = as_probabilities

    def forward(self, images: Tensor) -> Tensor:
        logits = self.network(images).float()
        if self.as_probabilities:
            scores = self.task.probabilities(logits)
        elif self.task.positive is not None:
            both = (-logits, logits) if self.task.positive_index == 1 else (logits, -logits)
            scores = torch.cat(both, dim=1)
        else:
            scores = logits
        if self.region is None:
            return scores
        return (scores * self.region).sum((2, 3)) / self.region.sum()


def gradcam(scores: ClassScores, image: Tensor, target: int, layer: str) -> Tensor:
    """float32 (H, W) for an image (1, C, H, W): what the layer's planes, weighted by the mean of
    their gradient, add to the score of class ``target``; nothing below 0. Selvaraju et al.,
    "Grad-CAM", ICCV 2017; of segmentation, Vinogradova et al., "Seg-Grad-CAM", AAAI 2020."""
    from captum.attr import LayerGradCam

    place = scores.network.get_submodule(layer)
    with _of_a_plugin():
        found = LayerGradCam(scores, place).attribute(image, target=target, relu_attributions=True)
    return functional.interpolate(
        found.detach().float(), image.shape[-2:], mode="bilinear", align_corners=False
    )[0, 0]


def occlusion(
    scores: ClassScores, image: Tensor, target: int, window: int, together: int
) -> Tensor:
    """float32 (H, W): by how much the probability of ``target`` falls when a square of ``window``
    pixels is hidden under the mean colour, averaged over the squares that hide a pixel; they lie
    half a window apart. ``together``: squares at once. Zeiler and Fergus, "Visualizing and
    Understanding Convolutional Networks", ECCV 2014."""
    from captum.attr import Occlusion

    channels, stride = image.shape[1], max(1, window // 2)
    with _of_a_plugin(), torch.no_grad():
        found = Occlusion(scores).attribute(
            image,
            sliding_window_shapes=(channels, window, window),
            strides=(channels, stride, stride),
            target=target,
            baselines=0.0,
            perturbations_per_eval=together,
        )
    heat: Tensor = found[0, 0].float()
    return heat


def chosen_layer(network: nn.Module, image: Tensor, task: Task, named: str | None) -> str:
    """The layer that is ``named``, else the last convolution that is called and gives more than one
    place; for segmentation the last of those with the fewest places, for the very last ones give
    the answer itself. Raises :class:`DataError` unless it gives planes, (1, channels, h, w)."""
    shapes = _shapes(network, image, None if named is None else {named})
    if named is None:
        return _last_convolution(network, shapes, task)
    known = [name for name, _ in network.named_modules() if name]
    if named not in known:
        some = ", ".join(known[-_NAMED:])
        raise DataError(
            f"layer {named!r} is not in the network{nearest(named, known)}; its last ones are "
            f"{some}"
        )
    shape = shapes.get(named)
    if shape is None or len(shape) != 4:
        gives = "is not called" if shape is None else f"gives the shape {shape}"
        raise DataError(f"layer {named!r} {gives}; expected planes, (1, channels, height, width)")
    return named


def _last_convolution(network: nn.Module, shapes: dict[str, tuple[int, ...]], task: Task) -> str:
    layers = dict(network.named_modules())
    places = {
        name: shape[-1] * shape[-2]
        for name, shape in shapes.items()
        if isinstance(layers[name], nn.Conv2d) and shape[-1] * shape[-2] > 1
    }
    if not places:
        raise DataError(
            "the network has no convolution for Grad-CAM to look at; name a layer with --layer, or "
            "choose --method occlusion"
        )
    fewest = min(places.values())
    fit = [name for name, count in places.items() if task.kind != SEGMENTATION or count == fewest]
    return fit[-1]


def _shapes(
    network: nn.Module, image: Tensor, wanted: set[str] | None
) -> dict[str, tuple[int, ...]]:
    """What those modules (None: every one) give, in the order in which they were last called."""
    found: dict[str, tuple[int, ...]] = {}

    def note(name: str) -> Any:
        def hook(module: nn.Module, given: Any, result: Any) -> None:
            found.pop(name, None)
            found[name] = tuple(result.shape) if isinstance(result, Tensor) else ()

        return hook

    hooks = [
        module.register_forward_hook(note(name))
        for name, module in network.named_modules()
        if wanted is None or name in wanted
    ]
    try:
        with torch.no_grad(), _of_a_plugin():
            network(image)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def region_of(task: Task, logits: Tensor, target: int) -> Tensor | None:
    """bool (H, W): where a segmentation decides for ``target``, everywhere when that is nowhere;
    None for other tasks."""
    if task.kind != SEGMENTATION:
        return None
    region = task.decisions(logits)[0] == target
    return region if bool(region.any()) else torch.ones_like(region)


def most_likely(task: Task, logits: Tensor) -> int:
    """The class that is explained unless another is named: the decided one; multilabel the
    likeliest; segmentation the positive one, or that decided most often but for the first."""
    if task.kind == SEGMENTATION:
        if task.positive is not None:
            return task.positive_index
        counts = torch.bincount(task.decisions(logits).flatten(), minlength=len(task.classes))
        counts[0] = 0 if counts[1:].any() else counts[0]
        return int(counts.argmax())
    if task.kind == MULTILABEL:
        return int(task.probabilities(logits)[0].argmax())
    return int(task.decisions(logits)[0])


@contextlib.contextmanager
def _of_a_plugin() -> Iterator[None]:
    """What a network raises, in one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # captum's, of gradients it sets
            yield
    except Exception as error:
        raise PluginError(f"the network cannot be explained: {reason(error)}") from error
