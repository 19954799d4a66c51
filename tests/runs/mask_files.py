"""A folder of small images with masks: bright rectangles, and a border that is ignored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

TRAIN, VAL, TEST = 24, 6, 7
RECIPE = {
    "dataset": {"name": "mask_folder"},
    "architecture": {"name": "unet", "width": 4, "depth": 1},
    "optimizer": {"name": "adam", "lr": 0.03},
    "training": {"epochs": 12, "batch_size": 6, "threads": 1, "device": "cpu"},
    "stopping": {"monitor": "val/dice"},
    "card": {"licence": "apache-2.0", "intended_use": "a test"},
}


def write_masks(root: Path, *, classes: int = 2, masked_test: bool = True) -> Path:
    """Sizes differ a little, so that they have to be brought to one; every fifth mask is empty."""
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    names = [f"{number:02}" for number in range(TRAIN + VAL + TEST)]
    for number, name in enumerate(names):
        size = (16 + 2 * (number % 3), 20)
        mask = np.zeros(size, np.uint8)
        if number % 5:
            top, left = rng.integers(2, 8, 2)
            mask[top : top + 7, left : left + 8] = 1 + number % (classes - 1)
        levels = np.linspace(0, 200, classes)[mask]
        image = (levels + rng.integers(0, 40, size)).astype(np.uint8)
        mask[0], mask[1, 0] = 255, 1  # 255 alone beside 0 would be a foreground
        Image.fromarray(image).save(root / f"images/{name}.png")
        if masked_test or number < TRAIN + VAL:
            Image.fromarray(mask).save(root / f"masks/{name}.png")
    starts = {"train": 0, "val": TRAIN, "test": TRAIN + VAL, "": len(names)}
    for (part, first), last in zip(starts.items(), list(starts.values())[1:], strict=False):
        if part:
            (root / f"{part}.txt").write_text("\n".join(names[first:last]) + "\n")
    return root
