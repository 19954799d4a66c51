"""A rate for each part: which layers there are, which factors, and that schedules keep them."""

from collections import OrderedDict

import pytest
import torch
import torchvision
from torch import nn

from zoo.errors import PluginError, TrainingError
from zoo.plugins.catalog import catalog
from zoo.plugins.contexts import OptimizerContext, SchedulerContext
from zoo.recipes.reading import read_recipe
from zoo.training import layers
from zoo.training.rates import check_rates, factors, parameter_groups


def recipe(**transfer):
    given = {
        "dataset": {"name": "digits"},
        "architecture": {"name": "mlp"},
        "optimizer": {"name": "sgd", "lr": 0.5},
        "transfer": transfer,
    }
    return read_recipe(given, (), catalog())


@pytest.fixture
def stack():
    names = ("one", "norm", "two", "out")
    parts = (nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4), nn.Linear(4, 3))
    return nn.Sequential(OrderedDict(zip(names, parts, strict=True)))


def by_module(found):
    return {name.rpartition(".")[0]: factor for name, factor in found.items()}


def test_a_layer_is_a_block():
    depths = layers.depths(torchvision.models.resnet18(num_classes=10))
    assert max(depths.values()) == 9  # stem, eight blocks, head
    assert (depths["conv1.weight"], depths["bn1.weight"], depths["layer1.0.bn2.bias"]) == (0, 0, 1)
    assert depths["layer4.1.conv1.weight"] == depths["layer4.1.bn2.weight"] == 8
    assert depths["fc.weight"] == 9


def test_the_blocks_of_a_transformer_are_found_inside_its_encoder():
    depths = layers.depths(torchvision.models.VisionTransformer(16, 8, 3, 2, 16, 32, num_classes=5))
    assert max(depths.values()) == 4  # patches, three blocks, head
    assert depths["class_token"] == depths["encoder.pos_embedding"] == depths["conv_proj.bias"] == 0
    assert depths["encoder.layers.encoder_layer_2.ln_1.weight"] == depths["encoder.ln.bias"] == 3
    assert depths["heads.head.weight"] == 4


def test_factors_multiply_and_the_longest_name_wins(stack):
    decay = by_module(factors(stack, recipe(layer_decay=0.5, head_lr=4).transfer, 3))
    assert decay == {"one": 0.25, "norm": 0.25, "two": 0.5, "out": 4.0}
    rates = {"backbone": 0.1, "one": 0.5, "one.bias": 2.0}
    found = factors(stack, recipe(rates=rates).transfer, 3)
    assert (found["one.weight"], found["one.bias"]) == (0.5, 2.0)
    assert (found["two.weight"], found["out.weight"]) == (0.1, 1.0)


def test_one_plain_group_where_nothing_is_asked_for(stack):
    assert parameter_groups(stack, recipe(freeze=["one"]), 3) == [
        {"params": list(stack.parameters())}
    ]


def test_a_group_for_each_rate_with_every_parameter_in_one(stack):
    groups = parameter_groups(stack, recipe(layer_decay=0.5, head_lr=4), 3)
    assert [group["lr"] for group in groups] == [0.25, 0.125, 2.0]
    members = [id(one) for group in groups for one in group["params"]]
    assert sorted(members) == sorted(map(id, stack.parameters()))
    # Every optimizer keeps them.
    for name in catalog().names("optimizer"):
        component = catalog().get("optimizer", name)
        check_rates(component.build(OptimizerContext(groups)), groups, component)


@pytest.mark.parametrize("name", ["none", "plateau", "cosine", "cosine_restarts", "step",
                                  "multi_step", "exponential", "one_cycle"])  # fmt: skip
def test_schedules_keep_the_proportions(stack, name):
    groups = parameter_groups(stack, recipe(head_lr=10), 3)
    optimizer = torch.optim.AdamW(groups)
    component = catalog().get("scheduler", name)
    options = {"patience": 3} if name == "plateau" else {}
    schedule, _ = component.build(SchedulerContext(optimizer, 3, 4), options)
    optimizer._opt_called = True
    rates = set()
    for _ in range(11):
        if schedule is not None:
            schedule.step(*([1.0] if name == "plateau" else []))
        body, head = (group["lr"] for group in optimizer.param_groups)
        assert head == pytest.approx(10 * body)
        rates.add(body)
    assert (len(rates) == 1) == (name in ("none", "step", "multi_step")), rates


def test_refusals(stack):
    with pytest.raises(TrainingError) as caught:
        parameter_groups(stack, recipe(rates={"ome": 0.1}), 3)
    assert str(caught.value) == (
        "transfer.rates.ome: 'ome' is no part of the network that has parameters (did you mean "
        "'one'?); expected backbone or a module, such as one, norm, two, out"
    )
    other = recipe(head_lr=2).model_copy(
        update={"optimizer": recipe().optimizer.model_copy(update={"options": {}})}
    )
    with pytest.raises(TrainingError) as caught:
        parameter_groups(stack, other, 3)
    assert str(caught.value) == (
        "optimizer 'sgd' has no option 'lr', so transfer.head_lr, layer_decay and rates have "
        "nothing to multiply"
    )


def test_an_optimizer_that_drops_the_rates_is_found_out(stack):
    groups = parameter_groups(stack, recipe(head_lr=2), 3)
    deaf = torch.optim.SGD(stack.parameters(), lr=0.5)
    with pytest.raises(PluginError, match="deaf ignores the rates of its parameter groups"):
        check_rates(deaf, groups, "deaf")
    check_rates(deaf, parameter_groups(stack, recipe(), 3), "deaf")
