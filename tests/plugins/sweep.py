"""One architecture tried as zoo uses it: built, run forth and back, saved, loaded again.

For the tests of the plugins that bring many: each shows in a table what fails, and why.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from zoo.errors import ZooError, reason
from zoo.plugins.catalog import Component, catalog, resolve
from zoo.plugins.contexts import ArchitectureContext
from zoo.plugins.specs import Facts
from zoo.registry.loading import network_with
from zoo.storage import tensors
from zoo.tasks import BINARY, MULTICLASS, MULTILABEL, SEGMENTATION, Task

LARGE = 200_000_000  # parameters; beyond, only shapes are computed, on torch's meta device
_BATCH = 2


@dataclass(frozen=True)
class Outcome:
    """``size``: (height, width) of the images; ``parameters``: with these outputs and channels;
    ``device``: ``"cpu"``, or ``"meta"`` where only shapes were computed; ``problem``: what went
    wrong, empty where all is well; ``notes``: what to know besides."""

    name: str
    channels: int
    size: tuple[int, int]
    parameters: int = 0
    device: str = "cpu"
    seconds: float = 0.0
    problem: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return not self.problem


class FaultError(Exception):
    """What an architecture does wrong, in words."""


def try_architecture(
    name: str,
    channels: int,
    outputs: int = 3,
    task: str = MULTICLASS,
    size: int | tuple[int, int] = 64,
    options: Mapping[str, Any] | None = None,
) -> Outcome:
    """Build ``name`` for ``channels`` and ``outputs`` (one: a task with a positive class), run two
    images of ``size`` forth and back, save the state, load it as a published version's is loaded,
    and compare the logits to the bit. Above :data:`LARGE` parameters, shapes only."""
    sides = (size, size) if isinstance(size, int) else size
    trial = _Trial(name, channels, sides, _task(task, outputs), options or {})
    started = time.monotonic()
    problem = ""
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")  # of libraries, about themselves
            torch.manual_seed(0)
            trial.run()
    except (ZooError, FaultError) as error:
        problem = str(error)
    except Exception as error:
        problem = reason(error)
    seconds = time.monotonic() - started
    return Outcome(
        name, channels, sides, trial.parameters, trial.device, seconds, problem, tuple(trial.notes)
    )


class _Trial:
    def __init__(
        self,
        name: str,
        channels: int,
        size: tuple[int, int],
        task: Task,
        options: Mapping[str, Any],
    ) -> None:
        self.name, self.channels, self.size, self.task = name, channels, size, task
        self.given = options
        self.parameters, self.device = 0, "cpu"
        self.notes: list[str] = []

    def run(self) -> None:
        component = catalog().get("architecture", self.name)
        context = ArchitectureContext(self.channels, self.size, self.task.outputs, self.task)
        large = (_told(component) or 0) > LARGE
        network = self._built(component, context, "meta" if large else "cpu")
        if self.parameters > LARGE and not large:  # nobody had said so
            large, network = True, self._built(component, context, "meta")
        self.device = "meta" if large else "cpu"
        self._forth_and_back(network)
        if large:
            self._same_names(network, self._built(component, context, "meta"))
        else:
            self._saved_and_loaded(network, component)

    def _built(self, component: Component, context: ArchitectureContext, device: str) -> nn.Module:
        with torch.device(device):
            network = component.build(context, self.given)
        if not isinstance(network, nn.Module):
            raise FaultError(f"it builds {type(network).__name__}; expected a torch.nn.Module")
        self.parameters = sum(one.numel() for one in network.parameters())
        return network

    def _images(self) -> Tensor:
        return torch.randn(_BATCH, self.channels, *self.size, device=self.device)

    def _forth_and_back(self, network: nn.Module) -> None:
        logits = network.train()(self._images())
        shape: tuple[int, ...] = (_BATCH, self.task.outputs)
        if self.task.kind == SEGMENTATION:
            shape += self.size
        if not isinstance(logits, Tensor) or tuple(logits.shape) != shape:
            found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise FaultError(f"it gives {found}; expected a tensor {shape}")
        # Not the plain sum, whose gradient is zero behind a normalization.
        torch.autograd.backward((logits.float() * torch.randn(shape, device=self.device)).sum())
        self._look_at_gradients(network)

    def _look_at_gradients(self, network: nn.Module) -> None:
        named = [(name, one) for name, one in network.named_parameters() if one.requires_grad]
        without = [name for name, one in named if one.grad is None]
        if len(without) == len(named):
            raise FaultError("no parameter has a gradient")
        if without:
            self.notes.append(f"{len(without)} tensors have no gradient, such as {without[0]!r}")
        if self.device == "meta":
            return
        for name, one in named:
            if one.grad is not None and not torch.isfinite(one.grad.sum()):
                raise FaultError(f"the gradient of {name!r} is not finite")
        if not any(one.grad is not None and bool(one.grad.any()) for _, one in named):
            raise FaultError("its gradient is zero")

    def _saved_and_loaded(self, network: nn.Module, component: Component) -> None:
        network.eval().zero_grad()
        images = self._images()
        with torch.no_grad():
            logits = network(images)
        if not torch.isfinite(logits).all():
            raise FaultError("its logits are not finite")
        weights = tensors.from_bytes(tensors.to_bytes(network.state_dict()))
        architecture = {
            "name": self.name,
            "options": component.bind(self.given),
            "in_channels": self.channels,
            "image_size": list(self.size),
        }
        again = network_with(weights, architecture, self.task, catalog(), what=self.name)
        # Weights are used where they lie in the file, at addresses of any kind, and from those some
        # of torch's kernels round otherwise (seen: 3e-6).
        for one in (*again.parameters(), *again.buffers()):
            one.data = one.data.clone()
        with torch.no_grad():
            found = again(images)
        if not torch.equal(found, logits):
            worst = (found - logits).abs().max().item()
            raise FaultError(f"loaded again, its logits differ by up to {worst:.3g}")

    def _same_names(self, network: nn.Module, again: nn.Module) -> None:
        one, other = (
            {name: tuple(value.shape) for name, value in each.state_dict().items()}
            for each in (network, again)
        )
        if one != other:
            raise FaultError("built twice, it has other tensors")


def _told(component: Component) -> int | None:
    """The number of parameters as the family says it; None where it does not."""
    facts = getattr(component.spec, "facts", None)
    if facts is None:
        return None
    found: Facts = resolve(component, facts)(component.name.partition("/")[2])
    return found.parameters


def _task(kind: str, outputs: int) -> Task:
    if kind == MULTILABEL:
        return Task(kind, tuple(f"class {i}" for i in range(outputs)))
    classes = tuple(f"class {i}" for i in range(max(outputs, 2)))
    if outputs > 1:
        return Task(kind, classes)
    return Task(BINARY if kind == MULTICLASS else kind, classes, classes[1])
