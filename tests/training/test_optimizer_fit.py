"""States of optimizers from files: what a run wrote is taken, what could not be its own is not."""

import copy

import pytest
import torch
from torch import nn, optim

from zoo.training.optimizer_fit import fitted
from zoo.training.precision import Precision
from zoo.training.state import pack, unpack
from zoo.training.update import Update

BUILT = {
    "sgd": lambda groups: optim.SGD(groups, lr=0.1, fused=True),
    "momentum": lambda groups: optim.SGD(groups, lr=0.1, momentum=0.9, fused=True),
    "adam": lambda groups: optim.Adam(groups, lr=0.01, fused=True),
    "amsgrad": lambda groups: optim.AdamW(groups, lr=0.01, amsgrad=True, foreach=True),
    "nadam": lambda groups: optim.NAdam(groups, lr=0.01),
    "adagrad": lambda groups: optim.Adagrad(groups, lr=0.1, fused=True),
    "adafactor": lambda groups: optim.Adafactor(groups, lr=0.1),  # keeps rows and columns
    "rprop": lambda groups: optim.Rprop(groups, lr=0.1),
    "later": lambda groups: Later(groups, lr=0.1),
    "reads": lambda groups: Reads(groups, lr=0.1),
}


class Later(optim.SGD):
    """Begins to keep something in its second step."""

    def step(self, closure=None):
        for weight in self.param_groups[0]["params"]:
            held = self.state[weight]
            held["count"] = held.get("count", 0) + 1
            if held["count"] > 1:
                held["slow"] = weight.detach().clone()
        return super().step(closure)


class Reads(optim.SGD):
    """Wants real memory, and keeps what has neither its parameter's shape nor one number."""

    def step(self, closure=None):
        for weight in self.param_groups[0]["params"]:
            largest = weight.grad.abs().max().item()
            self.state[weight]["pair"] = torch.tensor([largest, 0.0])
        return super().step(closure)


def network():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2))
    return layers.to(memory_format=torch.channels_last)


def groups(made):
    first, *others = made.parameters()
    return [{"params": [first]}, {"params": others, "lr": 0.02}]


def train(made, optimizer, steps):
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    for _ in range(steps):
        optimizer.zero_grad()
        made(images).square().mean().backward()
        optimizer.step()


def as_file(state):
    """As a checkpoint keeps it: values, not strides."""
    held = {name: one.contiguous().clone() for name, one in pack({"it": state}).items()}
    return unpack(held)["it"]


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("name", BUILT)
def test_what_a_run_wrote_is_taken_as_it_is(name, steps):
    made = network()
    optimizer = BUILT[name](groups(made))
    train(made, optimizer, steps)
    before = copy.deepcopy([*made.parameters()])
    kept = as_file(optimizer.state_dict())
    again = BUILT[name](groups(made))
    taken = fitted(again, kept)
    assert taken["state"] is kept["state"] and taken["param_groups"] == kept["param_groups"]
    assert all(map(torch.equal, before, made.parameters()))
    assert again.state.keys() == BUILT[name](groups(made)).state.keys()


SHORT = [
    (name, key)
    for name, keys in {
        "momentum": ["momentum_buffer"],
        "adam": ["step", "exp_avg", "exp_avg_sq"],
        "amsgrad": ["max_exp_avg_sq"],
        "nadam": ["mu_product", "exp_avg"],
        "adagrad": ["sum", "step"],
        "adafactor": ["row_var", "col_var"],
        "later": ["slow"],
        "reads": ["pair"],
    }.items()
    for key in keys
]


@pytest.mark.parametrize(("name", "key"), SHORT)
def test_a_state_of_another_length_is_refused(name, key):
    made = network()
    optimizer = BUILT[name](groups(made))
    train(made, optimizer, 2)
    kept = as_file(optimizer.state_dict())
    fitted(BUILT[name](groups(made)), kept)
    kept["state"][0][key] = torch.zeros(3)
    with pytest.raises(ValueError, match=rf"optimizer\.state\.0\.{key} is float32 \(3,\)"):
        fitted(BUILT[name](groups(made)), kept)


def test_a_switch_in_the_file_makes_no_kernel_miss_its_state():
    made = network()
    optimizer = BUILT["adam"](groups(made))
    train(made, optimizer, 1)
    kept = as_file(optimizer.state_dict())
    kept["param_groups"][0].update(amsgrad=True, fused=False, capturable="x", lr=0.005)
    again = BUILT["adam"](groups(made))
    again.load_state_dict(fitted(again, kept))
    train(made, again, 1)
    group = again.param_groups[0]
    assert (group["amsgrad"], group["fused"], group["lr"]) == (False, True, 0.005)


def test_a_rate_that_is_a_tensor_stays_one():
    weight = nn.Parameter(torch.zeros(2))
    optimizer = optim.Adam([weight], lr=torch.tensor(0.1), foreach=False)
    kept = as_file(optimizer.state_dict())
    kept["param_groups"][0]["lr"] = torch.tensor(0.05)
    rate = fitted(optimizer, kept)["param_groups"][0]["lr"]
    assert isinstance(rate, torch.Tensor) and rate.item() == pytest.approx(0.05)


def resumed(made, load):
    """Three steps, then three more by an optimizer that was given what a file keeps."""
    first = BUILT["adam"](groups(made))
    train(made, first, 3)
    second = BUILT["adam"](groups(made))
    load(second, as_file(first.state_dict()))
    train(made, second, 3)
    return [*made.parameters()]


def test_loaded_state_gets_the_memory_format_of_its_parameter():
    straight = network()
    train(straight, BUILT["adam"](groups(straight)), 6)
    cpu = torch.device("cpu")

    def by_update(optimizer, state):
        Update(optimizer, Precision("fp32", cpu)).load_state_dict(state)

    assert all(map(torch.equal, resumed(network(), by_update), straight.parameters()))
    # The negative control: should torch mend it, the care can go.
    astray = resumed(network(), lambda optimizer, state: optimizer.load_state_dict(state))
    assert not all(map(torch.allclose, astray, straight.parameters()))
