"""Each part of a training run, built from its section of the recipe and checked at once."""

from __future__ import annotations

import torch
from torch import nn

from zoo.data.augmentation import Augmentations
from zoo.data.draws import key
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.splits import TRAIN
from zoo.data.store import Store
from zoo.errors import PluginError, TrainingError, ZooError, reason
from zoo.plugins import contexts
from zoo.plugins.catalog import Catalog
from zoo.recipes.schema import Recipe
from zoo.runs.opening import Opened
from zoo.tasks import Task
from zoo.training.optimizer import Schedule

EVAL_BATCH = {"cpu": 128, "mps": 512, "cuda": 1024}  # on a CPU larger ones leave the cache


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
        raise PluginError(
            f"{component} returned {type(built).__name__}; expected a torch nn.Module"
        )
    shape = (2, preprocessing.channels, *preprocessing.size)
    try:
        with torch.inference_mode():
            logits = built.eval()(torch.zeros(shape))
    except ZooError:
        raise
    except Exception as error:
        raise PluginError(
            f"{component} fails on input of shape {shape}: {reason(error)}"
        ) from error
    if not isinstance(logits, torch.Tensor) or logits.shape[:2] != (2, task.outputs):
        got = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise PluginError(f"{component} returned {got} for 2 images; expected (2, {task.outputs})")
    built = built.to(device)
    return built.to(memory_format=torch.channels_last) if recipe.training.channels_last else built


def loss(
    recipe: Recipe, catalog: Catalog, task: Task, train: Store, device: torch.device
) -> nn.Module:
    context = contexts.LossContext(task, train.class_counts(len(task.classes)), len(train))
    built = catalog.get("loss", recipe.loss.name).build(context, recipe.loss.options)
    return built.to(device) if isinstance(built, nn.Module) else built


def loader(
    recipe: Recipe,
    catalog: Catalog,
    opened: Opened,
    train: Store,
    preprocessing: Preprocessing,
    device: torch.device,
) -> Loader:
    """The training loader: sampler, augmentation, seed."""
    if train.labels is None:
        raise TrainingError(f"dataset {opened.name!r} has no labels to train on")
    context = contexts.SamplerContext(
        opened.dataset.task, train.labels.numpy(), len(train), opened.split(TRAIN).groups
    )
    steps = [
        (one.name, catalog.get("augmentation", one.name).build(None, one.options))
        for one in recipe.augmentations
    ]
    return Loader(
        train,
        preprocessing,
        recipe.training.batch_size,
        device,
        catalog.get("sampler", recipe.sampler.name).build(context, recipe.sampler.options),
        Augmentations(steps),
        recipe.training.seed,
    )


def reader(
    recipe: Recipe, store: Store, preprocessing: Preprocessing, device: torch.device
) -> Loader:
    """A loader that reads a split once, in order, as evaluation does."""
    batch = recipe.training.eval_batch_size or EVAL_BATCH[device.type]
    return Loader(store, preprocessing, batch, device)


def optimizer(recipe: Recipe, catalog: Catalog, network: nn.Module) -> torch.optim.Optimizer:
    component = catalog.get("optimizer", recipe.optimizer.name)
    context = contexts.OptimizerContext([{"params": list(network.parameters())}])
    built = component.build(context, recipe.optimizer.options)
    if not isinstance(built, torch.optim.Optimizer):
        raise PluginError(f"{component} returned {type(built).__name__}; expected an Optimizer")
    return built


def schedule(
    recipe: Recipe, catalog: Catalog, optimizer: torch.optim.Optimizer, loader: Loader
) -> Schedule:
    component = catalog.get("scheduler", recipe.scheduler.name)
    steps = len(loader.bounds(len(loader.order(0))))
    context = contexts.SchedulerContext(
        optimizer, recipe.training.epochs, steps, recipe.stopping.mode
    )
    built = component.build(context, recipe.scheduler.options)
    if not isinstance(built, tuple) or len(built) != 2:
        raise PluginError(
            f"{component} returned {built!r}; expected (scheduler, 'step' or 'epoch')"
        )
    return Schedule(optimizer, *built)
