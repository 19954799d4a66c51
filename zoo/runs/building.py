"""Each part of a training run, built from its section of the recipe, and tried out once together.

What a plugin's code raises, when built or when used, names the component and its distribution.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from zoo.data.augmentation import Augmentations
from zoo.data.copies import Copies, Copy
from zoo.data.datasets import groups_of
from zoo.data.device import images_at_once
from zoo.data.draws import key
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.resolutions import Resolutions
from zoo.data.splits import TRAIN
from zoo.data.tiers import Held
from zoo.errors import PluginError, TrainingError, ZooError, reason
from zoo.plugins import contexts
from zoo.plugins.catalog import Catalog, Component
from zoo.recipes.schema import Choice, CopySection, Recipe
from zoo.registry.guards import refuse_lazy
from zoo.runs.opening import Opened
from zoo.tasks import SEGMENTATION, Task
from zoo.training.average import Average
from zoo.training.loop import Trainee
from zoo.training.optimizer import Schedule
from zoo.training.precision import Precision
from zoo.training.rates import check_rates, parameter_groups
from zoo.training.replicas import ALONE, Replicas
from zoo.training.update import Update

_PROVISIONAL = 2  # images a batch, until it is known how many fit


def number_or(provisional: int, given: int | str) -> int:
    """``given``, unless it is "auto"."""
    return given if isinstance(given, int) else provisional


def blamed(component: Component, made: Callable[..., Any]) -> Callable[..., Any]:
    """``made``, whose own failures name the component."""

    @functools.wraps(made, updated=())
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return made(*arguments, **options)
        except ZooError:
            raise
        except Exception as error:
            raise PluginError(f"{component} failed: {reason(error)}") from error

    # What an augmentation says of itself.
    call.mixes = getattr(made, "mixes", False)  # type: ignore[attr-defined]
    return call


def network(
    recipe: Recipe, catalog: Catalog, task: Task, preprocessing: Preprocessing, device: torch.device
) -> nn.Module:
    """The network, its first weights a function of the seed, on the device."""
    torch.manual_seed(key(recipe.training.seed, "initial weights") & (2**63 - 1))
    component = catalog.get("architecture", recipe.architecture.name)
    context = contexts.ArchitectureContext(
        preprocessing.channels, preprocessing.size, task.outputs, task
    )
    built = component.build(context, recipe.architecture.options)
    if not isinstance(built, nn.Module):
        raise PluginError(f"{component} returned {type(built).__name__}; expected an nn.Module")
    refuse_lazy(built, str(component))
    built = built.to(device)
    return built.to(memory_format=torch.channels_last) if recipe.training.channels_last else built


def loss(
    recipe: Recipe, catalog: Catalog, task: Task, train: Held, device: torch.device
) -> Callable[..., torch.Tensor]:
    component = catalog.get("loss", recipe.loss.name)
    context = contexts.LossContext(task, train.class_counts(task), train.counted(task))
    built = component.build(context, recipe.loss.options)
    return blamed(component, built.to(device) if isinstance(built, nn.Module) else built)


def loader(
    recipe: Recipe,
    catalog: Catalog,
    opened: Opened,
    train: Held,
    preprocessing: Preprocessing,
    device: torch.device,
    hold: Callable[[tuple[int, int]], Held],
    replicas: Replicas = ALONE,
) -> Loader | Resolutions:
    """The training loader: sampler, copies with their augmentations and sizes, seed. ``hold`` gives
    the training split at another (height, width)."""
    task = opened.dataset.task
    if train.labels is None and task.kind != SEGMENTATION:
        raise TrainingError(f"dataset {opened.name!r} has no labels to train on")
    made: dict[tuple[int, int], list[Copy]] = {}
    for one in recipe.copies or (CopySection(augmentations=recipe.augmentations),):
        made.setdefault(one.pair(preprocessing.size), []).append(
            Copy(_augmentations(catalog, one.augmentations), one.fixed)
        )
    number = sum(map(len, made.values()))
    labels = np.zeros(len(train), np.int64) if train.labels is None else train.labels.numpy()
    groups = groups_of(opened.split(TRAIN), train.ids)
    context = contexts.SamplerContext(
        task,
        np.concatenate([labels] * number),
        len(train) * number,
        None if groups is None else [*groups] * number,
    )
    component = catalog.get("sampler", recipe.sampler.name)
    sampler = blamed(component, component.build(context, recipe.sampler.options))
    parts = [
        Loader(
            train if size == preprocessing.size else hold(size),
            preprocessing
            if size == preprocessing.size
            else replace(preprocessing, size=size, store_size=size),
            task,
            number_or(_PROVISIONAL * replicas.ranks, recipe.training.batch_size),
            device,
            sampler,
            Copies(copies),
            recipe.training.seed,
            recipe.training.channels_last,
            replicas.rank,
            replicas.ranks,
        )
        for size, copies in made.items()
    ]
    return parts[0] if len(parts) == 1 else Resolutions(parts, sampler, recipe.training.seed)


def _augmentations(catalog: Catalog, chosen: Sequence[Choice]) -> Augmentations:
    found = [(catalog.get("augmentation", one.name), one.options) for one in chosen]
    return Augmentations(
        [(one.name, blamed(one, one.build(None, options))) for one, options in found]
    )


def reader(
    recipe: Recipe,
    store: Held,
    preprocessing: Preprocessing,
    task: Task,
    device: torch.device,
    replicas: Replicas = ALONE,
) -> Loader:
    """A loader that reads a split once, in order, as evaluation does; each process its part."""
    fitting = images_at_once(device, task, preprocessing.size)
    batch = recipe.training.eval_batch_size or fitting
    return Loader(
        store,
        preprocessing,
        task,
        batch,
        device,
        channels_last=recipe.training.channels_last,
        rank=replicas.rank,
        ranks=replicas.ranks,
    )


def optimizer(
    recipe: Recipe, catalog: Catalog, network: nn.Module, outputs: int
) -> torch.optim.Optimizer:
    component = catalog.get("optimizer", recipe.optimizer.name)
    groups = parameter_groups(network, recipe, outputs)
    built = component.build(contexts.OptimizerContext(groups), recipe.optimizer.options)
    if not isinstance(built, torch.optim.Optimizer):
        raise PluginError(f"{component} returned {type(built).__name__}; expected an Optimizer")
    check_rates(built, groups, component)
    return built


def update(
    recipe: Recipe,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    device: torch.device,
    replicas: Replicas = ALONE,
) -> Update:
    training = recipe.training
    if training.evaluate == "ema" and not training.ema:
        raise TrainingError(
            "evaluate = 'ema' needs a running average of the weights; set training.ema, as 0.999"
        )
    average = Average(network, training.ema) if training.ema else None
    precision = Precision(training.precision, device)
    skip = training.on_nonfinite == "skip"
    return Update(
        optimizer, precision, average, training.clip_norm, skip, replicas, [*network.buffers()]
    )


def schedule(
    recipe: Recipe,
    catalog: Catalog,
    optimizer: torch.optim.Optimizer,
    loader: Loader | Resolutions,
) -> Schedule:
    component = catalog.get("scheduler", recipe.scheduler.name)
    _, steps = loader.size_of(1)
    context = contexts.SchedulerContext(
        optimizer, recipe.training.epochs, steps, recipe.stopping.mode
    )
    built = component.build(context, recipe.scheduler.options)
    if not isinstance(built, tuple) or len(built) != 2:
        raise PluginError(
            f"{component} returned {built!r}; expected (scheduler, 'step' or 'epoch')"
        )
    return Schedule(optimizer, *built)


def try_out(run: Trainee, architecture: Component, loss: Component) -> None:
    """Send two images of each size through a copy of the network, forth and back: what does not fit
    together shows before anything is written."""
    partly = False
    for batch in run.loader.trials():
        assert batch.targets is not None
        partly |= _try_batch(run, batch.images[:2].clone(), batch.targets[:2], architecture, loss)
    run.wrap(partly=partly)


def _try_batch(
    run: Trainee,
    images: torch.Tensor,
    targets: torch.Tensor,
    architecture: Component,
    loss: Component,
) -> bool:
    """Whether some parameter had no part in the outputs."""
    trial = copy.deepcopy(run.network).train()
    try:
        logits = trial(images)
    except ZooError:
        raise
    except Exception as error:
        alone = "; use a batch_size of 2 or more" if len(images) == 1 else ""
        raise PluginError(
            f"{architecture} fails on a batch of shape {tuple(images.shape)}: "
            f"{reason(error)}{alone}"
        ) from error
    pixels = tuple(images.shape[2:]) if run.task.kind == SEGMENTATION else ()
    expected = (len(images), run.task.outputs, *pixels)
    if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != expected:
        got = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise PluginError(f"{architecture} returned {got} for a batch; expected {expected}")
    value = run.loss(logits, targets)
    if not isinstance(value, torch.Tensor) or value.ndim != 0 or not value.requires_grad:
        got = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)
        raise PluginError(f"{loss} returned {got}; expected a scalar tensor with a gradient")
    try:
        torch.autograd.backward(value)
    except Exception as error:
        raise PluginError(f"{architecture} with {loss} has no gradient: {reason(error)}") from error
    return any(weight.requires_grad and weight.grad is None for weight in trial.parameters())
