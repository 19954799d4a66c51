"""linear, mlp and simple_cnn: shapes at odd sizes, the reports' counts, each switch."""

import pytest
import torch
from torch import nn
from zoo_basics import networks

import zoo

DIGITS = zoo.Task.multiclass([str(i) for i in range(10)])


def context(channels=1, size=(28, 28), outputs=10):
    return zoo.ArchitectureContext(channels, size, outputs, DIGITS)


def kinds(network):
    return [type(part).__name__ for part in network]


def parameters(network):
    return sum(one.numel() for one in network.parameters())


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("size", [(8, 8), (28, 28), (9, 15)])
@pytest.mark.parametrize(
    "build, options",
    [
        (networks.linear, {}),
        (networks.mlp, {"layers": 3}),
        (networks.simple_cnn, {}),
        (networks.simple_cnn, {"variant": "three_conv"}),
    ],
)
def test_any_channels_and_size(build, options, size, channels):
    network = build(context(channels, size, outputs=4), **options).eval()
    network = network.to(memory_format=torch.channels_last)
    images = torch.rand(3, channels, *size).contiguous(memory_format=torch.channels_last)
    logits = network(images)
    assert logits.shape == (3, 4)
    assert torch.allclose(network(images.contiguous()), logits, atol=1e-5)


def test_two_conv_is_the_reports():
    network = networks.simple_cnn(context())
    assert parameters(network) == (9 * 32 + 32) + (9 * 32 * 64 + 64) + (64 * 7 * 7 * 10 + 10)
    assert kinds(network) == [
        *("Conv2d", "MaxPool2d", "LeakyReLU", "Conv2d", "MaxPool2d", "LeakyReLU"),
        *("Flatten", "Linear"),
    ]


def test_three_conv_is_the_reports():
    network = networks.simple_cnn(context(3, outputs=9), variant="three_conv")
    convolutions = 3 * 9 * 32 + 32 + 32 * 9 * 64 + 64 + 64 * 9 * 128 + 128
    norms = 2 * (32 + 64 + 128 + 256)
    assert parameters(network) == convolutions + norms + (128 * 9 * 256 + 256) + (256 * 9 + 9)
    block = ["Conv2d", "BatchNorm2d", "MaxPool2d", "ReLU", "Dropout"]
    head = ["Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear"]
    assert kinds(network) == [*block * 3, "Flatten", *head]
    rates = [part.p for part in network if isinstance(part, nn.Dropout)]
    assert rates == [0.25, 0.25, 0.25, 0.5]


@pytest.mark.parametrize("activation", ["ReLU", "LeakyReLU"])
def test_pooling_before_the_activation_changes_no_number(activation):
    """The reports pool behind it: values and gradients are the same to the last bit."""
    torch.manual_seed(0)
    name = {"ReLU": "relu", "LeakyReLU": "leaky_relu"}[activation]
    ours = networks.simple_cnn(context(), activation=name)
    theirs = nn.Sequential(*(ours[i] for i in (0, 2, 1, 3, 5, 4, 6, 7)))
    assert kinds(theirs)[:3] == ["Conv2d", activation, "MaxPool2d"]
    images, labels = torch.rand(16, 1, 28, 28), torch.arange(16) % 10
    gradients = []
    for network in (ours, theirs):
        network.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        gradients.append([one.grad.clone() for one in network.parameters()])
    assert torch.equal(ours(images), theirs(images))
    assert all(map(torch.equal, *gradients))


@pytest.mark.parametrize(
    "options, present, absent",
    [
        ({"activation": "relu"}, {"ReLU"}, {"LeakyReLU"}),
        ({"batch_norm": "on"}, {"BatchNorm2d"}, {"Dropout"}),
        ({"dropout": "on"}, {"Dropout"}, {"BatchNorm2d"}),
        ({"variant": "three_conv", "activation": "leaky_relu"}, {"LeakyReLU"}, {"ReLU"}),
        (
            {"variant": "three_conv", "batch_norm": "off"},
            {"Dropout"},
            {"BatchNorm2d", "BatchNorm1d"},
        ),
        ({"variant": "three_conv", "dropout": "off"}, {"BatchNorm1d", "BatchNorm2d"}, {"Dropout"}),
    ],
)
def test_each_switch(options, present, absent):
    found = set(kinds(networks.simple_cnn(context(), **options)))
    assert present <= found
    assert not absent & found


@pytest.mark.parametrize("variant, least", [("two_conv", 4), ("three_conv", 8)])
def test_the_least_size(variant, least):
    network = networks.simple_cnn(context(size=(least, least + 3)), variant=variant).eval()
    assert network(torch.rand(1, 1, least, least + 3)).shape == (1, 10)
    poolings = {4: 2, 8: 3}[least]
    with pytest.raises(zoo.ZooError) as caught:
        networks.simple_cnn(context(size=(30, least - 1)), variant=variant)
    assert str(caught.value) == (
        f"images of 30 x {least - 1} pixels are too small for simple_cnn {variant!r}: its "
        f"{poolings} poolings need at least {least} x {least}"
    )


def test_mlp_stacks():
    def build(**options):
        return kinds(networks.mlp(context(), **options))

    assert build(layers=1) == ["Flatten", "Linear"]
    assert build(layers=2) == ["Flatten", "Linear", "ReLU", "Linear"]
    assert build(layers=4, activation="none") == ["Flatten", *["Linear"] * 4]
    assert build(layers=2, activation="leaky_relu", output_activation="relu") == [
        *("Flatten", "Linear", "LeakyReLU", "Linear", "ReLU")
    ]


def test_mlp_of_the_x_ray_report():
    """Its summary: 409,600 pixels, 10 hidden units, one output."""
    network = networks.mlp(context(size=(640, 640), outputs=1), hidden_units=10)
    assert parameters(network) == 409_600 * 10 + 10 + 10 + 1
