"""The sweep over architectures finds what is wrong with one: each fault here is named."""

from __future__ import annotations

import pytest
import sweep
import torch
from sweep import try_architecture
from torch import nn

from zoo.errors import TrainingError
from zoo.plugins.catalog import Catalog
from zoo.plugins.families import ArchitectureFamily
from zoo.plugins.loading import Loaded, Plugin
from zoo.plugins.specs import Facts


class Net(nn.Module):
    def __init__(self, channels, outputs, fault):
        super().__init__()
        self.body = nn.Conv2d(channels, 4, 3)
        self.head = nn.Linear(4, outputs)
        self.spare = nn.Linear(1, 1) if fault == "spare" else None
        self.fault = fault
        self.scale = 1.0 if fault != "unsaved" else float(torch.rand(()))

    def forward(self, images):
        features = self.body(images).mean((2, 3))
        logits = self.head(features) * self.scale
        if self.fault == "shape":
            return logits[:, :1]
        if self.fault == "tuple":
            return logits, logits
        if self.fault == "cut":
            return self.head.bias.detach().requires_grad_().expand(len(images), -1) * 1
        if self.fault == "nan":
            return logits / 0 * 0
        return logits


def build(context, name):
    if name == "refuses":
        raise TrainingError("architecture 'x/refuses': image size 8x8, expected at least 9x9")
    if name == "module":
        return "a network"
    if name == "large":
        first = nn.Conv2d(context.in_channels, 1, context.image_size)
        wide = nn.Linear(1, 1 << 28), nn.Linear(1 << 28, context.outputs)
        return nn.Sequential(first, nn.Flatten(), *wide)
    return Net(context.in_channels, context.outputs, name)


NAMES = ("fine", "refuses", "module", "shape", "tuple", "cut", "nan", "spare", "unsaved", "large")


@pytest.fixture(autouse=True)
def family(monkeypatch):
    spec = ArchitectureFamily(
        prefix="x", names=NAMES, build=build, summary="a family",
        facts=lambda name: Facts(parameters=1 << 29 if name == "large" else 100),
    )  # fmt: skip
    made = Catalog([Loaded(Plugin("x", "zoo-x", "1.0"), (spec,))])
    monkeypatch.setattr(sweep, "catalog", lambda: made)


@pytest.mark.parametrize(("channels", "outputs"), [(1, 3), (3, 3), (5, 1)])
def test_what_is_well_is_well(channels, outputs):
    found = try_architecture("x/fine", channels, outputs, size=8)
    assert found.ok, found.problem
    assert (found.size, found.device, found.notes) == ((8, 8), "cpu", ())
    assert found.parameters == 4 * (9 * channels + 1) + 5 * outputs


FAULTS = {
    "refuses": "architecture 'x/refuses': image size 8x8, expected at least 9x9",
    "module": "it builds str; expected a torch.nn.Module",
    "shape": "it gives (2, 1); expected a tensor (2, 3)",
    "tuple": "it gives tuple; expected a tensor (2, 3)",
    "cut": "no parameter has a gradient",
    "nan": "the gradient of 'body.weight' is not finite",
    "unsaved": "loaded again, its logits differ by up to ",
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named(name):
    found = try_architecture(f"x/{name}", 1, size=8)
    assert not found.ok
    assert found.problem.startswith(FAULTS[name]), found.problem


def test_parameters_without_a_gradient_are_noted():
    found = try_architecture("x/spare", 1, size=8)
    assert found.ok, found.problem
    assert found.notes == ("2 tensors have no gradient, such as 'spare.weight'",)


def test_a_large_one_takes_no_memory():
    found = try_architecture("x/large", 1, size=8)
    assert found.ok, found.problem
    assert found.device == "meta"
    assert found.parameters > sweep.LARGE
