"""unet: the report's parts and counts, any size, its options."""

import pytest
import torch
from torch import nn
from zoo_basics.unet import unet

import zoo

TOOL = zoo.Task.segmentation(["tissue", "tool"], positive="tool")


def build(channels=3, outputs=1, **options):
    return unet(zoo.ArchitectureContext(channels, (32, 32), outputs, TOOL), **options)


def double(before, after, norms=0):
    """Parameters of two 3x3 convolutions, and of so many batch norms."""
    return 9 * before * after + after + 9 * after * after + after + norms * 2 * after


def test_the_report_counted_by_hand():
    sides = [64, 128, 256, 512]
    with torch.device("meta"):
        network = build()
    parts = {name: sum(one.numel() for one in part.parameters())
             for name, part in network.named_children()}  # fmt: skip
    assert parts == {
        "pool": 0,
        "encoder": sum(double(a, b, 2) for a, b in zip([3, *sides], sides, strict=False)),
        "bottleneck": double(512, 1024),
        "up": sum(4 * 2 * n * n + n for n in sides),
        "decoder": sum(double(2 * n, n) for n in sides),
        "out": 64 + 1,
    }


def dropouts(network):
    found = {"bottleneck": [one.p for one in network.bottleneck if isinstance(one, nn.Dropout)]}
    for block in network.decoder:
        channels = block[0].out_channels
        found[channels] = [one.p for one in block if isinstance(one, nn.Dropout)]
    return found


def test_dropout_stands_in_the_bottleneck_and_the_larger_decoder_blocks():
    with torch.device("meta"):
        assert dropouts(build()) == {"bottleneck": [0.1], 512: [0.2], 256: [0.2], 128: [], 64: []}
        without = dropouts(build(dropout=False))
    assert list(without.values()) == [[]] * 5


@pytest.mark.parametrize("batch_norm, count", [("encoder", 8), ("all", 18), ("none", 0)])
def test_batch_norm_stands_where_it_is_asked_for(batch_norm, count):
    network = build(width=2, batch_norm=batch_norm)
    norms = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    assert len(norms) == count


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (30, 47), (33, 64), (5, 200)])
@pytest.mark.parametrize("depth", [1, 4])
def test_any_size(size, depth):
    network = build(outputs=3, width=2, depth=depth).eval()
    images = torch.rand(2, 3, *size)
    logits = network(images)
    assert logits.shape == (2, 3, *size)
    last = torch.channels_last
    other = network.to(memory_format=last)(images.contiguous(memory_format=last))
    assert torch.allclose(logits, other, atol=1e-5)


def test_the_skips_carry_the_encoders_features():
    """With the way below cut off, each pixel still sees its neighbourhood, and only that."""
    torch.manual_seed(0)
    network = build(channels=1, width=8, depth=1, batch_norm="none").eval()
    nn.init.zeros_(network.up[0].weight)
    images = torch.zeros(1, 1, 12, 12)
    before = network(images)
    images[..., 6, 6] = 1.0
    changed = (network(images) != before)[0, 0].nonzero()
    assert changed.min() == 2 and changed.max() == 10  # four 3x3 convolutions on the way


def test_every_parameter_learns():
    network = build(width=2, depth=3)
    network(torch.rand(2, 3, 24, 24)).square().mean().backward()
    silent = [name for name, one in network.named_parameters()
              if one.grad is None or not torch.isfinite(one.grad).all()]  # fmt: skip
    assert silent == []
