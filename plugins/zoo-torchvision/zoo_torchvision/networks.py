"""torchvision's builders, called so that nothing is fetched and no auxiliary output is left.

Shapes: float (B, C, H, W) to logits (B, outputs), or (B, outputs, H, W) of a segmentation model.
"""

from __future__ import annotations

import contextlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torchvision import models
from torchvision.models import MNASNet
from torchvision.models.segmentation import FCN, LRASPP, DeepLabV3

_AUXILIARY = ("googlenet", "inception_v3")  # each with one or two heads for training alone


class OnlyFcn(FCN):  # type: ignore[misc]
    """Its logits, of the images' size, without the dictionary around them."""

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = super().forward(images)["out"]
        return logits


class OnlyDeepLab(DeepLabV3):  # type: ignore[misc]
    """As :class:`OnlyFcn`."""

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = super().forward(images)["out"]
        return logits


class OnlyLraspp(LRASPP):  # type: ignore[misc]
    """As :class:`OnlyFcn`."""

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = super().forward(images)["out"]
        return logits


class PresentMnasnet(MNASNet):  # type: ignore[misc]
    """Takes weights that do not say of which form they are for those of the present one."""

    def _load_from_state_dict(self, state: Any, prefix: str, about: Any, *given: Any) -> None:
        super()._load_from_state_dict(state, prefix, {"version": 2, **about}, *given)


_OURS: Mapping[type, type] = {
    FCN: OnlyFcn, DeepLabV3: OnlyDeepLab, LRASPP: OnlyLraspp, MNASNet: PresentMnasnet,
}  # fmt: skip


def is_segmentation(name: str) -> bool:
    return name in models.list_models(module=models.segmentation)


def is_sized(name: str) -> bool:
    """Whether it is built for one size of images, a square."""
    return name.startswith(("vit_", "maxvit_"))


def multiple(name: str, network: nn.Module) -> int:
    """Of what the sides of a sized network's images are multiples."""
    if isinstance(network, models.VisionTransformer):
        return int(network.patch_size)
    return 7 * 32  # partitions of 7 x 7, in the coarsest of its maps


def bare(
    name: str,
    outputs: int,
    device: str = "",
    side: int = 0,
    *,
    auxiliary: bool = False,
    **more: Any,
) -> nn.Module:
    """The network for 3 channels, without weights. ``side``: of the images, for those that are
    built for one; ``auxiliary``: with the heads for training alone, as weights are published."""
    given: dict[str, Any] = {"weights": None, "num_classes": outputs, **more}
    if name in _AUXILIARY:
        given |= {"aux_logits": auxiliary, "init_weights": True}
    if is_segmentation(name):
        given["weights_backbone"] = None
        if not name.startswith("lraspp"):
            given["aux_loss"] = auxiliary
    if side and name.startswith("vit_"):
        given["image_size"] = side
    elif side:
        given["input_size"] = (side, side)
    counting = _Counting() if name.startswith("regnet_") else contextlib.nullcontext()
    with torch.device(device or torch.get_default_device()), counting:
        network: nn.Module = models.get_model_builder(name)(**given)
    ours = _OURS.get(type(network))
    if ours is not None:
        network.__class__ = ours
    return network


def with_channels(network: nn.Module, channels: int) -> None:
    """Give ``network`` a first convolution for so many channels, its values drawn from those that
    torchvision gave the one for 3."""
    if channels == 3:
        return
    first = next(
        one for one in network.modules() if isinstance(one, nn.Conv2d) and one.in_channels == 3
    )
    weight = first.weight.detach()
    shape = (weight.shape[0], channels, *weight.shape[2:])
    drawn = weight.flatten()[torch.randint(weight.numel(), shape, device=weight.device)]
    first.in_channels = channels
    first.weight = nn.Parameter(drawn)


def published_names(
    name: str, weights: Mapping[str, Tensor], outputs: int, side: int
) -> dict[str, Tensor]:
    """Published weights by the names of today's network: some files are older than it. They have to
    fit torchvision's own network for images of that ``side``, auxiliary heads included, to the last
    tensor; raises ``RuntimeError`` where they do not."""
    renamed = {
        re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.", r"\1\2.", key): value
        for key, value in weights.items()
    }
    auxiliary = any(key.startswith(("aux", "AuxLogits")) for key in renamed)
    side = side if is_sized(name) else 0
    network = bare(name, outputs, "meta", side, auxiliary=auxiliary)
    network.load_state_dict(renamed, assign=True)
    return dict(network.state_dict())


def for_side(name: str, weights: Mapping[str, Tensor], side: int) -> dict[str, Tensor]:
    """A vision transformer's weights with its embedding of positions for images of that side."""
    from torchvision.models.vision_transformer import interpolate_embeddings

    patch = multiple(name, bare(name, 2, "meta"))
    if side % patch:  # no network will be built for it
        return dict(weights)
    return dict(interpolate_embeddings(side, patch, OrderedDict(weights)))


class _Counting(TorchFunctionMode):
    """RegNet computes its widths with tensors: these have values also where the network's own have
    none, on the meta device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (torch.arange, torch.tensor) and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": "cpu"}
        return func(*args, **kwargs)
