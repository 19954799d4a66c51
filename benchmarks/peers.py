"""The loops people write, fed the very same images in the same order where they allow it.

Shapes: N samples, B images, H by W pixels, C channels.
"""

from __future__ import annotations

import copy
import logging
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from zoo.data.datasets import ArraySplit
from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.tiers import Keeping, open_split
from zoo.tasks import Task
from zoo.training import loop
from zoo.training.checkpoints import Checkpoints
from zoo.training.optimizer import Schedule
from zoo.training.precision import Precision
from zoo.training.stopping import Stopping
from zoo.training.update import Update

MEAN, STD = 0.5, 0.25
BATCH = 64
CPU = torch.device("cpu")


@dataclass
class Case:
    """A data set, a network and an order for one epoch."""

    images: np.ndarray  # uint8 (N, H, W, C)
    labels: np.ndarray
    classes: int
    build: Callable[[], nn.Module]

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.start = self.build()
        self.order = torch.randperm(len(self.images), generator=torch.Generator().manual_seed(1))
        self.channels = self.images.shape[3]

    def network(self) -> nn.Module:
        return copy.deepcopy(self.start)

    def normalized(self) -> Tensor:
        """float32 (N, C, H, W), all at once, as notebooks hold it."""
        units = torch.from_numpy(self.images).permute(0, 3, 1, 2).float() / 255
        return ((units - MEAN) / STD).contiguous()


def weight(network: nn.Module) -> float:
    """The sum of the weights' magnitudes: what shows whether two loops did the same work."""
    return sum(float(value.detach().abs().sum()) for value in network.parameters())


def zoo_epoch(
    case: Case, *, channels_last: bool = True, precision: str = "fp32"
) -> Callable[[], float]:
    """zoo's own step, loader and tally, as ``zoo train`` runs them."""
    loader = zoo_loader(case, channels_last=channels_last)

    def epoch() -> float:
        run = trainee(case, loader, channels_last=channels_last, precision=precision)
        run.network.train()
        for batch in loader.epoch(1):
            loop.train_step(run, batch)
        run.tally.numbers()
        return weight(run.network)

    return epoch


def zoo_loader(case: Case, *, channels_last: bool = True) -> Loader:
    task = Task.multiclass([str(label) for label in range(case.classes)])
    split = ArraySplit(case.images, case.labels, [str(i) for i in range(len(case.images))])
    store = open_split(split, Form(case.channels), task, "benchmark", Keeping())
    size = case.images.shape[1], case.images.shape[2]
    preprocessing = Preprocessing(
        size, case.channels, (MEAN,) * case.channels, (STD,) * case.channels
    )
    return Loader(
        store, preprocessing, task, BATCH, CPU, lambda generator: case.order,
        channels_last=channels_last,
    )  # fmt: skip


def trainee(
    case: Case, loader: Loader, *, channels_last: bool = True, precision: str = "fp32"
) -> loop.Trainee:
    """What ``zoo train`` would hand to its loop, Adam at a constant rate."""
    network = case.network()
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    return loop.Trainee(
        loader.task, network, nn.CrossEntropyLoss(), Update(optimizer, Precision(precision, CPU)),
        Schedule(optimizer), loader, loader, Stopping("val/loss", "min"), Checkpoints(None), 1, 0,
    )  # fmt: skip


def bare_epoch(case: Case, *, channels_last: bool = False) -> Callable[[], float]:
    """The least loop: uint8 in memory, batched conversion, nothing measured but the mean loss."""
    data = torch.from_numpy(case.images)
    labels = torch.from_numpy(case.labels)

    def epoch() -> float:
        network = case.network().train()
        if channels_last:
            network = network.to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(network.parameters(), fused=True)
        criterion = nn.CrossEntropyLoss()
        total = torch.zeros(())
        for start in range(0, len(case.order), BATCH):
            chosen = case.order[start : start + BATCH]
            units = data.index_select(0, chosen).float().div_(255.0).permute(0, 3, 1, 2)
            if not channels_last:
                units = units.contiguous()
            loss = criterion(network(units.sub_(MEAN).div_(STD)), labels.index_select(0, chosen))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach()
        total.item()
        return weight(network)

    return epoch


