"""Predictions with a quality that is planted, so that what is found can be judged."""

from __future__ import annotations

import numpy as np

from zoo.predictions.file import Predictions
from zoo.tasks import Task

BINARY = Task.binary(["no", "yes"], positive="yes")


def said(task, targets, logits, **more):
    """Predictions of ``logits`` (N, O)."""
    logits = np.asarray(logits, np.float32).reshape(len(targets), task.outputs)
    probabilities, decisions = _answers(task, logits)
    heading = {
        "task": task, "dataset": "d", "split": "test", "fingerprint": "", "content": "",
        "source": "m", "ids": np.array([f"s{i}" for i in range(len(targets))]),
    }  # fmt: skip
    return Predictions(
        **{**heading, **more},
        logits=logits,
        probabilities=probabilities,
        targets=np.asarray(targets),
        decisions=decisions,
    )


def _answers(task, logits):
    if task.kind == "multiclass":
        odds = np.exp(logits - logits.max(1, keepdims=True))
        sure = odds / odds.sum(1, keepdims=True)
        return sure.astype(np.float32), sure.argmax(1)
    yes = 1 / (1 + np.exp(-logits))
    if task.kind == "multilabel":
        return yes.astype(np.float32), (yes > task.threshold).astype(np.int64)
    both = [1 - yes, yes] if task.positive_index == 1 else [yes, 1 - yes]
    positive = (yes[:, 0] > task.threshold).astype(np.int64)
    decisions = positive if task.positive_index == 1 else 1 - positive
    return np.concatenate(both, axis=1).astype(np.float32), decisions


def right_with(chance, size, seed, targets=None, **more):
    """Of a binary task, each decision right with probability ``chance``, by itself."""
    rng = np.random.default_rng([seed, size])
    targets = rng.integers(0, 2, size) if targets is None else targets
    right = rng.random(size) < chance
    side = np.where(right, targets, 1 - targets) * 2 - 1
    return said(BINARY, targets, side * (0.1 + rng.random(size)), **more)
