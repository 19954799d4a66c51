"""How often each class is there, how often an epoch draws it, and how much the loss makes of it.

Shapes: N samples, M draws of an epoch, K classes, H by W pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.loader import Loader
from zoo.data.resolutions import Resolutions
from zoo.data.store import Store
from zoo.errors import PluginError
from zoo.tasks import MULTILABEL, SEGMENTATION, Task
from zoo.training.events import ClassShares
from zoo.training.workload import parts_of

_CHUNK = 4096  # masks counted at once


def class_shares(
    loader: Loader | Resolutions, loss: Callable[..., Tensor], task: Task
) -> ClassShares:
    """Of a training loader; its sampler is asked for the first epoch's order."""
    first = parts_of(loader)[0]
    counts = first.store.class_counts(task)
    whole = len(first.store) if task.kind == MULTILABEL else sum(counts)
    shares = tuple(count / max(1, whole) for count in counts)
    drawn = _drawn(loader, first, task, shares)
    (known, weights), effective = loss_weights(loss, task), None
    if known and drawn is not None and task.kind != MULTILABEL:
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


def loss_weights(loss: Any, task: Task) -> tuple[bool, tuple[float, ...] | None]:
    """Whether a loss says how it weighs the classes, and one weight a class, None where all count
    alike. It says so by an attribute ``class_weights``; of torch's own losses it is known. Raises
    :class:`PluginError` for weights that do not fit the task."""
    made = getattr(loss, "__wrapped__", loss)
    if not hasattr(made, "class_weights"):
        return _torch_weights(made, task)
    held = made.class_weights
    if held is None:
        return True, None
    try:
        weights = tuple(float(one) for one in held)
    except (TypeError, ValueError):
        weights = ()
    if len(weights) != len(task.classes) or not all(0 <= one < math.inf for one in weights):
        raise PluginError(
            f"the loss has class_weights {held!r}; expected None, or {len(task.classes)} numbers "
            f"of 0 or more, one a class"
        )
    return True, weights


def _torch_weights(loss: Any, task: Task) -> tuple[bool, tuple[float, ...] | None]:
    """One weight of positives gives 1 for the other class."""
    if isinstance(loss, nn.CrossEntropyLoss):
        held = loss.weight
    elif isinstance(loss, nn.BCEWithLogitsLoss):
        held = loss.pos_weight
    else:
        return False, None
    if held is None:
        return True, None
    found, classes = [float(one) for one in held.flatten()], len(task.classes)
    if len(found) == classes:
        return True, tuple(found)
    if len(found) == 1 and task.positive is not None:
        place = task.positive_index
        return True, tuple(found[0] if i == place else 1.0 for i in range(classes))
    return False, None
