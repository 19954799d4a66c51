"""Optimizers follow torch's, also after a resume."""

import pytest
import torch
from torch import nn
from zoo_basics import optimizers

import zoo

PAIRS = {
    "sgd": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "adam": (torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1}),
    "adamw": (torch.optim.AdamW, {"lr": 0.01, "amsgrad": True}),
    "nadam": (torch.optim.NAdam, {"lr": 0.01}),
    "adagrad": (torch.optim.Adagrad, {"lr": 0.1}),
}


def network():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2))
    return layers.to(memory_format=torch.channels_last)


def groups(made):
    return zoo.OptimizerContext([{"params": list(made.parameters())}])


def train(made, optimizer, steps):
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    for _ in range(steps):
        optimizer.zero_grad()
        made(images).square().mean().backward()
        optimizer.step()


def same(one, other):
    return all(
        torch.allclose(a, b, rtol=1e-5, atol=1e-6)
        for a, b in zip(one.parameters(), other.parameters(), strict=True)
    )


@pytest.mark.parametrize("name", PAIRS)
def test_the_steps_are_torchs(name):
    torch_type, options = PAIRS[name]
    ours, theirs, still = network(), network(), network()
    train(ours, getattr(optimizers, name)(groups(ours), **options), 5)
    train(theirs, torch_type(theirs.parameters(), foreach=False, **options), 5)
    assert same(ours, theirs)
    assert not same(ours, still)


@pytest.mark.parametrize("name", PAIRS)
def test_defaults_are_torchs(name):
    made = network()
    ours = getattr(optimizers, name)(groups(made)).param_groups[0]
    theirs = PAIRS[name][0](made.parameters()).param_groups[0]
    ignored = {"params", "fused"}
    assert {k: v for k, v in ours.items() if k not in ignored} == {
        k: v for k, v in theirs.items() if k not in ignored
    }


@pytest.mark.parametrize("name", PAIRS)
def test_the_same_twice_is_the_same_to_the_last_bit(name):
    made = [network(), network()]
    for one in made:
        train(one, getattr(optimizers, name)(groups(one), **PAIRS[name][1]), 5)
    assert all(map(torch.equal, made[0].parameters(), made[1].parameters()))


def test_nesterov_needs_momentum():
    with pytest.raises(zoo.TrainingError) as caught:
        optimizers.sgd(groups(network()), nesterov=True)
    assert str(caught.value) == "nesterov = true needs a momentum above 0, given 0.0"
