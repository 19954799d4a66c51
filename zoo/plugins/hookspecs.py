"""The eight hooks. A plugin implements those it needs; each takes nothing and returns a list."""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from zoo.plugins import families, specs

GROUP = "zoo"  # the entry-point group, and pluggy's project name
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def register_datasets() -> Sequence[  # type: ignore[empty-body]
    specs.DatasetSpec | families.DatasetFamily
]:
    """Datasets, one by one or a whole family: images with labels or masks, and where they come
    from."""


@hookspec
def register_architectures() -> Sequence[  # type: ignore[empty-body]
    specs.ArchitectureSpec | families.ArchitectureFamily
]:
    """Architectures, one by one or a library's whole family."""


@hookspec
def register_losses() -> Sequence[  # type: ignore[empty-body]
    specs.LossSpec | families.LossFamily
]:
    """Losses, one by one or a library's whole family."""


@hookspec
def register_samplers() -> Sequence[specs.SamplerSpec]:  # type: ignore[empty-body]
    """Samplers: which training samples an epoch draws, and in which order."""


@hookspec
def register_augmentations() -> Sequence[specs.AugmentationSpec]:  # type: ignore[empty-body]
    """Augmentations, on the batch, each image with its own draw."""


@hookspec
def register_optimizers() -> Sequence[  # type: ignore[empty-body]
    specs.OptimizerSpec | families.OptimizerFamily
]:
    """Optimizers, one by one or a library's whole family."""


@hookspec
def register_schedulers() -> Sequence[specs.SchedulerSpec]:  # type: ignore[empty-body]
    """Learning-rate schedules."""


@hookspec
def register_trackers() -> Sequence[specs.TrackerSpec]:  # type: ignore[empty-body]
    """Trackers: where a run's events are sent besides its folder."""
