"""What a model on CUDA says of files, and where it looks; skipped elsewhere."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from zoo.data.preprocessing import Preprocessing
from zoo.reports import explaining
from zoo.runs import predicting
from zoo.runs.subjects import Subject
from zoo.tasks import Task

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
CATS = Task.multiclass(["cat", "dog", "cow"])
THING = Task.segmentation(["ground", "thing"], positive="thing")


@pytest.fixture
def known(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for number in range(9):
        pixels = rng.integers(0, 256, (16 + number % 3, 20), dtype=np.uint8)
        Image.fromarray(pixels).save(f"{number}.png")

    def use(task):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(inplace=True))
        network.append(nn.Conv2d(8, 1, 1) if task is THING else nn.Flatten())
        if task is CATS:
            network.append(nn.Linear(8 * 16 * 16, 3))
        form = Preprocessing((16, 16), 1, (0.5,), (0.25,))
        made = Subject("known", task, form, network, None, {}, "0" * 64)
        for module in (predicting, explaining):
            monkeypatch.setattr(module, "open_subject", lambda *_: made)

    return use


def probabilities(path: str) -> np.ndarray:
    with Path(path).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return np.array([[float(row[f"p_{name}"]) for name in CATS.classes] for row in rows])


def test_a_table_is_that_of_the_cpu(known):
    known(CATS)
    for device in ("cpu", "cuda"):
        done = predicting.predict("m", sorted(Path().glob("*.png")), f"{device}.csv", device=device)
        assert done.images == 9
    np.testing.assert_allclose(probabilities("cuda.csv"), probabilities("cpu.csv"), atol=2e-3)


def test_masks_are_those_of_the_cpu(known):
    known(THING)
    for device in ("cpu", "cuda"):
        predicting.predict("m", sorted(Path().glob("*.png")), device, device=device)
    for number in range(9):
        one, other = (np.asarray(Image.open(f"{name}/{number}.png")) for name in ("cpu", "cuda"))
        assert one.shape == other.shape
        assert (one != other).mean() < 0.02


@pytest.mark.parametrize("task", [CATS, THING], ids=["classes", "masks"])
@pytest.mark.parametrize("method", ["gradcam", "occlusion"])
def test_maps_are_those_of_the_cpu(task, method, known, monkeypatch):
    pytest.importorskip("captum", reason="needs: pip install 'zoo[explain]'")
    known(task)
    maps = []
    monkeypatch.setattr(
        explaining, "draw_attention", lambda image, heat, lines, **_: maps.append(heat) or image
    )
    monkeypatch.setattr(explaining, "png_bytes", lambda _: b"")
    for device in ("cpu", "cuda"):
        explaining.explain("m", "4.png", device, method=method, device=device)
    np.testing.assert_allclose(maps[0], maps[1], atol=0.02)
