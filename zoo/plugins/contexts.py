"""What each kind of component is built from: one frozen context, its first positional argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from torch.optim import Optimizer

    from zoo.tasks import Task


@dataclass(frozen=True)
class DatasetContext:
    """``root``: the folder that holds the files; None where the user named none."""

    root: Path | None = None


@dataclass(frozen=True)
class ArchitectureContext:
    """``image_size`` is (height, width) in pixels; ``outputs`` the number of logits.
    ``pretrained``, for an architecture's ``pretrained`` only: the tag of the published weights that
    are asked for, "" for its default ones."""

    in_channels: int
    image_size: tuple[int, int]
    outputs: int
    task: Task
    pretrained: str = ""


@dataclass(frozen=True)
class LossContext:
    """``class_counts``: per class, in class order, the samples of the training split that carry it
    (pixels for segmentation); ``samples``: how many samples (or pixels) there are."""

    task: Task
    class_counts: tuple[int, ...]
    samples: int


@dataclass(frozen=True)
class SamplerContext:
    """``labels``: int64 (N,) or, multilabel, uint8 (N, K), of the training split; ``groups``: one
    name a sample, or None."""

    task: Task
    labels: np.ndarray
    length: int
    groups: Sequence[str] | None = None


@dataclass(frozen=True)
class OptimizerContext:
    """``parameters``: torch parameter groups, dicts with at least ``params``."""

    parameters: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class SchedulerContext:
    """The optimizer and the budget: a schedule may span ``epochs`` or ``epochs * steps``."""

    optimizer: Optimizer
    epochs: int
    steps_per_epoch: int
    mode: str = "min"  # whether the monitored value is to fall ("min") or rise ("max")


@dataclass(frozen=True)
class TrackerContext:
    """``folder``: the run's; ``recipe``: the resolved recipe as plain data; ``resumed``: whether
    the run goes on, so that what is in the folder is to be continued."""

    folder: Path
    recipe: Mapping[str, Any]
    resumed: bool = False
