"""What is frozen stays to the bit, statistics included; and which part is what."""

import pytest
import torch
from torch import nn

from zoo.errors import TrainingError
from zoo.recipes.schema import TransferSection
from zoo.training import layers
from zoo.training.freezing import Freezing


class Small(nn.Module):
    """A stem with batch norm, two blocks, dropout, a head; and a norm that learns nothing."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.plain = nn.BatchNorm2d(4, affine=False)
        self.drop = nn.Dropout(0.5)
        self.out = nn.Linear(4, 3)

    def forward(self, images):
        return self.out(self.drop(self.plain(self.stem(images)).mean((2, 3))))


def transfer(**keys):
    return TransferSection.model_validate(keys)


def epoch(network, freezing, number, optimizer):
    """As the loop does it. Returns whether what trains has changed."""
    network.train()
    changed = freezing.before_epoch(number)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(network(torch.randn(4, 1, 6, 6)).square().sum())
    optimizer.step()
    network.eval()
    return changed


def copy_of(network):
    return {name: one.clone() for name, one in network.state_dict().items()}


def changed_names(before, network):
    return {
        name for name, one in network.state_dict().items() if not torch.equal(one, before[name])
    }


@pytest.fixture
def small():
    torch.manual_seed(0)
    network = Small()
    return network, torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)


def test_only_the_head_moves_until_the_epoch_of_unfreezing(small):
    network, optimizer = small
    freezing = Freezing(network, transfer(freeze=["backbone"], unfreeze_epoch=3), outputs=3)
    before = copy_of(network)
    assert epoch(network, freezing, 1, optimizer)
    assert not epoch(network, freezing, 2, optimizer)
    assert changed_names(before, network) == {"out.weight", "out.bias"}
    assert epoch(network, freezing, 3, optimizer)
    assert changed_names(before, network) == set(before)
    assert not epoch(network, freezing, 4, optimizer)
    assert str(freezing) == "48 of 63 parameters are frozen, until epoch 3 begins"


def test_without_freezing_everything_moves(small):
    """The negative control: weight decay and batch statistics alone would change all of it."""
    network, optimizer = small
    freezing = Freezing(network, transfer(), outputs=3)
    before = copy_of(network)
    assert not epoch(network, freezing, 1, optimizer)
    assert changed_names(before, network) == set(before)
    assert str(freezing) == ""


def test_the_epoch_alone_decides_so_a_resumed_run_needs_no_state(small):
    network, optimizer = small
    given = transfer(freeze=["stem"], unfreeze_epoch=2)
    before = copy_of(network)
    epoch(network, Freezing(network, given, outputs=3), 5, optimizer)
    assert changed_names(before, network) == set(before)


def test_dropout_goes_on_and_what_never_trained_never_will(small):
    network, _ = small
    network.out.bias.requires_grad_(False)
    freezing = Freezing(network, transfer(freeze=["backbone"], unfreeze_epoch=2), outputs=3)
    network.train()
    freezing.before_epoch(1)
    modes = {name: one.training for name, one in network.named_modules() if name}
    assert [name for name, mode in modes.items() if not mode] == ["stem.0", "stem.1", "plain"]
    network.train()
    freezing.before_epoch(2)
    assert network.stem[0].weight.requires_grad
    assert not network.out.bias.requires_grad


def test_one_parameter_can_be_frozen(small):
    network, optimizer = small
    before = copy_of(network)
    epoch(network, Freezing(network, transfer(freeze=["stem.1.bias"]), outputs=3), 1, optimizer)
    assert set(before) - changed_names(before, network) == {"stem.1.bias"}


@pytest.mark.parametrize(
    ("freeze", "message"),
    [
        (
            ["sten"],
            "transfer.freeze: 'sten' is no part of the network that has parameters (did you mean "
            "'stem'?); expected backbone or a module, such as stem, out",
        ),
        (["drop"], "transfer.freeze: 'drop' is no part of the network that has parameters"),
        (
            ["stem", "out"],
            "transfer.freeze ['stem', 'out'] leaves nothing to train; leave out a part, such as "
            "the head 'out'",
        ),
    ],
)
def test_refusals(freeze, message):
    with pytest.raises(TrainingError) as caught:
        Freezing(Small(), transfer(freeze=freeze), outputs=3)
    assert str(caught.value).startswith(message)


def test_a_module_of_that_name_is_the_backbone():
    network = nn.ModuleDict(
        {"backbone": nn.Linear(2, 2), "neck": nn.Linear(2, 2), "out": nn.Linear(2, 3)}
    )
    freezing = Freezing(network, transfer(freeze=["backbone"]), outputs=3)
    freezing.before_epoch(1)
    assert [name for name, one in network.named_parameters() if not one.requires_grad] == [
        "backbone.weight", "backbone.bias",
    ]  # fmt: skip


def test_the_head_is_the_last_layer_with_as_many_outputs():
    assert layers.head(Small(), 3) == "out"
    assert layers.head(nn.Sequential(nn.Conv2d(3, 5, 1), nn.Conv2d(5, 4, 1)), 5) == "0"
    assert layers.head(nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 7), nn.ReLU()), 5) == "1"
    assert layers.head(nn.Linear(2, 3), 3) == ""
    weighted = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    assert layers.head(nn.Sequential(nn.Linear(2, 2), weighted), 3) == "1"


def test_the_first_convolution_counts_where_it_sees_the_images():
    assert layers.first_convolution(Small(), 1) == "stem.0.weight"
    assert layers.first_convolution(Small(), 3) is None
    assert layers.first_convolution(nn.Conv2d(3, 6, 1, groups=3), 3) is None
    assert layers.first_convolution(nn.Linear(3, 3), 3) is None
