"""Cadene's networks, for any number of outputs and channels and most sizes of images.

The library builds for three channels, and 21 of its makers ignore how many classes they are asked
for; most pool over a window that fits one size only. So each network is built as it was published,
and what depends on outputs, channels or size is then replaced. Names of parameters stay the
library's.

Shapes: images float (B, C, H, W), features (B, F, h, w), logits (B, outputs).
"""

from __future__ import annotations

import copy
import types
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo import ArchitectureContext
from zoo_pretrainedmodels.sizes import check_size

_POOLS = ("avg_pool", "avgpool", "avgpool_1a", "global_pool")
_SHAPE = ("out_channels", "kernel_size", "stride", "padding")


def build(context: ArchitectureContext, name: str) -> nn.Module:
    """The network ``name`` with new weights. Raises :class:`zoo.ZooError` for an image size that it
    cannot take."""
    check_size(name, context.image_size)
    network: nn.Module = library_network(name)
    _pool_any_size(network)
    if change := _CHANGES.get(type(network).__name__):
        change(network)
    _replace_head(network, context)
    if context.in_channels != 3:
        _replace_stem(network, context.in_channels)
    return network


def library_network(name: str) -> Any:
    """As the library makes it: 1000 outputs, 3 channels, no published weights."""
    make = _maker(name)
    with warnings.catch_warnings():
        # It calls torchvision as one did before weights had names.
        for said in ("The parameter 'pretrained'", "Arguments other than a weight enum",
                     "The default weight initialization of inception_v3"):  # fmt: skip
            warnings.filterwarnings("ignore", message=said)
        network = make(num_classes=1000, pretrained=None)
    if type(network).__name__.startswith("ResNeXt"):
        # All networks of this kind share one part, made when the library is imported.
        network.features = _renewed(network.features)
    return network


def _maker(name: str) -> Callable[..., Any]:
    import torchvision  # noqa: F401  # not on the meta device

    with warnings.catch_warnings(), torch.device("meta"):
        # Its import makes both ResNeXt-101, 0.5 GB of values that nobody asked for; and Python 3.8
        # and later warn of how it compares texts.
        warnings.filterwarnings("ignore", category=SyntaxWarning)
        from pretrainedmodels import models
    make: Callable[..., Any] = getattr(models, name)
    return make


def _renewed(part: nn.Module) -> nn.Module:
    """A copy with new values, on the device where new tensors go."""
    part = copy.deepcopy(part).to_empty(device=torch.empty(0).device)
    for module in part.modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            module.reset_parameters()
    return part


def _pool_any_size(network: nn.Module) -> None:
    for name in _POOLS:
        if isinstance(getattr(network, name, None), nn.AvgPool2d):
            setattr(network, name, nn.AdaptiveAvgPool2d(1))


def _replace_head(network: Any, context: ArchitectureContext) -> None:
    name = "last_conv" if hasattr(network, "last_conv") else "last_linear"
    head = getattr(network, name)
    if isinstance(head, nn.Linear):
        new: nn.Module = nn.Linear(head.in_features, context.outputs)
    else:
        new = nn.Conv2d(head.in_channels, context.outputs, kernel_size=1)
    setattr(network, name, new)
    if name == "last_conv" and context.task.kind in ("binary", "multilabel"):
        # SqueezeNet ends in a ReLU: no probability could be less than one half.
        network.relu = nn.Identity()


def _replace_stem(network: nn.Module, in_channels: int) -> None:
    """Another first convolution, which is the only one that sees three channels."""
    for parent in network.modules():
        for name, one in parent.named_children():
            if isinstance(one, nn.Conv2d) and one.in_channels == 3:
                given: dict[str, Any] = {key: getattr(one, key) for key in _SHAPE}
                new = nn.Conv2d(in_channels, bias=one.bias is not None, **given)
                setattr(parent, name, new)
                return


def _plain_head(network: Any, size: int) -> None:
    """AlexNet and VGG: linear layers over ``size`` x ``size`` features, which are flattened by
    ``view``; it takes no channels_last."""
    network._features.extend([nn.AdaptiveAvgPool2d(size), nn.Flatten()])


def _densenet(network: Any) -> None:
    network.logits = types.MethodType(_densenet_logits, network)


def _densenet_logits(network: Any, features: Tensor) -> Tensor:
    pooled = functional.adaptive_avg_pool2d(functional.relu(features), 1)
    logits: Tensor = network.last_linear(pooled.flatten(1))
    return logits


def _inception3(network: Any) -> None:
    """Without the auxiliary classifier, whose logits a loss of one tensor does not see."""
    network.aux_logits, network.AuxLogits = False, None
    network.logits = types.MethodType(_inception3_logits, network)


def _inception3_logits(network: Any, features: Tensor) -> Tensor:
    pooled = functional.adaptive_avg_pool2d(features, 1).flatten(1)
    logits: Tensor = network.last_linear(functional.dropout(pooled, training=network.training))
    return logits


def _squeezenet(network: Any) -> None:
    network.avgpool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _dpn(network: Any) -> None:
    """The library pools otherwise in evaluation, over windows of 7 x 7 features; at 224 pixels that
    is the same."""
    network.test_time_pool = False


def _fbresnet(network: Any) -> None:
    network.features = types.MethodType(_fbresnet_features, network)


def _fbresnet_features(network: Any, images: Tensor) -> Tensor:
    """The library's also keeps a copy of each batch's first features, so that a network that has
    been used cannot be copied."""
    parts = (network.conv1, network.bn1, network.relu, network.maxpool)
    for part in (*parts, network.layer1, network.layer2, network.layer3, network.layer4):
        images = part(images)
    return images


_CHANGES: dict[str, Callable[[Any], None]] = {
    "AlexNet": lambda network: _plain_head(network, 6),
    "VGG": lambda network: _plain_head(network, 7),
    "DenseNet": _densenet,
    "Inception3": _inception3,
    "SqueezeNet": _squeezenet,
    "DPN": _dpn,
    "FBResNet": _fbresnet,
}
