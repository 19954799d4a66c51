"""Networks whose answers are known, as subjects: by brightness, of an image or of each pixel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from zoo.data.preprocessing import Preprocessing
from zoo.predictions.combining.rules import Mean
from zoo.registry.ensemble import Combined
from zoo.runs.sources import Source
from zoo.runs.subjects import Subject
from zoo.tasks import Task

SHADES = Task.multiclass(["dark", "gray", "bright"])
THING = Task.segmentation(["ground", "thing"], positive="thing")


class OfBrightness(nn.Module):
    """Logits (B, K): how near an image's mean in [0, 1] is to 0, 1/2, 1, ..."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.linspace(0, 1, task.outputs))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return -20 * (images.mean((1, 2, 3))[:, None] - self.places).abs()


class OfPixels(nn.Module):
    """Logits (B, 1, H, W): the thing is what is brighter than the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(20.0))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.scale * (images.mean(1, keepdim=True) - 0.5)


def subject(task: Task = SHADES, trained_on: Source | None = None, **changes) -> Subject:
    """``changes``: of the preprocessing, which is of 8x8 gray pixels in [0, 1]."""
    form = {"size": (8, 8), "channels": 1, "mean": (0.0,), "std": (1.0,), "store_size": (8, 8)}
    network = OfPixels() if task.kind == "segmentation" else OfBrightness(task)
    return Subject(
        name="known",
        task=task,
        preprocessing=Preprocessing(**{**form, **changes}),
        network=network,
        trained_on=trained_on,
        data={},
        digest="0" * 64,
    )


def ensemble(task: Task = SHADES) -> Subject:
    """Of the known network and one for images of 4x4 pixels that says the same of each."""
    member, small = subject(task), subject(task, size=(4, 4), store_size=(4, 4))
    members = [one.predictor(torch.device("cpu")) for one in (member, small)]
    combined = Combined(task, members, Mean.of(2), "known")
    return replace(member, network=combined.network, combined=combined)


def write_image(path: Path, level: int, size: tuple[int, int] = (8, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, level, np.uint8)).save(path)
    return path
