"""What torchvision says of its own models, and what a network shows when it is tried: the content
of ``facts.json``. Networks are built on torch's meta device, without values."""

from __future__ import annotations

import inspect
import re
from typing import Any

import torch
from torch import nn
from torchvision import __version__, models
from torchvision.ops import StochasticDepth

from zoo_torchvision import networks
from zoo_torchvision.facts import release

_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
_OPTIONS = (
    "dropout", "drop_rate", "attention_dropout", "mlp_dropout", "stochastic_depth_prob",
    "zero_init_residual",
)  # fmt: skip
_DROPPING = ("p", "dropout", "drop_rate", "p_stochastic_dropout")
_PAPERS = {
    "AlexNet": "Krizhevsky 2014, arXiv:1404.5997",
    "ConvNeXt": "Liu et al. 2022, arXiv:2201.03545",
    "DeepLabV3": "Chen et al. 2017, arXiv:1706.05587",
    "DenseNet": "Huang et al. 2016, arXiv:1608.06993",
    "EfficientNet": "Tan and Le 2019, arXiv:1905.11946",
    "FCN": "Long et al. 2014, arXiv:1411.4038",
    "GoogLeNet": "Szegedy et al. 2014, arXiv:1409.4842",
    "Inception3": "Szegedy et al. 2015, arXiv:1512.00567",
    "LRASPP": "Howard et al. 2019, arXiv:1905.02244",
    "MNASNet": "Tan et al. 2018, arXiv:1807.11626",
    "MaxVit": "Tu et al. 2022, arXiv:2204.01697",
    "MobileNetV2": "Sandler et al. 2018, arXiv:1801.04381",
    "MobileNetV3": "Howard et al. 2019, arXiv:1905.02244",
    "RegNet": "Radosavovic et al. 2020, arXiv:2003.13678",
    "ResNet": "He et al. 2015, arXiv:1512.03385",
    "ShuffleNetV2": "Ma et al. 2018, arXiv:1807.11164",
    "SqueezeNet": "Iandola et al. 2016, arXiv:1602.07360",
    "SwinTransformer": "Liu et al. 2021, arXiv:2103.14030",
    "VGG": "Simonyan and Zisserman 2014, arXiv:1409.1556",
    "VisionTransformer": "Dosovitskiy et al. 2020, arXiv:2010.11929",
}
_OF_NAMES = {
    "efficientnet_v2": "Tan and Le 2021, arXiv:2104.00298",
    "resnext": "Xie et al. 2016, arXiv:1611.05431",
    "swin_v2": "Liu et al. 2021, arXiv:2111.09883",
    "wide_resnet": "Zagoruyko and Komodakis 2016, arXiv:1605.07146",
}


def describe(known: dict[str, Any] | None = None) -> dict[str, Any]:
    """All of it. ``known``: another torchvision's facts, by name, from which what is found by
    building networks is taken."""
    found: dict[str, Any] = {}
    for kind, module in (("classification", models), ("segmentation", models.segmentation)):
        for name in models.list_models(module=module):
            tags = _tags(name)
            outputs = next(iter(tags.values()))["outputs"]
            network = known[name] if known and name in known else _network(name, outputs)
            size = next(iter(tags.values()))["size"]
            found[name] = {**network, "kind": kind, "size": size, "tags": tags}
    return {"torchvision": release(__version__), "architectures": found}


def _tags(name: str) -> dict[str, Any]:
    """The published weights, torchvision's default ones first, without vgg16's for features alone:
    their classifier holds no numbers."""
    weights = models.get_model_weights(name)
    first = weights.DEFAULT
    every = (first, *(one for one in weights if one is not first))
    return {one.name: _weights(one) for one in every if one.meta["categories"] is not None}


def _network(name: str, outputs: int) -> dict[str, Any]:
    network = networks.bare(name, outputs, device="meta")
    return {
        "parameters": sum(one.numel() for one in network.parameters()),
        "source": _source(name, network),
        **_limits(name, network),
        "options": _options(name),
    }


def _weights(one: Any) -> dict[str, Any]:
    """``url``, the first digits of its ``sha256``, ``bytes`` at most, and what images it saw."""
    digest = re.search(r"-([0-9a-f]{8,64})\.pth$", one.url)
    if digest is None:
        raise ValueError(f"{one!r}: its address {one.url!r} has no hash")
    seen = one.transforms()
    side = seen.crop_size[0] if hasattr(seen, "crop_size") else seen.resize_size[0]
    said = {
        "url": one.url,
        "sha256": digest[1],
        "bytes": int((one.meta["_file_size"] + 1) * 1.1 * (1 << 20)),
        "size": [side, side],
        "interpolation": seen.interpolation.value,
        "mean": [float(value) for value in seen.mean],
        "std": [float(value) for value in seen.std],
        "outputs": len(one.meta["categories"]),
    }
    # Whoever says nothing of a licence leaves it open; SWAG's are for research alone.
    if "SWAG" in one.meta.get("license", ""):
        said["licence"] = "CC-BY-NC-4.0"
    return {key: value for key, value in said.items() if _IMAGENET.get(key) != value}


def _source(name: str, network: nn.Module) -> str:
    for start, paper in _OF_NAMES.items():
        if name.startswith(start):
            return paper
    kind = next(one.__name__ for one in type(network).__mro__ if one.__name__ in _PAPERS)
    return _PAPERS[kind]


def _limits(name: str, network: nn.Module) -> dict[str, Any]:
    """``multiple``: sides are multiples of it, and a network is built for one square; else
    ``smallest``: the least side."""
    if networks.is_sized(name):
        return {"multiple": networks.multiple(name, network)}
    said = max(models.get_model_weights(name).DEFAULT.meta["min_size"])
    # Of these torchvision names the size that their weights were trained on.
    return {"smallest": _smallest(network) if name.startswith("swin_") else said}


def _smallest(network: nn.Module) -> int:
    low, high = 0, 64
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _goes(network, middle) else (middle, high)
    return high


def _goes(network: nn.Module, side: int) -> bool:
    """Two images in training, of which a norm over single values would ask no less."""
    try:
        network.train()(torch.empty(2, 3, side, side, device="meta"))
    except (RuntimeError, ValueError, AssertionError):
        return False
    return True


def _options(name: str) -> dict[str, Any]:
    """Those that the model's builder passes on, with what it takes for them by default."""
    plain = networks.bare(name, outputs=2, device="meta")
    parameters = inspect.signature(type(plain).__init__).parameters
    found: dict[str, Any] = {}
    for option in _OPTIONS:
        if option not in parameters:
            continue
        for value in _candidates(parameters[option].default, plain):
            try:
                tried = networks.bare(name, outputs=2, device="meta", **{option: value})
            except TypeError:  # the builder gives a value of its own
                break
            if _rates(tried) == _rates(plain):
                found[option] = value
                break
    return found


def _candidates(default: Any, network: nn.Module) -> list[Any]:
    """What an option may be by default: a builder may differ from the class it builds."""
    if isinstance(default, bool):
        return [default]
    own = [] if default is inspect.Parameter.empty else [float(default)]
    rates = {one.p for one in network.modules() if isinstance(one, nn.Dropout)}
    depths = [one.p for one in network.modules() if isinstance(one, StochasticDepth)]
    return [*dict.fromkeys((*own, *sorted(rates), *([max(depths)] if depths else ())))]


def _rates(network: nn.Module) -> list[float]:
    values = (getattr(one, key, None) for one in network.modules() for key in _DROPPING)
    return [float(value) for value in values if isinstance(value, int | float)]
