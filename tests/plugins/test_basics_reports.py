"""tiny_cnn, skin_cnn, alexnet_bn and resnet18_kaiming are the networks of the reports; mlp in all
their forms."""

import itertools

import pytest
import torch
from torch import nn
from zoo_basics import networks, networks_reports

import zoo

SICK = zoo.Task.binary(["normal", "pneumonia"], positive="pneumonia")


def context(channels=3, size=(128, 128), outputs=1):
    return zoo.ArchitectureContext(channels, size, outputs, SICK)


def kinds(network):
    return [type(part).__name__ for part in network]


def parameters(network):
    return sum(one.numel() for one in network.parameters())


@pytest.mark.parametrize("layers", [2, 3, 4])
@pytest.mark.parametrize("units", [5, 10, 20])
@pytest.mark.parametrize("activation", ["none", "relu"])
def test_mlp_on_x_rays(layers, units, activation):
    with torch.device("meta"):
        network = networks.mlp(
            context(1, (640, 640)), layers=layers, hidden_units=units, activation=activation
        )
    expected = 640 * 640 * units + units + (layers - 2) * (units * units + units) + units + 1
    assert parameters(network) == expected
    assert kinds(network).count("ReLU") == (layers - 1 if activation == "relu" else 0)


@pytest.mark.parametrize("filters", [5, 10, 20])
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_tiny_cnn_on_x_rays(filters, kernel_size):
    """Its summary: 256,000 features for 10 filters."""
    with torch.device("meta"):
        network = networks_reports.tiny_cnn(
            context(1, (640, 640)), filters=filters, kernel_size=kernel_size
        )
    one = kernel_size**2 * filters
    convolutions = (one + filters) + 3 * (one * filters + filters)
    assert parameters(network) == convolutions + 25_600 * filters + 1
    assert network.out.in_features == {5: 128_000, 10: 256_000, 20: 512_000}[filters]
    block = ["Conv2d", "ReLU", "Conv2d", "MaxPool2d", "ReLU"]
    assert kinds(network) == [*block, *block, "Flatten", "Linear"]


def test_skin_cnn_is_the_reports_baseline():
    network = networks_reports.skin_cnn(context())
    assert network.hidden.in_features == 32_768
    assert parameters(network) == (27 * 16 + 16) + (144 * 32 + 32) + (32_768 * 100 + 100) + 101
    assert kinds(network) == [
        *("Conv2d", "MaxPool2d", "ReLU") * 2,
        *("Flatten", "Linear", "ReLU", "Linear"),
    ]


def test_skin_cnn_with_norms_and_dropout_is_the_reports():
    network = networks_reports.skin_cnn(context(), norm="batch", dropout=True)
    block = ("Conv2d", "BatchNorm2d", "MaxPool2d", "ReLU", "Dropout")
    head = ("Flatten", "Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear")
    assert kinds(network) == [*block, *block, *head]
    assert [part.p for part in network if isinstance(part, nn.Dropout)] == [0.2, 0.2, 0.5]
    groups = networks_reports.skin_cnn(context(), norm="group")
    assert [one.num_groups for one in groups if isinstance(one, nn.GroupNorm)] == [4, 8]
    assert "BatchNorm1d" not in kinds(groups)


def test_skin_cnn_with_the_residual_block_is_the_reports():
    network = networks_reports.skin_cnn(context(), norm="batch", dropout=True, residual=True)
    assert kinds(network) == [
        *("Conv2d", "BatchNorm2d", "MaxPool2d", "ReLU", "Dropout"),
        *("ResidualBlock", "BatchNorm2d", "ReLU", "Dropout"),
        *("Flatten", "Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear"),
    ]
    assert network.hidden.in_features == 32_768
    block = network.residual
    assert parameters(block) == (144 * 32 + 32) + (288 * 32 + 32) + (16 * 32 + 32) + 3 * 64
    block.eval()
    features = torch.randn(2, 16, 9, 6)
    expected = torch.relu(block.way(features) + block.around(features))
    assert torch.equal(block(features), expected) and expected.shape == (2, 32, 5, 3)


@pytest.mark.parametrize("norm", ["none", "batch", "group"])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("size", [(4, 4), (9, 15), (30, 29)])
def test_skin_cnn_at_any_size(norm, residual, size):
    built = networks_reports.skin_cnn(context(1, size, 4), norm=norm, residual=residual)
    assert built.eval()(torch.rand(2, 1, *size)).shape == (2, 4)


