"""The table of layers: it sums up, in calling order, whatever the network is made of."""

import torch
from torch import nn

import zoo
from zoo.plugins.catalog import catalog
from zoo.training.layer_table import describe


class Odd(nn.Module):
    """A module called twice, a shared weight, a tuple inside, a weight of its own, one unused."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.act = nn.ReLU()
        self.block = nn.ModuleList([nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)])
        self.pair = Pair()
        self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 8)
        self.second.weight = self.first.weight
        self.scale = nn.Parameter(torch.ones(8, 5))
        self.unused = nn.Linear(4, 4)

    def forward(self, images):
        features = self.act(self.stem(images))
        for one in self.block:
            features = self.act(one(features))
        mean, _ = self.pair(features)
        return self.second(self.first(mean)) @ self.scale


class Pair(nn.Module):
    def forward(self, features):
        return features.mean((2, 3)), {"kept": features}


def test_rows_sum_up_to_what_is_computed_by_hand():
    table = describe(Odd().train(), (3, 6, 4))
    rows = {row.name: row for row in table.rows}
    assert list(rows) == [
        "", "stem", "act", "block.0", "block.1", "pair", "first", "second", "unused",
    ]  # fmt: skip
    assert rows["stem"].flops == 2 * 8 * 3 * 9 * 24
    assert rows["stem"].output == (8, 6, 4)
    assert (rows["act"].calls, rows["act"].parameters) == (3, 0)
    assert rows["pair"].output == (8,)
    assert rows["first"].parameters == 72
    assert rows["second"].parameters == 8  # its weight is the first's
    assert (rows[""].flops, rows[""].parameters) == (2 * 8 * 5, 40)
    assert (rows["unused"].output, rows["unused"].parameters) == (None, 20)
    assert table.parameters == sum(row.parameters for row in table.rows)
    assert table.flops == sum(row.flops for row in table.rows)
    assert table.training_flops == 3 * table.flops


def test_attention_counts_in_training_and_evaluation_mode_alike():
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)

    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, images):
            return self.layer(images.flatten(2).transpose(1, 2))

    flops = describe(Sequence(), (16, 3, 3)).flops
    words, width, hidden = 9, 16, 32
    projections = 2 * words * width * (4 * width) + 2 * 2 * words * width * hidden
    assert flops == projections + 2 * 2 * words * words * width


def test_a_long_table_is_collapsed_no_more_than_it_must_be():
    def stage(number):
        return nn.Sequential(*(nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU()) for _ in range(number)))

    network = nn.Sequential(stage(3), stage(4), nn.Flatten())
    assert len(describe(network, (4, 2, 2)).rows) == 15
    blocks = describe(network, (4, 2, 2), most=10)
    assert [row.name for row in blocks.rows][:4] == ["0.0", "0.1", "0.2", "1.0"]
    stages = describe(network, (4, 2, 2), most=7)
    assert [(row.name, row.kind, row.output) for row in stages.rows] == [
        ("0", "Sequential", (4, 2, 2)), ("1", "Sequential", (4, 2, 2)), ("2", "Flatten", (16,)),
    ]  # fmt: skip
    for table in (blocks, stages):
        assert sum(row.flops for row in table.rows) == table.flops == 7 * 2 * 16 * 4
        assert sum(row.parameters for row in table.rows) == table.parameters


def test_looking_changes_nothing():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5))
    network[1].eval()
    network[0].weight.requires_grad_(False)
    before = {name: one.clone() for name, one in network.state_dict().items()}
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    table = describe(network, (1, 5, 5))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(one, before[name]) for name, one in network.state_dict().items())
    assert [module.training for module in network] == [True, False, True]
    assert not network[0]._forward_hooks
    assert (table.parameters, table.trainable) == (24, 6)


def test_a_network_with_skips_sums_up_too():
    task = zoo.Task.segmentation(["ground", "tool"], positive="tool")
    unet = catalog().get("architecture", "unet")
    context = zoo.ArchitectureContext(3, (16, 16), 1, task)
    table = describe(unet.build(context, unet.bind({"width": 8})), (3, 16, 16))
    assert table.rows[0].kind == "Conv2d" and table.rows[-1].name == "out"
    assert {row.name: row.calls for row in table.rows}["pool"] == 4
    assert sum(row.flops for row in table.rows) == table.flops
