"""Networks of the reports: on chest X-rays, on skin lesions, and AlexNet with batch norm.

Shapes: float (B, C, H, W) -> logits (B, outputs).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Annotated, Literal

from annotated_types import Ge, Le, Lt
from torch import Tensor, nn

from zoo import ArchitectureContext, Pretrained, ZooError, fetch_weights, read_torch_weights

_Norm = Literal["none", "batch", "group"]
_CONV_DROPOUT = 0.2
_HEAD_DROPOUT = 0.5
_HEAD_UNITS = 100
_GROUPS = {16: 4, 32: 8}  # of so many channels
_ALEXNET_LEAST = 63  # pixels a side, for its last pooling to have something to pool
_ALEXNET = {
    "url": "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    "sha256_prefix": "7be5be79",
}
_ALEXNET_LARGEST = 300_000_000  # bytes; the file has 244 million


def tiny_cnn(
    ctx: ArchitectureContext,
    *,
    filters: Annotated[int, Ge(1), Le(1024)] = 10,
    kernel_size: Literal[3, 5] = 3,
) -> nn.Module:
    """Two blocks, each of two convolutions with ReLU and 2x2 max-pooling; then one linear layer.
    All four convolutions have ``filters`` filters: 5, 10 or 20 in the report.

    Deviations: the report shows the padding of its 3x3 convolutions only, one pixel, which keeps
    the size; here it is kept with 5x5 ones, too. Pooling stands before the block's second ReLU, not
    behind it: both orders give the same values and gradients.
    """
    height, width = _large_enough("tiny_cnn", ctx, 4)
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    channels = ctx.in_channels
    for block in (1, 2):
        for part in (1, 2):
            steps[f"conv{block}{part}"] = nn.Conv2d(
                channels, filters, kernel_size, padding=kernel_size // 2
            )
            if part == 2:
                steps[f"pool{block}"] = nn.MaxPool2d(2)
            steps[f"activation{block}{part}"] = nn.ReLU()
            channels = filters
    steps["flatten"] = nn.Flatten()
    steps["out"] = nn.Linear(filters * (height // 4) * (width // 4), ctx.outputs)
    return nn.Sequential(steps)


def skin_cnn(
    ctx: ArchitectureContext,
    *,
    norm: _Norm = "none",
    dropout: bool = False,
    residual: bool = False,
    kernel_size: Literal[3, 5] = 3,
) -> nn.Module:
    """3x3 convolutions of 16 and 32 filters, each with ReLU and 2x2 max-pooling, then 100 hidden
    units with ReLU and the linear output: the report's baseline on 128 x 128 pixels.

    ``norm``: "batch" behind both convolutions and the hidden layer; "group" behind the convolutions
    only, with groups of four channels. ``dropout``: 0.2 behind each pooling, 0.5 behind the hidden
    layer. ``residual``: in place of the second convolution and its pooling a residual block (16 to
    32 channels, stride 2; the way round it a 1x1 convolution of stride 2), and the norm and ReLU
    once more behind it. The report's has batch norm and dropout. ``kernel_size``: of both
    convolutions, or of the first and the block's, padded so that the size stays.

    Deviations: pooling stands before ReLU, not behind it: both orders give the same values and
    gradients. The report's text puts norms behind the activation, its code before it, as here.
    """
    height, width = _large_enough("skin_cnn", ctx, 2 if residual else 4)
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    padding = kernel_size // 2
    steps["conv1"] = nn.Conv2d(ctx.in_channels, 16, kernel_size, padding=padding)
    steps |= _normed("norm1", norm, 16)
    steps["pool1"] = nn.MaxPool2d(2)
    steps["activation1"] = nn.ReLU()
    if dropout:
        steps["dropout1"] = nn.Dropout(_CONV_DROPOUT)
    height, width = height // 2, width // 2
    if residual:
        steps["residual"] = ResidualBlock(16, 32, norm, kernel_size)
        steps |= _normed("norm2", norm, 32)
        height, width = (height + 1) // 2, (width + 1) // 2
    else:
        steps["conv2"] = nn.Conv2d(16, 32, kernel_size, padding=padding)
        steps |= _normed("norm2", norm, 32)
        steps["pool2"] = nn.MaxPool2d(2)
        height, width = height // 2, width // 2
    steps["activation2"] = nn.ReLU()
    if dropout:
        steps["dropout2"] = nn.Dropout(_CONV_DROPOUT)
    steps["flatten"] = nn.Flatten()
    steps["hidden"] = nn.Linear(32 * height * width, _HEAD_UNITS)
    if norm == "batch":
        steps["hidden_norm"] = nn.BatchNorm1d(_HEAD_UNITS)
    steps["hidden_activation"] = nn.ReLU()
    if dropout:
        steps["hidden_dropout"] = nn.Dropout(_HEAD_DROPOUT)
    steps["out"] = nn.Linear(_HEAD_UNITS, ctx.outputs)
    return nn.Sequential(steps)


class ResidualBlock(nn.Module):
    """Two convolutions, the first of stride 2, beside a 1x1 convolution of stride 2; ReLU of
    their sum (He et al. 2016, arXiv:1512.03385)."""

    def __init__(self, before: int, after: int, norm: _Norm, kernel_size: int = 3) -> None:
        super().__init__()
        padding = kernel_size // 2
        way: OrderedDict[str, nn.Module] = OrderedDict()
        way["conv1"] = nn.Conv2d(before, after, kernel_size, stride=2, padding=padding)
        way |= _normed("norm1", norm, after)
        way["activation"] = nn.ReLU()
        way["conv2"] = nn.Conv2d(after, after, kernel_size, padding=padding)
        way |= _normed("norm2", norm, after)
        around: OrderedDict[str, nn.Module] = OrderedDict()
        around["conv"] = nn.Conv2d(before, after, kernel_size=1, stride=2)
        around |= _normed("norm", norm, after)
        self.way = nn.Sequential(way)
        self.around = nn.Sequential(around)

    def forward(self, features: Tensor) -> Tensor:
        return nn.functional.relu(self.way(features) + self.around(features))


def alexnet_bn(
    ctx: ArchitectureContext, *, dropout: Annotated[float, Ge(0), Lt(1)] = 0.5
) -> nn.Module:
    """torchvision's AlexNet with batch norm behind each of its five convolutions, before ReLU.

    For any number of channels; images of 63 x 63 pixels and more, 224 x 224 in the report.
    """
    from torchvision.models import AlexNet

    _large_enough("alexnet_bn", ctx, _ALEXNET_LEAST)
    network = AlexNet(num_classes=ctx.outputs, dropout=dropout)
    steps: list[nn.Module] = []
    for step in network.features:
        if isinstance(step, nn.Conv2d):
            if not steps and ctx.in_channels != step.in_channels:
                step = nn.Conv2d(  # noqa: PLW2901
                    ctx.in_channels, step.out_channels, kernel_size=11, stride=4, padding=2
                )
            steps += [step, nn.BatchNorm2d(step.out_channels)]
        else:
            steps.append(step)
    network.features = nn.Sequential(*steps)
    return network


def alexnet_bn_weights(ctx: ArchitectureContext, *, dropout: float = 0.5) -> Pretrained:
    """AlexNet's own weights on ImageNet, under the names that its layers have between the norms;
    the norms stay new."""
    read = read_torch_weights(fetch_weights(**_ALEXNET, largest=_ALEXNET_LARGEST))
    # features.0, 3, 6, 8, 10 become features.0, 4, 8, 11, 14: behind each stands one norm more.
    convolutions = sorted({int(name.split(".")[1]) for name in read if name.startswith("features")})
    moved = {f"features.{old}.": f"features.{old + i}." for i, old in enumerate(convolutions)}
    weights = {}
    for name, tensor in read.items():
        part, _, last = name.rpartition(".")
        weights[moved.get(f"{part}.", f"{part}.") + last] = tensor
    return Pretrained(weights, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), (224, 224), "bilinear")


def resnet18_kaiming(ctx: ArchitectureContext) -> nn.Module:
    """torchvision's ResNet18 as the code of the report on skin lesions leaves it: weights of every
    convolution and of the head drawn from a normal distribution of variance 2 / fan-in (He et al.
    2015, arXiv:1502.01852), biases 0, norms 1 and 0. torchvision draws by the fan-out.

    The report asks for ImageNet's weights, then draws these over them; and its optimizer was made
    before the new head, which therefore never learns: ``transfer.freeze = ["fc"]``.
    """
    from torchvision.models import resnet18

    network = resnet18(num_classes=ctx.outputs)
    if ctx.in_channels != 3:
        network.conv1 = nn.Conv2d(
            ctx.in_channels, 64, kernel_size=7, stride=2, padding=3, bias=False
        )
    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return network


def _normed(name: str, norm: _Norm, channels: int) -> OrderedDict[str, nn.Module]:
    """The norm under its name, or nothing."""
    if norm == "batch":
        return OrderedDict({name: nn.BatchNorm2d(channels)})
    if norm == "group":
        return OrderedDict({name: nn.GroupNorm(_GROUPS[channels], channels)})
    return OrderedDict()


def _large_enough(name: str, ctx: ArchitectureContext, least: int) -> tuple[int, int]:
    """(height, width) of the images. Raises where nothing would be left of them."""
    height, width = ctx.image_size
    if min(height, width) < least:
        raise ZooError(
            f"images of {height} x {width} pixels are too small for {name}: expected at least "
            f"{least} x {least}; set data.size"
        )
    return height, width
