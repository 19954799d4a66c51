"""Small tasks, labels and right answers on which the contract checks try components.

Shapes: B images, K classes, O outputs, H by W pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.tasks import BINARY, MULTICLASS, MULTILABEL, SEGMENTATION, Task

_NAMES = ("a", "b", "c", "d")
_TASKS = {
    BINARY: Task.binary(("b", "a"), positive="b"),  # the positive class is label 0: a trap
    MULTICLASS: Task.multiclass(_NAMES),
    MULTILABEL: Task.multilabel(_NAMES),
    SEGMENTATION: Task.segmentation(("background", "object")),
}
_FOREGROUND = Task.segmentation(("object", "background"), positive="object")


def example_task(kind: str) -> Task:
    return _TASKS[kind]


def example_tasks(kind: str) -> tuple[Task, ...]:
    """Every form of it: segmentation may have a positive class, and then a single output."""
    return (_TASKS[kind], _FOREGROUND) if kind == SEGMENTATION else (_TASKS[kind],)


def example_labels(task: Task, images_BCHW: Tensor) -> Tensor:
    """Labels for the images as zoo holds them; a mask shows where an image is above 0."""
    index = torch.arange(len(images_BCHW))
    if task.kind == SEGMENTATION:
        return (images_BCHW.mean(1) > 0).long()
    if task.kind == MULTILABEL:
        label = torch.arange(len(task.classes))  # from three images on, each is there and absent
        return ((index[:, None] + label) % (label + 2) == 0).long()
    return index % len(task.classes)


def right_logits(task: Task, labels: Tensor, strength: float) -> Tensor:
    """Logits (B, O, ...) that decide for the labels; with a negative strength, against them."""
    if task.positive is not None or task.kind == MULTILABEL:
        return (task.targets(labels) * 2 - 1) * strength
    hot = torch.nn.functional.one_hot(labels, len(task.classes)).movedim(-1, 1)
    return (hot.float() * 2 - 1) * strength
