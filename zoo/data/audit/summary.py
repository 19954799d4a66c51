"""What a dataset looks like in figures: sizes, modes, classes, mean and standard deviation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.data.audit.cheap import class_counts, imbalance, learns_from
from zoo.data.audit.scanning import Scan
from zoo.data.datasets import Split
from zoo.tasks import SEGMENTATION, Task

_MOST = 12  # sizes that are listed one by one


def summarize(task: Task, splits: Mapping[str, Split], scans: Sequence[Scan]) -> dict[str, Any]:
    """JSON-like. ``statistics``: of the training split, every image weighing the same whatever its
    size, of values in [0, 1]: what ``normalize = "dataset"`` takes, before any resizing."""
    counts = class_counts(task, splits)
    train = learns_from(splits)
    found = {one.name: one for one in scans}
    if task.kind == SEGMENTATION:
        counts = {one.name: mask_pixels(task, one) for one in scans}
    parts = {
        name: {
            "samples": len(split),
            "labelled": split.labels is not None or task.kind == SEGMENTATION,
            "groups": None if split.groups is None else len(set(split.groups)),
            "class_counts": None
            if name not in counts
            else dict(zip(task.classes, counts[name], strict=True)),
            **_form(found.get(name)),
        }
        for name, split in splits.items()
    }
    trained = found.get(train)
    return {
        "task": task.as_json(),
        "counted": "pixels" if task.kind == SEGMENTATION else "samples",
        "splits": parts,
        "imbalance": imbalance(counts.get(train)),
        "statistics": None if trained is None else statistics(trained),
    }


def mask_pixels(task: Task, one: Scan) -> list[int]:
    """Pixels of each class in all masks of a split."""
    total = np.zeros(len(task.classes), np.int64)
    for counts in one.mask_counts:
        if counts:
            total += counts
    return [int(count) for count in total]


def statistics(one: Scan) -> dict[str, list[float]] | None:
    """``mean`` and ``std`` per channel; one channel where every image is gray."""
    if not one.seen.any():
        return None
    channels = 1 if one.gray[one.seen].all() else 3
    mean = one.means[one.seen].mean(axis=0)[:channels]
    square = one.squares[one.seen].mean(axis=0)[:channels]
    std = np.sqrt(np.maximum(square - np.square(mean), 0.0))
    return {"mean": mean.round(6).tolist(), "std": std.round(6).tolist()}


def _form(one: Scan | None) -> dict[str, Any]:
    if one is None:
        return {"decoded": None, "sizes": {}, "modes": {}}
    return {
        "decoded": int(one.seen.sum()),
        "sizes": _histogram(one.sizes),
        "modes": dict(one.modes.most_common()),
    }


def _histogram(sizes: Counter[tuple[int, int]]) -> dict[str, int]:
    """``height x width``, the most frequent first; a long tail as one line with its extremes."""
    common = sizes.most_common()
    listed = common if len(common) <= _MOST else common[: _MOST - 1]
    shown = {f"{height}x{width}": count for (height, width), count in listed}
    rest = common[len(listed) :]
    if rest:
        heights, widths = ([size[k] for size, _ in rest] for k in (0, 1))
        name = f"{min(heights)}-{max(heights)}x{min(widths)}-{max(widths)} ({len(rest)} sizes)"
        shown[name] = sum(count for _, count in rest)
    return shown