class PilDataset(Dataset):  # type: ignore[type-arg]
    """One PIL image a sample, transformed one by one, as tutorials do."""

    def __init__(self, case: Case) -> None:
        from torchvision import transforms

        self.case = case
        self.transform = transforms.Compose(
            [
                transforms.ToTensor(),
                transforms.Normalize((MEAN,) * case.channels, (STD,) * case.channels),
            ]
        )

    def __len__(self) -> int:
        return len(self.case.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image

        array = self.case.images[index]
        image = Image.fromarray(array[:, :, 0] if self.case.channels == 1 else array)
        return self.transform(image), int(self.case.labels[index])


def notebook_epoch(case: Case, *, second_pass: bool = False) -> Callable[[], float]:
    """PIL, ToTensor, Normalize, DataLoader, ``.item()`` every step; with ``second_pass`` another
    pass over the training set for its metrics, as MedMNIST's own script makes."""
    data = PilDataset(case)

    def epoch() -> float:
        network = case.network().train()
        optimizer = torch.optim.Adam(network.parameters())
        criterion = nn.CrossEntropyLoss()
        total = 0.0
        for images, labels in DataLoader(data, BATCH, sampler=case.order.tolist()):
            optimizer.zero_grad()
            loss = criterion(network(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if second_pass:
            network.eval()
            with torch.no_grad():
                for images, labels in DataLoader(data, BATCH):
                    total += criterion(network(images), labels).item()
        return weight(network)

    return epoch


def timm_epoch(case: Case) -> Callable[[], float]:
    """timm's ``create_loader`` with no worker, and a loop as its training script's."""
    from PIL import Image
    from timm.data import create_loader

    class Pictures(Dataset):  # type: ignore[type-arg]
        transform = None

        def __len__(self) -> int:
            return len(case.images)

        def __getitem__(self, index: int) -> tuple[object, int]:
            array = case.images[index]
            image: object = Image.fromarray(array[:, :, 0] if case.channels == 1 else array)
            return (self.transform(image) if self.transform else image), int(case.labels[index])

    size = (case.channels, case.images.shape[1], case.images.shape[2])
    loader = create_loader(
        Pictures(), size, BATCH, is_training=True, use_prefetcher=False, no_aug=True, num_workers=0,
        mean=(MEAN,) * case.channels, std=(STD,) * case.channels, device=CPU,
        persistent_workers=False, interpolation="bilinear",
    )  # fmt: skip

    def epoch() -> float:
        network = case.network().train()
        optimizer = torch.optim.Adam(network.parameters())
        criterion = nn.CrossEntropyLoss()
        for images, labels in loader:
            loss = criterion(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
        return weight(network)

    return epoch


def lightning_epoch(case: Case) -> Callable[[], float]:
    """Lightning's Trainer with its defaults, fed with normalized tensors."""
    import lightning

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    images, labels = case.normalized(), torch.from_numpy(case.labels)

    class Module(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network
            self.criterion = nn.CrossEntropyLoss()

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            loss = self.criterion(self.network(batch[0]), batch[1])
            self.log("loss", loss, prog_bar=True)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.network.parameters())

    def epoch() -> float:
        network = case.network()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer = lightning.Trainer(
                max_epochs=1, accelerator="cpu", devices=1, enable_checkpointing=False,
                enable_model_summary=False, default_root_dir=tempfile.gettempdir(),
            )  # fmt: skip
            data = DataLoader(TensorDataset(images, labels), BATCH, sampler=case.order.tolist())
            trainer.fit(Module(network), data)
        return weight(network)

    return epoch
