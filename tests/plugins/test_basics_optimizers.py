"""Optimizers follow torch's, also after a resume; schedules end where they say."""

import pytest
import torch
from torch import nn
from zoo_basics import optimizers, schedulers

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


def contiguous(state_dict):
    for state in state_dict["state"].values():
        for key, value in state.items():
            if torch.is_tensor(value):
                state[key] = value.clone(memory_format=torch.contiguous_format)
    return state_dict


def resumed(build, made):
    """Three steps, then three more by an optimizer that was given contiguous copies."""
    first = build(made)
    train(made, first, 3)
    second = build(made)
    second.load_state_dict(contiguous(first.state_dict()))
    train(made, second, 3)
    return made


@pytest.mark.parametrize("name", PAIRS)
def test_a_resume_from_contiguous_state_goes_on_as_if_never_stopped(name):
    def build(made):
        return getattr(optimizers, name)(groups(made), **PAIRS[name][1])

    straight = network()
    train(straight, build(straight), 6)
    assert same(resumed(build, network()), straight)


def test_without_the_hook_torchs_fused_adam_goes_astray():
    """The negative control: should torch mend it, the hook can go."""

    def build(made):
        return torch.optim.Adam(made.parameters(), lr=0.01, fused=True)

    straight = network()
    train(straight, build(straight), 6)
    assert not same(resumed(build, network()), straight)


def test_nesterov_needs_momentum():
    with pytest.raises(zoo.TrainingError) as caught:
        optimizers.sgd(groups(network()), nesterov=True)
    assert str(caught.value) == "nesterov = true needs a momentum above 0, given 0.0"


def rates(build, epochs=4, steps=5, values=None, mode="min", **options):
    """The learning rate after each epoch, from 0.1."""
    descent = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    context = zoo.SchedulerContext(descent, epochs, steps, mode)
    schedule, unit = build(context, **options)
    seen = []
    for epoch in range(epochs):
        for _ in range(steps):
            descent.step()
            if unit == "step":
                schedule.step()
        if unit == "epoch" and schedule is not None:
            schedule.step(*([] if values is None else [values[epoch]]))
        seen.append(descent.param_groups[0]["lr"])
    return seen


def test_none_changes_nothing():
    assert rates(schedulers.none) == [0.1] * 4


def test_cosine_ends_at_its_least_rate_with_the_last_step():
    assert rates(schedulers.cosine, min_lr=0.01) == pytest.approx(
        [0.01 + 0.045 * (1 + c) for c in (2**-0.5, 0.0, -(2**-0.5), -1.0)]
    )


def test_step_multiplies_every_so_many_epochs():
    assert rates(schedulers.step, step_size=2, gamma=0.5) == pytest.approx([0.1, 0.05, 0.05, 0.025])


def test_plateau_follows_the_mode():
    falling = [4.0, 3.0, 2.0, 1.0]
    better = rates(schedulers.plateau, values=falling, patience=0)
    worse = rates(schedulers.plateau, values=falling, patience=0, mode="max", min_lr=0.005)
    assert better == [0.1] * 4
    assert worse == pytest.approx([0.1, 0.01, 0.005, 0.005])
