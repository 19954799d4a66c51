"""Small sets of files without a fault, to plant one in, and what is said of them."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

import zoo
from zoo.data.audit.auditing import audit
from zoo.data.audit.findings import Report

SOMEWHERE = zoo.Provenance(licence="cc0-1.0")
THREE = zoo.Task.multiclass(["cat", "dog", "owl"])
ORGAN = zoo.Task.segmentation(["background", "organ"], positive="organ")
LAYERS = zoo.Task.segmentation(["air", "skin", "bone"])
Splits = dict[str, zoo.FileSplit]


def scene(seed: int, side: int = 48) -> np.ndarray:
    """A smooth picture unlike every other: uint8 (side, side, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def encoded(array: np.ndarray, form: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, form, **options)
    return stream.getvalue()


def folder_splits(root: Path, counts: dict[str, int]) -> Splits:
    """Splits of PNG files with labels 0, 1, 2 in turn and a group for each sample."""
    made, seed = {}, 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        paths = []
        for number in range(count):
            paths.append(root / name / f"{number:02}.png")
            paths[-1].write_bytes(encoded(scene(seed)))
            seed += 1
        labels = np.arange(count) % 3
        ids = [f"{name}/{path.name}" for path in paths]
        made[name] = zoo.FileSplit(paths, labels, ids, [f"patient {one}" for one in ids])
    return made


def masked_splits(root: Path) -> Splits:
    """Images with a square in their mask, two classes: 0 and 255."""
    made = {}
    for name, split in folder_splits(root, {"train": 6, "val": 3}).items():
        masks = []
        for number, path in enumerate(split.paths):
            masks.append(path.with_suffix(".mask.png"))
            mask = np.zeros((48, 48), np.uint8)
            mask[10 : 20 + number, 10:30] = 255
            masks[-1].write_bytes(encoded(mask))
        made[name] = replace(split, labels=None, masks=masks)
    return made


def report_on(task: zoo.Task, splits: dict[str, zoo.Split], **notes: str) -> Report:
    return audit("made", zoo.Dataset(task, splits, SOMEWHERE, notes), splits, threads=2)


def kinds(report: Report) -> set[str]:
    return {one.kind for one in report.findings}
