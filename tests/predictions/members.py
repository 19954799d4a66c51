"""Members of ensembles whose errors are planted: independent of each other, or copies."""

from __future__ import annotations

import numpy as np
from planted import said

from zoo.predictions.combining.answers import Answers, Validation
from zoo.tasks import Task

FOUR = Task.multiclass(list("abcd"))
TWO = Task.multiclass(["no", "yes"])
POSITIVE = Task.binary(["no", "yes"], positive="yes")
FIRST_POSITIVE = Task.binary(["ill", "well"], positive="ill", threshold=0.3)
LABELS = Task.multilabel(["x", "y", "z"], threshold=0.4)
TASKS = (FOUR, TWO, POSITIVE, FIRST_POSITIVE, LABELS)


def labels(task, size, seed):
    rng = np.random.default_rng([seed, size])
    if task.kind == "multilabel":
        return rng.integers(0, 2, (size, len(task.classes))).astype(np.uint8)
    return rng.integers(0, len(task.classes), size)


def member(task, targets, seed, noise=2.0, **more):
    """Of logits that are right but for noise of its own."""
    rng = np.random.default_rng([7, seed])
    if task.kind == "multilabel":
        clean = targets * 2.0 - 1
    elif task.kind == "binary":
        clean = np.where(targets == task.positive_index, 1.0, -1.0)[:, None]
    else:
        clean = 2 * np.eye(len(task.classes))[targets]
    logits = clean + noise * rng.standard_normal(clean.shape)
    return said(task, targets, logits, **{"source": f"m{seed}", "fingerprint": "f", **more})


def several(task, count=4, size=400, split="val", seed=0, **more):
    targets = labels(task, size, [seed, len(split)])
    start = 100 if split == "val" else 200
    return [member(task, targets, start + i, split=split, **more) for i in range(count)]


def names_of(members):
    return [f"m{number}" for number in range(len(members))]


def answers(members):
    return Answers.of(names_of(members), members)


def validation(members):
    return Validation(answers(members))
