"""Recipes of tiny runs, 12 steps each, over what a recipe may combine; and the data for them."""

from __future__ import annotations

import numpy as np
import torch

import zoo
from zoo.plugins import loading
from zoo.plugins.catalog import catalog
from zoo.plugins.loading import Loaded, Plugin

STEPS, EPOCHS = 12, 3
FACTORS = {
    "task": ("classes", "masks"),
    "ema": (False, True),
    "micro": (False, True),
    "schedule": ("plateau", "cosine"),
    "mixup": (False, True),
    "dropout": (False, True),
    "weighted": (False, True),
    "bf16": (False, True),
}


def cell_of(row):
    words = row.split()
    return {
        name: word if name in ("task", "schedule") else word != "-"
        for name, word in zip(FACTORS, words, strict=True)
    }


def tiny(context):
    rng = np.random.default_rng(0)

    def split(count, prefix):
        labels = np.arange(count) % 3
        images = labels[:, None, None] * 60 + rng.integers(0, 90, (count, 8, 8))
        return zoo.ArraySplit(
            images.astype(np.uint8), labels, [f"{prefix}{i}" for i in range(count)]
        )

    task = zoo.Task.multiclass(["dark", "grey", "light"])
    return zoo.Dataset(task, {"train": split(24, "t"), "val": split(9, "v")}, zoo.Provenance("mit"))


def repeating(context):
    """With replacement: the weighted sampler of segmentation, for which zoo-basics has none."""
    weights = torch.arange(1.0, context.length + 1)
    return lambda generator: torch.multinomial(weights, context.length, True, generator=generator)


def install():
    specs = (
        zoo.DatasetSpec(name="tiny", build=tiny, summary="for tests", source="here"),
        zoo.SamplerSpec(name="repeating", build=repeating, summary="for tests", source="here"),
    )
    found, problems = loading.load_all()
    extra = Loaded(Plugin("tests", "zoo-tests", "1"), specs)
    loading.load_all = lambda: ([*found, extra], problems)
    catalog.cache_clear()


def recipe(cell, root, **changes):
    masks = cell["task"] == "masks"
    monitor = "train/loss" if cell["schedule"] == "plateau" else "val/loss"
    scheduler = {"name": cell["schedule"]}
    if cell["schedule"] == "plateau":
        scheduler |= {"factor": 0.5, "patience": 0}
    switch = "on" if cell["dropout"] else "off"
    made = {
        "dataset": {"name": "mask_folder", "root": str(root)} if masks else {"name": "tiny"},
        "data": {"size": 16, "keep": "memory"} if masks else {},
        "architecture": {"name": "unet", "width": 4, "depth": 1, "dropout": cell["dropout"]}
        if masks
        else {"name": "simple_cnn", "batch_norm": "on", "dropout": switch},
        "optimizer": {"name": "adam", "lr": 0.03},
        "scheduler": scheduler,
        "sampler": {
            "name": ("repeating" if masks else "weighted") if cell["weighted"] else "shuffle"
        },
        "augmentations": [{"name": "mixup"}] if cell["mixup"] else [],
        "training": {
            "epochs": EPOCHS,
            "batch_size": 6,
            "micro_batch": 4 if cell["micro"] else 0,
            "ema": 0.9 if cell["ema"] else 0.0,
            "evaluate": "ema" if cell["ema"] else "best",
            "precision": cell.get("precision") or ("bf16" if cell["bf16"] else "fp32"),
            "threads": 1,
            "device": "cpu",
        },
        "stopping": {"monitor": monitor},
        "checkpoints": {"steps": 1, "keep": 20},
    }
    for key, value in {**cell.get("set", {}), **changes}.items():
        section, _, field = key.partition(".")
        made[section] = {**made[section], field: value}
    return made
