"""A version to publish, without torch: for tests that fork or count calls."""

from __future__ import annotations

import json
from typing import Any

from zoo.registry.record import Draft
from zoo.tasks import Task

TASK = Task.multiclass(["cat", "dog", "a|b"])
PREPROCESSING = {"size": [4, 5], "channels": 1, "mean": [0.5], "std": [0.25], "resize": "bilinear"}
METRICS = {
    "test": {
        "samples": 10,
        "accuracy": 0.75,
        "f1": None,
        "confusion": [[3, 1, 0], [0, 4, 0], [1, 0, 1]],
        "per_class": [
            {"class": "cat", "support": 4, "recall": 0.75},
            {"class": "dog", "support": 4, "recall": 1.0},
            {"class": "a|b", "support": 2, "recall": None},
        ],
    },
    "val": {"accuracy": 0.8},
}


def fields(**changes: Any) -> dict[str, Any]:
    return {
        "model": "digits-tiny",
        "task": TASK,
        "preprocessing": PREPROCESSING,
        "architecture": {
            "name": "tiny", "options": {"hidden": 3}, "in_channels": 1, "image_size": [4, 5],
        },
        "plugin": {
            "entry": "fake", "distribution": "zoo-fake", "version": "1.2",
            "libraries": {"torch": "2"},
        },
        "recipe": {"dataset": {"name": "digits", "root": None}, "optimizer": {"lr": 0.001}},
        "data": {
            "dataset": "digits",
            "fingerprint": "abc",
            "splits": {"train": {"samples": 80, "fingerprint": "t"},
                       "test": {"samples": 10, "fingerprint": "u"}},
            "licence": "CC0-1.0",
        },
        "metrics": METRICS,
        "licence": "Apache-2.0",
        "environment": {"python": "3.11.9", "torch": "2.15.0", "device": "cpu", "threads": 1},
        "weights": "best",
        **changes,
    }  # fmt: skip


def draft(**changes: Any) -> Draft:
    return Draft.of(**fields(**changes))


def weights(content: bytes = b"w" * 3000) -> bytes:
    """A safetensors file that holds one tensor of these bytes."""
    entry = {"dtype": "U8", "shape": [len(content)], "data_offsets": [0, len(content)]}
    header = json.dumps({"w": entry}).encode()
    return len(header).to_bytes(8, "little") + header + content
