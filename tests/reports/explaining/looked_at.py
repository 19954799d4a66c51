"""Networks of which it is known where they look, and images to be looked at."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from zoo.data.preprocessing import Preprocessing
from zoo.runs.subjects import Subject
from zoo.tasks import Task

CATS = Task.multiclass(["cat", "dog", "cow"])
THING = Task.segmentation(["ground", "thing"], positive="thing")
AREAS = Task.segmentation(["ground", "tree", "house"])


class Quarters(nn.Module):
    """Cat is what is bright in the upper left, dog in the upper right, cow in the lower half."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        nn.init.ones_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)

    def forward(self, images):
        planes = self.conv(images)
        height, width = planes.shape[2] // 2, planes.shape[3] // 2
        parts = (
            planes[:, 0, :height, :width], planes[:, 0, :height, width:], planes[:, 0, height:]
        )  # fmt: skip
        return 9 * torch.stack([part.mean((1, 2)) for part in parts], 1)


class Pixels(nn.Module):
    """Of each pixel the class by its brightness."""

    def __init__(self, outputs):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        nn.init.ones_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)
        self.outputs = outputs

    def forward(self, images):
        planes = self.conv(images)
        if self.outputs == 1:
            return 20 * (planes - 0.5)
        places = torch.linspace(0, 1, self.outputs)[None, :, None, None]
        return -20 * (planes - places).abs()


def subject(task=CATS, network=None, combined=None, **changes) -> Subject:
    """``changes``: of the preprocessing, which is of 16x16 gray pixels in [0, 1]."""
    form = {"size": (16, 16), "channels": 1, "mean": (0.0,), "std": (1.0,)}
    net = network or (Quarters() if task is CATS else Pixels(task.outputs))
    preprocessing = Preprocessing(**{**form, **changes})
    return Subject("known", task, preprocessing, net, None, {}, "0" * 64, combined=combined)


def write(name, array):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array.astype(np.uint8)).save(name)


def bright(rows, columns, size=(16, 16)):
    array = np.zeros(size)
    array[rows, columns] = 255
    return array


UP, DOWN, LEFT, RIGHT = slice(0, 8), slice(8, 16), slice(0, 8), slice(8, 16)


def colours(picture):
    """How many pixels have exactly each colour."""
    with Image.open(io.BytesIO(picture)) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    values, counted = np.unique(pixels, axis=0, return_counts=True)
    return {tuple(map(int, one)): int(n) for one, n in zip(values, counted, strict=True)}


def painted(colour, gray):
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return tuple(round((1 - 0.7) * gray + 0.7 * part) for part in parts)
