"""The whole of zoo's loop, and the loops it is measured against in training and evaluation.

Shapes: N samples, B images, H by W pixels, C channels.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import peers
import torch
from rich.console import Console
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from zoo.data.datasets import ArraySplit
from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.tiers import Keeping, open_split
from zoo.plugins.catalog import catalog
from zoo.plugins.contexts import ArchitectureContext
from zoo.runs.progress import TerminalProgress
from zoo.tasks import Task
from zoo.training import loop
from zoo.training.checkpoints import Checkpoints
from zoo.training.optimizer import Schedule
from zoo.training.precision import Precision
from zoo.training.stopping import Stopping
from zoo.training.update import Update

CPU = torch.device("cpu")
VAL = 128  # images that are measured after the epoch, in one batch


def carried_out(run: loop.Trainee) -> float:
    """The loop with a schedule that steps at every step, and a terminal that shows every event."""
    run.schedule = _steady(run.update.optimizer)
    with TerminalProgress(Console(file=io.StringIO(), force_terminal=True)) as progress:
        for event in loop.train(run):
            progress(event)
    return peers.weight(run.network)


def _steady(optimizer: torch.optim.Optimizer) -> Schedule:
    """Works as any schedule does, and leaves the rate as it is, so that weights can be compared."""
    return Schedule(optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=1.0), "step")


def whole_loop(case: peers.Case) -> Callable[[], float]:
    loader = peers.zoo_loader(case)
    first = peers.Case(case.images[:VAL], case.labels[:VAL], case.classes, case.build)
    val = peers.zoo_loader(first)
    val.sampler, val.batch_size = None, VAL

    def epoch() -> float:
        run = peers.trainee(case, loader)
        run.val_loader = val
        return carried_out(run)

    return epoch


def bare_with_evaluation(case: peers.Case, *, channels_last: bool = False) -> Callable[[], float]:
    """The least loop, and one pass over as many images as zoo measures."""
    train = peers.bare_epoch(case, channels_last=channels_last)
    images = case.normalized()[:VAL]
    network = case.network().eval()
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)

    def epoch() -> float:
        done = train()
        with torch.no_grad():
            network(images).argmax(1)
        return done

    return epoch


def fabric_epoch(case: peers.Case) -> Callable[[], float]:
    """Lightning Fabric around the bare loop, fed with batches of tensors."""
    from lightning.fabric import Fabric

    fabric = Fabric(accelerator="cpu", devices=1)
    images, labels = case.normalized(), torch.from_numpy(case.labels)
    data = TensorDataset(images, labels)

    def epoch() -> float:
        plain = case.network().train()
        network, optimizer = fabric.setup(plain, torch.optim.Adam(plain.parameters(), fused=True))
        batches = fabric.setup_dataloaders(
            DataLoader(data, peers.BATCH, sampler=case.order.tolist()),
            use_distributed_sampler=False,
        )
        criterion, total = nn.CrossEntropyLoss(), torch.zeros(())
        for pictures, truth in batches:
            loss = criterion(network(pictures), truth)
            optimizer.zero_grad(set_to_none=True)
            fabric.backward(loss)
            optimizer.step()
            total += loss.detach()
        total.item()
        return peers.weight(plain)

    return epoch


def evaluation(case: peers.Case) -> Callable[[], float]:
    loader = peers.zoo_loader(case)
    loader.sampler, loader.batch_size = None, VAL
    run = peers.trainee(case, loader)

    def measure() -> float:
        figures = loop.measure(run)
        assert figures is not None
        return float(figures["accuracy"] or 0.0) + float(figures["loss"] or 0.0)

    return measure


def notebook_evaluation(case: peers.Case) -> Callable[[], float]:
    data = peers.PilDataset(case)
    network, criterion = case.network().eval(), nn.CrossEntropyLoss()

    def measure() -> float:
        right, total = 0, 0.0
        with torch.no_grad():
            for images, labels in DataLoader(data, peers.BATCH):
                logits = network(images)
                total += criterion(logits, labels).item() * len(labels)
                right += int((logits.argmax(1) == labels).sum())
        return (right + total) / len(data)

    return measure


@dataclass
class MaskCase:
    """Images with masks of two classes, and a U-Net."""

    images: np.ndarray
    masks: np.ndarray
    start: nn.Module
    order: Tensor = field(init=False)

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(1)
        self.order = torch.randperm(len(self.images), generator=generator)

    @classmethod
    def drawn(cls, count: int, side: int) -> MaskCase:
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
        masks = rng.integers(0, 2, (count, side, side), dtype=np.uint8)
        torch.manual_seed(0)
        context = ArchitectureContext(3, (side, side), 1, MASKS)
        unet = catalog().get("architecture", "unet")
        return cls(images, masks, unet.build(context, {"width": 16, "dropout": False}))

    def network(self) -> nn.Module:
        return copy.deepcopy(self.start).to(memory_format=torch.channels_last).train()


MASKS = Task.segmentation(["ground", "thing"], positive="thing")
MASK_BATCH = 8


def whole_mask_loop(case: MaskCase) -> Callable[[], float]:
    ids = [str(i) for i in range(len(case.images))]
    split = ArraySplit(case.images, None, ids, masks=case.masks)
    store = open_split(split, Form(3), MASKS, "benchmark", Keeping())
    size = case.images.shape[1], case.images.shape[2]
    plain = Preprocessing(size, 3, (peers.MEAN,) * 3, (peers.STD,) * 3)
    loader = Loader(store, plain, MASKS, MASK_BATCH, CPU, lambda generator: case.order)
    few = ArraySplit(case.images[:1], None, ids[:1], masks=case.masks[:1])
    val = Loader(open_split(few, Form(3), MASKS, "few", Keeping()), plain, MASKS, 1, CPU)

    def epoch() -> float:
        network = case.network()
        optimizer = torch.optim.Adam(network.parameters(), fused=True)
        return carried_out(
            loop.Trainee(
                MASKS, network, nn.BCEWithLogitsLoss(), Update(optimizer, Precision("fp32", CPU)),
                Schedule(optimizer), loader, val, Stopping("val/loss", "min"), Checkpoints(None),
                1, 0,
            )
        )  # fmt: skip

    return epoch


def bare_mask_loop(case: MaskCase) -> Callable[[], float]:
    data, masks = torch.from_numpy(case.images), torch.from_numpy(case.masks)

    def units(chosen: Tensor) -> Tensor:
        floats = data.index_select(0, chosen).float().div_(255.0).permute(0, 3, 1, 2)
        return floats.sub_(peers.MEAN).div_(peers.STD)

    def epoch() -> float:
        network, criterion = case.network(), nn.BCEWithLogitsLoss()
        optimizer = torch.optim.Adam(network.parameters(), fused=True)
        for start in range(0, len(case.order), MASK_BATCH):
            chosen = case.order[start : start + MASK_BATCH]
            truth = masks.index_select(0, chosen).float().unsqueeze(1)
            loss = criterion(network(units(chosen)), truth)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            network(units(torch.arange(1)))
        return peers.weight(network)

    return epoch
