"""Small networks for small images.

Shapes: float (B, C, H, W) -> logits (B, outputs). All are plain ``nn.Sequential``; ``Flatten``
orders values by channel, row, column whatever the memory format, so channels_last is safe.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Annotated, Literal

from annotated_types import Ge, Le
from torch import nn

from zoo import ArchitectureContext, ZooError

_Switch = Literal["variant", "on", "off"]
_CONV_DROPOUT = 0.25
_HEAD_DROPOUT = 0.5
_HEAD_UNITS = 256
_CHANNELS = {"two_conv": (32, 64), "three_conv": (32, 64, 128)}


def linear(ctx: ArchitectureContext) -> nn.Module:
    """Multinomial logistic regression on the pixels."""
    return nn.Sequential(
        OrderedDict(flatten=nn.Flatten(), out=nn.Linear(_pixels(ctx), ctx.outputs))
    )


def mlp(
    ctx: ArchitectureContext,
    *,
    layers: Annotated[int, Ge(1), Le(64)] = 2,
    hidden_units: Annotated[int, Ge(1), Le(16384)] = 128,
    activation: Literal["relu", "leaky_relu", "none"] = "relu",
    output_activation: Literal["none", "relu"] = "none",
) -> nn.Module:
    """``layers`` linear layers, the output one counted, with ``activation`` between them; "none"
    leaves a purely linear stack. ``output_activation="relu"`` also puts one behind the logits: a
    published report did so, which leaves negative logits, and their gradient, at zero.
    """
    steps: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    features = _pixels(ctx)
    for i in range(1, layers):
        steps[f"hidden{i}"] = nn.Linear(features, hidden_units)
        if activation != "none":
            steps[f"activation{i}"] = _activation(activation)
        features = hidden_units
    steps["out"] = nn.Linear(features, ctx.outputs)
    if output_activation == "relu":
        steps["out_activation"] = nn.ReLU()
    return nn.Sequential(steps)


def simple_cnn(
    ctx: ArchitectureContext,
    *,
    variant: Literal["two_conv", "three_conv"] = "two_conv",
    activation: Literal["variant", "relu", "leaky_relu"] = "variant",
    batch_norm: _Switch = "variant",
    dropout: _Switch = "variant",
) -> nn.Module:
    """SimpleCNN of the reports, for any number of channels and any image size.

    ``two_conv``: 3x3 convolutions of 32 and 64 filters, each with leaky ReLU and 2x2 max-pooling,
    then one linear layer. ``three_conv``: 32, 64 and 128 filters, each with batch norm, ReLU,
    pooling and dropout 0.25; then 256 hidden units with batch norm, ReLU and dropout 0.5, and the
    linear output. The other options are what the variant says, or switched: batch norm behind every
    convolution and hidden layer, dropout (of the same rates) behind every pooling and hidden layer.

    Deviations: the reports end in log_softmax and train with the negative log-likelihood; here the
    network gives logits, and cross_entropy on them is the same number. Pooling stands before the
    activation, not behind it: both orders give the same values and gradients for a function that
    never falls, and this one works on a quarter of the pixels.
    """
    three = variant == "three_conv"
    normed = three if batch_norm == "variant" else batch_norm == "on"
    dropped = three if dropout == "variant" else dropout == "on"
    chosen = ("relu" if three else "leaky_relu") if activation == "variant" else activation
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    channels = ctx.in_channels
    for i, filters in enumerate(_CHANNELS[variant], start=1):
        steps[f"conv{i}"] = nn.Conv2d(channels, filters, kernel_size=3, padding=1)
        if normed:
            steps[f"norm{i}"] = nn.BatchNorm2d(filters)
        steps[f"pool{i}"] = nn.MaxPool2d(2)
        steps[f"activation{i}"] = _activation(chosen)
        if dropped:
            steps[f"dropout{i}"] = nn.Dropout(_CONV_DROPOUT)
        channels = filters
    steps["flatten"] = nn.Flatten()
    features = channels * _pooled_pixels(ctx, variant)
    if three:
        steps["hidden"] = nn.Linear(features, _HEAD_UNITS)
        if normed:
            steps["hidden_norm"] = nn.BatchNorm1d(_HEAD_UNITS)
        steps["hidden_activation"] = _activation(chosen)
        if dropped:
            steps["hidden_dropout"] = nn.Dropout(_HEAD_DROPOUT)
        features = _HEAD_UNITS
    steps["out"] = nn.Linear(features, ctx.outputs)
    return nn.Sequential(steps)


def _activation(name: str) -> nn.Module:
    return nn.ReLU() if name == "relu" else nn.LeakyReLU()


def _pixels(ctx: ArchitectureContext) -> int:
    height, width = ctx.image_size
    return ctx.in_channels * height * width


def _pooled_pixels(ctx: ArchitectureContext, variant: str) -> int:
    """The pixels that the poolings, which halve and round down, leave. Raises when none is left."""
    height, width = ctx.image_size
    least = 1 << len(_CHANNELS[variant])
    if min(height, width) < least:
        raise ZooError(
            f"images of {height} x {width} pixels are too small for simple_cnn {variant!r}: its "
            f"{len(_CHANNELS[variant])} poolings need at least {least} x {least}"
        )
    return (height // least) * (width // least)
