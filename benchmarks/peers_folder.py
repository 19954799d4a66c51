"""An epoch over a folder of files: zoo's, and one after timm's training script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import peers
import torch
from torch import nn

from zoo.data.augmentation import Augmentations
from zoo.data.copies import Copies, Copy
from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.tiers import Keeping, open_split
from zoo.plugins.catalog import catalog
from zoo.plugins.contexts import DatasetContext
from zoo.training import events, loop
from zoo.training.checkpoints import Checkpoints
from zoo.training.optimizer import Schedule
from zoo.training.precision import Precision
from zoo.training.stopping import Stopping
from zoo.training.update import Update

CPU = torch.device("cpu")


@dataclass
class FolderCase:
    """``root/{train,val}/class/*.png``, 28x28."""

    root: Path

    @classmethod
    def drawn(cls, root: Path, train: int, val: int) -> FolderCase:
        from PIL import Image

        rng = np.random.default_rng(0)
        for split, count in (("train", train), ("val", val)):
            for i in range(count):
                folder = root / split / f"class{i % 9}"
                folder.mkdir(parents=True, exist_ok=True)
                pixels = rng.integers(0, 256, (28, 28, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
        return cls(root)

    @staticmethod
    def network() -> nn.Module:
        import timm

        torch.manual_seed(0)
        return timm.create_model("resnet18", num_classes=9)

    def zoo_epoch(self) -> Callable[[], float]:
        """From the second epoch on: the files are decoded. Checkpoints are written."""
        dataset: Any = catalog().get("dataset", "image_folder").build(DatasetContext(self.root))
        plain = Preprocessing((28, 28), 3, (0.5,) * 3, (0.25,) * 3)
        held = {
            name: open_split(dataset.splits[name], Form(3), dataset.task, name, Keeping())
            for name in ("train", "val")
        }
        chosen = {"random_resized_crop": {}, "horizontal_flip": {}, "color_jitter": {
            "brightness": 0.4, "contrast": 0.4, "saturation": 0.4}}  # fmt: skip
        steps = [
            (name, catalog().get("augmentation", name).build(None, options))
            for name, options in chosen.items()
        ]
        count = len(held["train"])
        loader = Loader(
            held["train"], plain, dataset.task, peers.BATCH, CPU,
            lambda generator: torch.randperm(count, generator=generator),
            Copies([Copy(Augmentations(steps), False)]),
        )  # fmt: skip
        network = self.network().to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(network.parameters(), fused=True)
        run = loop.Trainee(
            dataset.task, network, nn.CrossEntropyLoss(label_smoothing=0.1),
            Update(optimizer, Precision("fp32", CPU)), Schedule(optimizer), loader,
            Loader(held["val"], plain, dataset.task, 128, CPU),
            Stopping("val/loss", "min"), Checkpoints(self.root / "run"), 1_000_000, 0,
        )  # fmt: skip
        (self.root / "run").mkdir()
        return _each_epoch(loop.train(run))

    def timm_epoch(self) -> Callable[[], float]:
        """A loop after timm's training script, which its wheel has not, with Adam and no worker;
        its defaults else: random resized crop, flip, colour jitter 0.4, label smoothing 0.1,
        ``loss.item()``, validation, and a checkpoint with the optimizer's state."""
        from timm.data import create_dataset, create_loader

        def batches(split: str, *, training: bool) -> Any:
            return create_loader(
                create_dataset("", str(self.root), split=split), (3, 28, 28), peers.BATCH,
                is_training=training, use_prefetcher=False, num_workers=0, device=CPU,
                persistent_workers=False,
            )  # fmt: skip

        train, val = batches("train", training=True), batches("val", training=False)
        network = self.network()
        optimizer = torch.optim.Adam(network.parameters())
        criterion, exact = nn.CrossEntropyLoss(label_smoothing=0.1), nn.CrossEntropyLoss()

        def epoch() -> float:
            network.train()
            for images, labels in train:
                loss = criterion(network(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                loss.item()
            network.eval()
            total = 0.0
            with torch.no_grad():
                for images, labels in val:
                    total += exact(network(images), labels).item()
            state = {"state_dict": network.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(state, self.root / "last.pth.tar")
            return total

        return epoch


def _each_epoch(seen: Iterator[events.Event]) -> Callable[[], float]:
    def epoch() -> float:
        for event in seen:
            if isinstance(event, events.EpochEnded):
                return event.seconds
        raise RuntimeError("training ended")

    return epoch
