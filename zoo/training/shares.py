"""How often each class is there, how often an epoch draws it, and how much the loss makes of it.

Shapes: N samples, M draws of an epoch, K classes, H by W pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.loader import Loader
from zoo.data.resolutions import Resolutions
from zoo.data.store import Store
from zoo.tasks import MULTILABEL, SEGMENTATION, Task
from zoo.training.events import ClassShares
from zoo.training.workload import parts_of

_CHUNK = 4096  # masks counted at once
_WEIGHTS = ("weight", "pos_weight")  # what torch's losses call them


def class_shares(
    loader: Loader | Resolutions, loss: Callable[..., Tensor], task: Task
) -> ClassShares:
    """Of a training loader; its sampler is asked for the first epoch's order."""
    first = parts_of(loader)[0]
    counts = first.store.class_counts(task)
    whole = len(first.store) if task.kind == MULTILABEL else sum(counts)
    shares = tuple(count / max(1, whole) for count in counts)
    drawn = _drawn(loader, first, task, shares)
    weights, effective = loss_weights(loss, task), None
    if drawn is not None and task.kind != MULTILABEL:
        ones = (1.0,) * len(drawn)
        weighed = [share * weight for share, weight in zip(drawn, weights or ones, strict=True)]
        effective = tuple(one / (sum(weighed) or 1.0) for one in weighed)
    unit = "pixels" if task.kind == SEGMENTATION else "images"
    return ClassShares(unit, task.classes, counts, shares, drawn, weights, effective)


def _drawn(
    loader: Loader | Resolutions, first: Loader, task: Task, shares: tuple[float, ...]
) -> tuple[float, ...] | None:
    store = first.store
    if first.sampler is None:
        return shares
    order = loader.order(1)
    times = torch.bincount(order % len(store), minlength=len(store))
    if int(times.min()) == int(times.max()):
        return shares
    if task.kind == SEGMENTATION:
        return None if not isinstance(store, Store) else _drawn_pixels(store, times, task)
    labels = store.labels
    assert labels is not None
    if task.kind == MULTILABEL:
        carried = (labels.long() * times[:, None]).sum(0)
    else:
        carried = torch.bincount(labels, weights=times.double(), minlength=len(task.classes))
    return tuple(float(one) / len(order) for one in carried)


def _drawn_pixels(store: Store, times: Tensor, task: Task) -> tuple[float, ...]:
    assert store.masks is not None
    classes = len(task.classes)
    found = torch.zeros(classes, dtype=torch.int64)
    masks_of, times_of = torch.split(store.masks, _CHUNK), torch.split(times, _CHUNK)
    for masks, weights in zip(masks_of, times_of, strict=True):
        for label in range(classes):
            found[label] += ((masks == label).flatten(1).sum(1) * weights).sum()
    return tuple(float(one) / max(1, int(found.sum())) for one in found)


def loss_weights(loss: Any, task: Task) -> tuple[float, ...] | None:
    """Of a loss that holds a tensor of them, as torch's do; one weight of positives gives 1 for the
    other class. None where there is none, or none of the right number."""
    module = getattr(loss, "__wrapped__", loss)
    if not isinstance(module, nn.Module):
        return None
    for name, held in (*module.named_buffers(), *module.named_parameters()):
        if name.rpartition(".")[2] not in _WEIGHTS or held.ndim > 1:
            continue
        found = [float(one) for one in held.flatten()]
        if len(found) == len(task.classes):
            return tuple(found)
        if len(found) == 1 and task.positive is not None:
            place = task.positive_index
            return tuple(found[0] if i == place else 1.0 for i in range(len(task.classes)))
    return None
