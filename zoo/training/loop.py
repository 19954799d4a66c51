"""The one loop, for every task and device: read it top to bottom.

What varies (task, loss, precision, averaging, schedule, stopping, processes) enters as objects. The
loop yields events; whoever wants them subscribes. Nothing waits for the device within an epoch.
Whatever the loop needs to go on after a kill is in :meth:`Trainee.states`; randomness is a function
of seed, epoch and step, so no generator's state is among it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.draws import step_seed
from zoo.data.loader import Batch, Loader, equal_parts
from zoo.data.resolutions import Resolutions
from zoo.errors import TrainingError
from zoo.predictions.counts import Number, headline
from zoo.tasks import Task
from zoo.training import events
from zoo.training.checkpoints import Checkpoints
from zoo.training.compiled import Compiled
from zoo.training.optimizer import Schedule
from zoo.training.position import EpochClock, Pause, Position
from zoo.training.replicas import Replicas
from zoo.training.stopping import Stopping
from zoo.training.tally import Tally
from zoo.training.update import Update


@dataclass
class Trainee:
    """All that the loop drives. ``network`` is on ``loader.device`` and in the memory format
    wanted; ``loss`` maps (logits, targets) to a scalar, the mean over the batch; ``micro_batch``:
    images at once, 0 for a whole batch; ``average_chosen``: the running average of the weights is
    what is measured and kept as best; ``before_epoch`` is told an epoch's number before training
    starts, and once the network is in training mode."""

    task: Task
    network: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    update: Update
    schedule: Schedule
    loader: Loader | Resolutions
    val_loader: Loader
    stopping: Stopping
    checkpoints: Checkpoints
    epochs: int
    seed: int
    micro_batch: int = 0
    compile: bool = False
    average_chosen: bool = False
    before_epoch: Callable[[int], object] = lambda epoch: None
    replicas: Replicas = field(default_factory=Replicas)
    pause: Pause = field(default_factory=Pause)
    position: Position = field(default_factory=Position)

    def __post_init__(self) -> None:
        self.tally = Tally(self.task, self.loader.device, self.replicas, skip=self.update.skip)
        self.wrap()

    def wrap(self, *, partly: bool = False) -> None:
        """Make what is called in training; again when other weights are trained. ``partly``: see
        :meth:`Replicas.wrapped`."""
        forward = self.replicas.wrapped(self.network, partly=partly)
        self.forward: Callable[[Tensor], Tensor] = forward
        if self.compile:
            self.forward = Compiled(forward, self.loader.device)

    @property
    def chosen(self) -> nn.Module:
        """The network that is measured and kept."""
        average = self.update.average
        return average.network if average is not None and self.average_chosen else self.network

    def parts(self) -> dict[str, Any]:
        """All that has a state, by name, in the order in which states are loaded."""
        parts = {
            "network": self.network,
            "optimizer": self.update,
            "precision": self.update.precision,
            "average": self.update.average,
            "schedule": self.schedule,
            "stopping": self.stopping,
            "position": self.position,
            "tally": self.tally,
        }
        return {name: part for name, part in parts.items() if part is not None}

    def asked_to_pause(self, *, often: bool = False) -> str | None:
        return self.pause.heard(self.replicas.agree(self.pause.asked, often=often))

    def states(self) -> dict[str, Any]:
        self.tally.settle()
        self.position.seconds = self.pause.seconds
        return {name: part.state_dict() for name, part in self.parts().items()}


def train(run: Trainee) -> Iterator[events.Event]:
    """Train to the end of the budget or of the patience, from where ``run.position`` stands. Raises
    :class:`TrainingError` when the loss stops being finite; the last checkpoint stays."""
    at, tally = run.position, run.tally
    run.pause.start(at.seconds)
    if at.step == 0:
        run.checkpoints.save(0, run.states())  # a full disk shows now, not after an hour
    yield started(run)
    reason = ended(run)
    while reason is None:
        epoch, clock = at.epoch, EpochClock(tally)
        at.begin(run.schedule.learning_rate)
        run.network.train()
        run.before_epoch(epoch)
        for batch in run.loader.epoch(epoch, at.done):
            train_step(run, batch)
            if clock.ticks() and (loss := tally.glimpse()) is not None:
                yield events.StepsDone(epoch, at.done, tally.samples, clock.seconds, loss)
            if run.checkpoints.due(at.step):
                run.checkpoints.save(at.step, run.states())
            if (reason := run.asked_to_pause(often=True)) is not None:
                break
        seconds, speed = clock.stop()
        val_numbers = measure(run) if reason is None else None
        if val_numbers is None:
            reason = reason or run.pause.reason
            run.checkpoints.save(at.step, run.states())
            break
        numbers, dropped = tally.numbers(), tally.watch.dropped
        monitored = monitored_value(run.stopping.monitor, numbers, val_numbers)
        improved = run.stopping.update(epoch, monitored)
        if improved or run.stopping.best is None:  # until there is a best one, the last stands in
            run.checkpoints.save_best(run.chosen.state_dict(), at.step)
        run.schedule.after_epoch(monitored)
        tally.new_epoch()
        at.next_epoch()
        # Told before it is saved: killed in between, the epoch is done and told again, never lost.
        yield events.EpochEnded(
            epoch, numbers, val_numbers, at.rate, seconds, speed, improved, dropped, clock.memory()
        )
        run.checkpoints.save(at.step, run.states(), epoch_ended=True)
        reason = ended(run)
    best, total = run.stopping, run.pause.seconds
    yield events.TrainingEnded(
        reason or "", at.epoch - 1, total, best.best_epoch, best.best, best.monitor, at.step
    )


def train_step(run: Trainee, batch: Batch) -> None:
    """One update. The seed of dropout is a function of (seed, step), so no generator's state has
    to be kept to repeat or resume a run."""
    at, size = run.position, len(batch)
    for first, last in equal_parts(size, run.micro_batch or size):
        images, labels, targets = some_of(batch, first, last)
        seed_step(run, first)
        with run.replicas.gathering(last=last == size):
            with run.update.precision.autocast():
                logits = run.forward(images).float()
            loss = run.loss(logits, targets)
            run.update.backward(loss, (last - first) / size, batch.share)
        run.tally.count(logits, labels)
    at.step += 1
    at.done += 1
    run.tally.add(run.update.step(), size, at.step, run.schedule.learning_rate)
    run.schedule.after_step()


@torch.no_grad()  # not inference_mode: what a network caches then could not be trained with
def measure(run: Trainee) -> dict[str, Number] | None:
    """Loss and metrics over the validation split; None when asked to pause meanwhile."""
    tally = Tally(run.task, run.val_loader.device, run.replicas, skip=True)
    network = run.chosen.eval()
    run.replicas.alike(network)
    for batch in run.val_loader.epoch():
        images, labels, targets = some_of(batch, 0, len(batch))
        with run.update.precision.autocast():
            logits = network(images).float()
        tally.count(logits, labels)
        tally.add(run.loss(logits, targets), len(batch))
        if run.pause.asked:  # other processes may have another number of batches
            break
    return None if run.asked_to_pause() else tally.numbers(strict=True)


def started(run: Trainee) -> events.TrainingStarted:
    samples, steps = run.loader.size_of(run.position.epoch)
    run.before_epoch(run.position.epoch)  # so that what is frozen then can be told
    weights = [*run.network.parameters()]
    parameters = sum(weight.numel() for weight in weights)
    trained = sum(weight.numel() for weight in weights if weight.requires_grad)
    figure, device = headline(run.task), str(run.loader.device)
    return events.TrainingStarted(run.epochs, steps, samples, parameters, device, figure, trained)


def ended(run: Trainee) -> str | None:
    """Why there is nothing left to do, if so."""
    if run.stopping.exhausted:
        return "early stopping"
    return "epochs" if run.position.epoch > run.epochs else None


def some_of(batch: Batch, first: int, last: int) -> tuple[Tensor, Tensor, Tensor]:
    """(images, labels, targets) of some of a batch."""
    if batch.labels is None or batch.targets is None:
        raise TrainingError("training and validation need labels; this split has none")
    if last - first == len(batch):
        return batch.images, batch.labels, batch.targets
    chosen = slice(first, last)
    return batch.images[chosen], batch.labels[chosen], batch.targets[chosen]


def seed_step(run: Trainee, first: int) -> None:
    value = step_seed(run.seed, run.position.step, run.replicas.rank, first)
    # torch.manual_seed seeds every backend and costs 80 times as much.
    torch.default_generator.manual_seed(value)
    device = run.loader.device.type
    if device == "cuda":
        torch.cuda.manual_seed(value)
    elif device == "mps":
        torch.mps.manual_seed(value)


def monitored_value(monitor: str, train: dict[str, Any], val: dict[str, Any]) -> Number:
    part, _, name = monitor.partition("/")
    value: Number = {"train": train, "val": val}[part][name]
    return value
