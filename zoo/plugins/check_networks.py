"""What the contract asks of architectures and losses.

Shapes: B images, C channels, H by W pixels, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import PluginError, ZooError
from zoo.plugins import offline
from zoo.plugins.catalog import Component
from zoo.plugins.check_tasks import example_labels, example_tasks, right_logits
from zoo.plugins.contexts import ArchitectureContext, LossContext
from zoo.tasks import IGNORE, MULTILABEL, SEGMENTATION, Task

Loss = Callable[[Tensor, Tensor], Tensor]

_CHANNELS = (1, 3)
_SIZES = ((32, 32), (28, 28))
_LARGER = ((64, 64), (224, 224))  # for networks that refuse those
_OVERFITTED = 8
_LARGE = 5_000_000  # parameters; above, learning by heart takes minutes, and one step must do
_STEPS = 200
_RATES = (1e-3, 1e-2, 1e-4)  # a linear network may need the second, VGG the third


def architecture(component: Component) -> Iterator[str]:
    with offline.refused(every_thread=True) as attempts:
        yield from _architecture(component)
    if attempts:  # the error was caught
        yield (
            f"building it opens a connection, one to {attempts[0]!r}; weights that a plugin "
            f"fetches come by its 'pretrained'"
        )


def _architecture(component: Component) -> Iterator[str]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        context = None
        for task in _tasks(component):
            if context is None:
                context = yield from _first_accepted(component, task)
                if context is None:
                    return
            context = replace(context, outputs=task.outputs, task=task)
            network = component.build(context)
            what = list(_output_problems(network, context))
            if what:
                yield from what
            elif sum(one.numel() for one in network.parameters()) > _LARGE:
                yield from _gradient_problems(network, context)
            else:
                yield from _overfit_problems(component, context)


def _first_accepted(
    component: Component, task: Task
) -> Generator[str, None, ArchitectureContext | None]:
    """Try sizes and numbers of channels, and return what was accepted first; some, but not all, may
    be refused by a ZooError."""
    accepted, refusals = None, []
    for size in (*_SIZES, *_LARGER):
        if accepted and size in _LARGER:
            break
        for channels in _CHANNELS:
            context = ArchitectureContext(channels, size, task.outputs, task)
            try:
                network = component.build(context)
            except PluginError:
                raise
            except ZooError as error:
                refusals.append(str(error))
                continue
            yield from _output_problems(network, context)
            accepted = accepted or context
    if accepted is None:
        yield f"it refuses 1 and 3 channels at sides of 28, 32, 64 and 224 pixels: {refusals[0]}"
    return accepted


def _output_problems(network: Any, context: ArchitectureContext) -> Iterator[str]:
    where = f"{context.in_channels} x {context.image_size[0]} x {context.image_size[1]}"
    if not isinstance(network, nn.Module):
        yield f"it builds {type(network).__name__}; expected a torch.nn.Module"
        return
    network.eval()
    images = torch.randn(2, context.in_channels, *context.image_size)
    shape: tuple[int, ...] = (2, context.outputs)
    if context.task.kind == SEGMENTATION:
        shape += context.image_size
    with torch.no_grad():
        logits = network(images)
        if (
            not isinstance(logits, Tensor)
            or logits.shape != shape
            or not logits.is_floating_point()
        ):
            found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            yield f"at {where} it gives {found}; expected a float tensor {shape}"
            return
        last = torch.channels_last
        other = network.to(memory_format=last)(images.contiguous(memory_format=last))
    if not torch.allclose(other, logits, rtol=1e-3, atol=1e-4):
        yield f"at {where} it gives other logits in channels_last"
    for name, value in network.state_dict().items():
        if not torch.isfinite(value.sum()):  # many times as fast as asking every value
            yield f"at {where} {name!r} of its state is not finite"


def _examples(context: ArchitectureContext) -> tuple[Tensor, Tensor]:
    """Eight smooth random images, and their labels."""
    coarse = torch.randn(_OVERFITTED, context.in_channels, 4, 4)
    images = functional.interpolate(coarse, context.image_size, mode="bilinear")
    return images, example_labels(context.task, images)


def _gradient_problems(network: nn.Module, context: ArchitectureContext) -> Iterator[str]:
    """The loss has a finite gradient, not everywhere zero."""
    images, labels = (one[:2] for one in _examples(context))
    network.train()
    _plain_loss(context.task, network(images), labels).backward()  # type: ignore[no-untyped-call]
    gradients = [one.grad for one in network.parameters() if one.grad is not None]
    if not all(torch.isfinite(one.sum()) for one in gradients):
        yield "its gradient is not finite"
    elif not any(one.any() for one in gradients):
        yield "its gradient is zero, or there is none"


def _overfit_problems(component: Component, context: ArchitectureContext) -> Iterator[str]:
    """Eight images must be learnt by heart."""
    images, labels = _examples(context)
    best = 0.0
    for rate in _RATES:
        network = component.build(context)
        best = max(best, _learnt(network, context.task, images, labels, rate))
        if best == 1.0:
            return
    yield (
        f"{_OVERFITTED} images of a {context.task.kind} task cannot be learnt: {best:.0%} right "
        f"after {_STEPS} steps of Adam"
    )


def _learnt(network: nn.Module, task: Task, images: Tensor, labels: Tensor, rate: float) -> float:
    """The share of right decisions when it first is 1 (segmentation: 0.95), or at the end."""
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    enough = 0.95 if task.kind == SEGMENTATION else 1.0
    share = 0.0
    for step in range(1, _STEPS + 1):
        network.train()
        optimizer.zero_grad()
        _plain_loss(task, network(images), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step % 10 == 0:
            network.eval()
            with torch.no_grad():
                right = task.decisions(network(images)) == labels
            share = right.float().mean().item()
            if share >= enough:
                return 1.0
    return share


def _plain_loss(task: Task, logits: Tensor, labels: Tensor) -> Tensor:
    targets = task.targets(labels)
    if task.positive is not None or task.kind == MULTILABEL:
        return functional.binary_cross_entropy_with_logits(logits, targets)
    return functional.cross_entropy(logits, targets)


def _tasks(component: Component) -> list[Task]:
    return [task for kind in sorted(component.spec.tasks) for task in example_tasks(kind)]


def loss(component: Component) -> Iterator[str]:
    """One of the two forms of segmentation may be refused by a ZooError."""
    for kind in sorted(component.spec.tasks):
        forms = example_tasks(kind)
        refusals = []
        for task in forms:
            images = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
            labels = example_labels(task, images)
            try:
                measure = component.build(_loss_context(task, labels))
            except PluginError:
                raise
            except ZooError as error:
                refusals.append(str(error))
                continue
            form = " with a positive class" if kind == SEGMENTATION and task.positive else ""
            for problem in _loss_problems(measure, task, labels):
                yield f"for a {kind} task{form} {problem}"
        if len(refusals) == len(forms):
            yield f"for a {kind} task it refuses: {refusals[0]}"


def _loss_problems(measure: Loss, task: Task, labels: Tensor) -> Iterator[str]:
    generator = torch.Generator().manual_seed(0)
    targets = task.targets(labels)
    noise = torch.randn(right_logits(task, labels, 1.0).shape, generator=generator)
    logits = noise.requires_grad_()
    value = measure(logits, targets)
    if not isinstance(value, Tensor) or value.ndim != 0 or not value.is_floating_point():
        found = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        yield f"it gives {found}; expected a float scalar tensor"
        return
    if not value.requires_grad:
        yield "it cannot be differentiated"
        return
    value.backward()  # type: ignore[no-untyped-call]
    if logits.grad is None or not torch.isfinite(logits.grad).all() or not logits.grad.any():
        yield "its gradient is missing, zero or not finite"
    with torch.no_grad():
        twice = measure(torch.cat((logits, logits)), torch.cat((targets, targets)))
        right = measure(right_logits(task, labels, 3.0), targets)
        wrong = measure(right_logits(task, labels, -3.0), targets)
        sure = measure(right_logits(task, labels, -200.0), targets)
    if not torch.allclose(twice, value, rtol=1e-4, atol=1e-6):
        yield f"the same batch twice gives {twice:.4g} for {value:.4g}; expected the batch's mean"
    if not right < wrong:
        yield f"right logits give {right:.4g}, wrong ones {wrong:.4g}; expected less for right ones"
    if not torch.isfinite(torch.stack((value.detach(), sure))).all():
        yield "it is not finite for logits of 200; use log_softmax or logsigmoid"
    if task.kind == SEGMENTATION:
        yield from _ignore_problems(measure, task, labels, logits.detach())


def _ignore_problems(measure: Loss, task: Task, labels: Tensor, logits: Tensor) -> Iterator[str]:
    """Pixels of label 255 count for nothing, and there may be no other in a batch."""
    ignored = torch.arange(labels.shape[-1]) % 2 == 0
    targets = task.targets(labels.masked_fill(ignored, IGNORE))
    moved = torch.where(ignored, -logits, logits)
    value, other = (measure(one, targets) for one in (logits, moved))
    if not torch.allclose(value, other, rtol=1e-4, atol=1e-6):
        yield f"logits at pixels of label {IGNORE} change it from {value:.4g} to {other:.4g}"
    logits = logits.clone().requires_grad_()
    value = measure(logits, task.targets(torch.full_like(labels, IGNORE)))
    value.backward()  # type: ignore[no-untyped-call]
    gradient = torch.zeros(()) if logits.grad is None else logits.grad
    if value != 0 or gradient.any():
        yield (
            f"a batch of nothing but pixels of label {IGNORE} gives {value:.4g}, with gradients up "
            f"to {gradient.abs().max():.4g}; expected 0 and 0"
        )


def _loss_context(task: Task, labels: Tensor) -> LossContext:
    if task.kind == MULTILABEL:
        return LossContext(task, tuple(labels.sum(0).tolist()), len(labels))
    counts = torch.bincount(labels.flatten(), minlength=len(task.classes))
    return LossContext(task, tuple(counts.tolist()), labels.numel())