def test_alexnet_bn_is_torchvisions_with_norms():
    from torchvision.models import AlexNet

    with torch.device("meta"):
        ours, theirs = networks_reports.alexnet_bn(context(outputs=9)), AlexNet(num_classes=9)
    assert parameters(ours) == parameters(theirs) + 2 * (64 + 192 + 384 + 256 + 256)
    features = list(ours.features)
    for step, after in itertools.pairwise(features):
        if isinstance(step, nn.Conv2d):
            assert isinstance(after, nn.BatchNorm2d) and after.num_features == step.out_channels
    without = [one for one in features if not isinstance(one, nn.BatchNorm2d)]
    assert [str(one) for one in without] == [str(one) for one in theirs.features]
    assert str(ours.classifier) == str(theirs.classifier)


def test_alexnet_bn_takes_any_number_of_channels():
    with torch.device("meta"):
        network = networks_reports.alexnet_bn(context(1, (63, 63), 4), dropout=0.1).eval()
        assert network(torch.empty(2, 1, 63, 63)).shape == (2, 4)
    first = network.features[0]
    assert (first.kernel_size, first.stride, first.padding) == ((11, 11), (4, 4), (2, 2))
    assert [one.p for one in network.classifier if isinstance(one, nn.Dropout)] == [0.1, 0.1]


@pytest.mark.parametrize("residual", [False, True])
def test_skin_cnn_with_5x5_kernels_keeps_every_size(residual):
    network = networks_reports.skin_cnn(context(), residual=residual, kernel_size=5)
    kernels = [one.kernel_size[0] for one in network.modules() if isinstance(one, nn.Conv2d)]
    assert kernels == ([5, 5, 5, 1] if residual else [5, 5])
    assert network.hidden.in_features == 32_768
    assert network.eval()(torch.rand(2, 3, 128, 128)).shape == (2, 1)


def test_alexnet_bn_takes_alexnets_weights(monkeypatch):
    from torchvision.models import AlexNet

    torch.manual_seed(0)
    theirs = AlexNet(num_classes=1000)
    monkeypatch.setattr(networks_reports, "fetch_weights", lambda **asked: asked["url"])
    monkeypatch.setattr(
        networks_reports, "read_torch_weights", lambda path: dict(theirs.state_dict())
    )
    given = networks_reports.alexnet_bn_weights(context())
    assert (given.mean, given.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    ours = networks_reports.alexnet_bn(context(outputs=1000))
    missing, unexpected = ours.load_state_dict(dict(given.weights), strict=False)
    assert unexpected == []
    norms = [name for name, part in ours.named_modules() if isinstance(part, nn.BatchNorm2d)]
    assert {name.rpartition(".")[0] for name in missing} == set(norms)
    for part in ours.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eps = 0.0  # a new norm is then the identity: the same network
    images = torch.rand(2, 3, 224, 224)
    with torch.no_grad():
        assert torch.allclose(ours.eval()(images), theirs.eval()(images), atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_resnet18_kaiming_is_torchvisions_drawn_by_the_fan_in(channels):
    from torchvision.models import resnet18

    torch.manual_seed(0)
    network = networks_reports.resnet18_kaiming(context(channels, (64, 64), 1))
    shapes = {name: one.shape for name, one in network.state_dict().items()}
    expected = {name: one.shape for name, one in resnet18(num_classes=1).state_dict().items()}
    expected["conv1.weight"] = torch.Size((64, channels, 7, 7))
    assert shapes == expected
    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            fan_in = part.weight[0].numel()
            assert part.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.1)
    assert network.fc.bias.item() == 0
    assert network.eval()(torch.rand(2, channels, 64, 64)).shape == (2, 1)


@pytest.mark.parametrize(
    "build, least, options",
    [
        (networks_reports.tiny_cnn, 4, {}),
        (networks_reports.skin_cnn, 4, {}),
        (networks_reports.skin_cnn, 2, {"residual": True}),
        (networks_reports.alexnet_bn, 63, {}),
    ],
)
def test_the_least_size(build, least, options):
    with torch.device("meta"):
        network = build(context(1, (least, least + 3)), **options).eval()
        assert network(torch.empty(2, 1, least, least + 3)).shape == (2, 1)
    with pytest.raises(zoo.ZooError) as caught:
        build(context(1, (99, least - 1)), **options)
    assert str(caught.value) == (
        f"images of 99 x {least - 1} pixels are too small for {build.__name__}: expected at least "
        f"{least} x {least}; set data.size"
    )
