"""The one loop, for every task and device: read it top to bottom.

What varies (task, loss, augmentation, schedule, stopping) enters as objects. The loop yields
events; whoever wants them subscribes. Nothing is read from the device within an epoch but for a
sign of life, at most five times a second.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.draws import key
from zoo.data.loader import Batch, Loader
from zoo.data.resolutions import Resolutions
from zoo.errors import TrainingError
from zoo.predictions.counts import Number
from zoo.tasks import Task
from zoo.training import events
from zoo.training.checkpoints import BEST, LAST, Checkpoints
from zoo.training.optimizer import Schedule
from zoo.training.stopping import Stopping
from zoo.training.tally import Tally

_TICK = 0.2  # seconds between signs of life


@dataclass
class Trainee:
    """All that the loop drives. ``network`` is on ``loader.device`` and in the memory format
    wanted; ``loss`` maps (logits, targets) to a scalar, the mean over the batch."""

    task: Task
    network: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    loader: Loader | Resolutions
    val_loader: Loader
    stopping: Stopping
    checkpoints: Checkpoints
    epochs: int
    seed: int


def train(run: Trainee) -> Iterator[events.Event]:
    """Train to the end of the budget or of the patience. Raises :class:`TrainingError` when the
    loss stops being finite; the checkpoints of the epochs before stay."""
    started = time.perf_counter()
    samples, steps = run.loader.size_of(1)
    parameters = sum(weight.numel() for weight in run.network.parameters())
    device = str(run.loader.device)
    yield events.TrainingStarted(run.epochs, steps, samples, parameters, device)
    step, reason, epoch = 0, "epochs", 0
    for epoch in range(1, run.epochs + 1):
        begun = ticked = time.perf_counter()
        rate = run.schedule.learning_rate
        tally = Tally(run.task, run.loader.device)
        run.network.train()
        for done, batch in enumerate(run.loader.epoch(epoch), start=1):
            train_step(run, batch, step, tally)
            step += 1
            now = time.perf_counter()
            if now - ticked > _TICK:
                ticked, loss = now, tally.loss()
                require_finite(loss, epoch, rate)
                yield events.StepsDone(epoch, done, tally.samples, now - begun, loss)
        require_finite(tally.loss(), epoch, rate)
        train_numbers = tally.numbers()
        seconds = time.perf_counter() - begun
        val_numbers = measure(run)
        monitored = monitored_value(run.stopping.monitor, train_numbers, val_numbers)
        improved = run.stopping.update(epoch, monitored)
        run.schedule.after_epoch(monitored)
        state = {"epoch": epoch, "step": step, "train": train_numbers, "val": val_numbers}
        run.checkpoints.save((LAST, BEST) if improved else (LAST,), run.network, state)
        speed = tally.samples / seconds
        yield events.EpochEnded(epoch, train_numbers, val_numbers, rate, seconds, speed, improved)
        if run.stopping.exhausted:
            reason = "early stopping"
            break
    total = time.perf_counter() - started
    best = run.stopping
    yield events.TrainingEnded(reason, epoch, total, best.best_epoch, best.best, best.monitor)


def train_step(run: Trainee, batch: Batch, step: int, tally: Tally) -> None:
    """One update. The seed of dropout is a function of (seed, step), so no generator's state has
    to be kept to repeat or resume a run."""
    seed_step(run.seed, step, run.loader.device)
    labels, targets = require_labels(batch)
    logits = run.network(batch.images)
    loss = run.loss(logits, targets)
    run.optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    run.optimizer.step()
    run.schedule.after_step()
    tally.add(loss, logits, labels)


@torch.no_grad()  # not inference_mode: what a network caches then could not be trained with
def measure(run: Trainee) -> dict[str, Number]:
    """Loss and metrics over the validation split."""
    tally = Tally(run.task, run.val_loader.device)
    run.network.eval()
    for batch in run.val_loader.epoch():
        labels, targets = require_labels(batch)
        logits = run.network(batch.images)
        tally.add(run.loss(logits, targets), logits, labels)
    return tally.numbers()


@torch.no_grad()
def logits_of(network: nn.Module, loader: Loader) -> Tensor:
    """float32 (N, O, ...) on the CPU: what the network says of every sample, in order."""
    network.eval()
    return torch.cat([network(batch.images).float().cpu() for batch in loader.epoch()])


def seed_step(seed: int, step: int, device: torch.device) -> None:
    value = key(seed, "step", step) & (2**63 - 1)
    # torch.manual_seed seeds every backend and costs 80 times as much.
    torch.default_generator.manual_seed(value)
    if device.type == "cuda":
        torch.cuda.manual_seed(value)
    elif device.type == "mps":
        torch.mps.manual_seed(value)


def require_labels(batch: Batch) -> tuple[Tensor, Tensor]:
    if batch.labels is None or batch.targets is None:
        raise TrainingError("training and validation need labels; this split has none")
    return batch.labels, batch.targets


def require_finite(loss: float, epoch: int, rate: float) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss became {loss} in epoch {epoch} at learning rate {rate:g}; the checkpoints "
            f"of the epochs before are kept; lower optimizer.lr"
        )


def monitored_value(monitor: str, train: dict[str, Any], val: dict[str, Any]) -> Number:
    part, _, name = monitor.partition("/")
    value: Number = {"train": train, "val": val}[part][name]
    return value
