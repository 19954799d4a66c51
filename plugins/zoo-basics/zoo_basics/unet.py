"""U-Net, as a published report on Kvasir-Instrument built it.

Shapes: float (B, C, H, W) -> logits (B, outputs, H, W), for any H and W of 1 or more.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn

from zoo import ArchitectureContext

_BOTTLENECK_DROPOUT = 0.1
_DECODER_DROPOUT = 0.2


def unet(
    ctx: ArchitectureContext,
    *,
    width: Annotated[int, Ge(1), Le(256)] = 64,
    depth: Annotated[int, Ge(1), Le(7)] = 4,
    batch_norm: Literal["encoder", "all", "none"] = "encoder",
    dropout: bool = True,
) -> nn.Module:
    """``depth`` encoder blocks of ``width``, 2 ``width``, 4 ``width``, ... filters: each two 3x3
    convolutions with batch norm and ReLU, then 2x2 max-pooling. Between them and the decoder a
    bottleneck of twice the last block's filters, with dropout 0.1. As many decoder blocks: a 2x2
    transposed convolution, the encoder's features beside it, two 3x3 convolutions with ReLU, and
    dropout 0.2 in the larger ones. A 1x1 convolution gives the logits.

    The report's is ``width`` 64, ``depth`` 4: 64, 128, 256, 512 filters, 1024 in the bottleneck. It
    names batch norm in the encoder only; "all" puts it behind every 3x3 convolution, which trains
    faster.

    What the report leaves open: dropout stands at the end of its block; the larger decoder blocks
    are the half with more filters (512 and 256). Deviations from Ronneberger et al. 2015: 3x3
    convolutions are padded, so that the output has the input's size. Pooling rounds up, and what a
    transposed convolution makes too large for the encoder's features is cut off, so that sides need
    not be multiples of 2 ** ``depth``; where they are, nothing changes.
    """
    return UNet(
        ctx.in_channels,
        ctx.outputs,
        [width << level for level in range(depth + 1)],
        batch_norm,
        dropout,
    )


class UNet(nn.Module):
    """``filters``: of each encoder block, and last of the bottleneck."""

    def __init__(
        self, channels: int, outputs: int, filters: list[int], batch_norm: str, dropout: bool
    ) -> None:
        super().__init__()
        *levels, deepest = filters
        encoder_norm, decoder_norm = batch_norm != "none", batch_norm == "all"
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.encoder = nn.ModuleList(
            _block(before, after, encoder_norm)
            for before, after in zip([channels, *levels], levels, strict=False)
        )
        self.bottleneck = _block(
            levels[-1], deepest, decoder_norm, _BOTTLENECK_DROPOUT if dropout else 0.0
        )
        larger = (len(levels) + 1) // 2
        self.up = nn.ModuleList()
        self.decoder = nn.ModuleList()
        for place, features in enumerate(reversed(levels)):
            rate = _DECODER_DROPOUT if dropout and place < larger else 0.0
            self.up.append(nn.ConvTranspose2d(2 * features, features, kernel_size=2, stride=2))
            self.decoder.append(_block(2 * features, features, decoder_norm, rate))
        self.out = nn.Conv2d(levels[0], outputs, kernel_size=1)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        features, skips = images_BCHW, []
        for block in self.encoder:
            skips.append(block(features))
            features = self.pool(skips[-1])
        features = self.bottleneck(features)
        for up, block in zip(self.up, self.decoder, strict=True):
            skip = skips.pop()
            height, width = skip.shape[-2:]
            features = block(torch.cat((skip, up(features)[..., :height, :width]), dim=1))
        logits: Tensor = self.out(features)
        return logits


def _block(before: int, after: int, batch_norm: bool, dropout: float = 0.0) -> nn.Sequential:
    steps: list[nn.Module] = []
    for channels in (before, after):
        steps.append(nn.Conv2d(channels, after, kernel_size=3, padding=1))
        if batch_norm:
            steps.append(nn.BatchNorm2d(after))
        steps.append(nn.ReLU(inplace=True))
    if dropout:
        steps.append(nn.Dropout(dropout))
    return nn.Sequential(*steps)
