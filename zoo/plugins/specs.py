"""The frozen dataclasses with which a plugin declares its components.

``build`` is a callable, or an entry-point string ``"package.module:function"`` resolved on first
use, so that listing components imports nothing heavy. Its keyword-only parameters, with their
annotations and defaults, are the component's options.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from zoo import tasks
from zoo.errors import PluginError
from zoo.plugins import contexts

Build = Callable[..., Any] | str
NAME = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*", re.ASCII)
EVERY_TASK = frozenset(tasks.KINDS)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What every kind of component declares.

    ``summary``: one line for lists. ``source``: the paper, book or library it comes from.
    ``tasks``: those it serves.
    """

    name: str
    build: Build
    summary: str
    source: str = ""
    tasks: Collection[str] = field(default=EVERY_TASK)

    kind: ClassVar[str]
    context: ClassVar[type | None]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise PluginError(
                f"{self.kind} name {self.name!r}: expected lower-case letters and digits, "
                f"joined by '_', '-' or '.'"
            )
        if not self.summary or "\n" in self.summary:
            raise PluginError(f"{self.kind} {self.name!r}: summary must be one line of text")
        check_build(self.kind, self.name, self.build)
        object.__setattr__(self, "tasks", task_set(self.kind, self.name, self.tasks))


def task_set(kind: str, name: str, given: Collection[str]) -> frozenset[str]:
    """``given`` as a frozen set, which can be hashed. Raises when one is no task's kind."""
    if isinstance(given, str) or not set(given) <= EVERY_TASK:
        raise PluginError(
            f"{kind} {name!r}: tasks {given!r}: expected a set of {', '.join(tasks.KINDS)}"
        )
    return frozenset(given)


def check_build(kind: str, name: str, build: object, what: str = "build") -> None:
    """Raise unless ``build`` is callable or looks like ``"package.module:function"``."""
    if callable(build):
        return
    if not isinstance(build, str) or not re.fullmatch(r"[\w.]+:[\w.]+", build):
        raise PluginError(
            f"{kind} {name!r}: {what} {build!r}: expected a callable or 'package.module:function'"
        )


def check_fetch(name: str, fetch: object) -> None:
    """The same of what names a dataset's files, where it is not None."""
    if fetch is not None:
        check_build("dataset", name, fetch, "fetch")


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """``build(DatasetContext, *, options) -> zoo.Dataset``.

    ``needs_root``: whether a folder must be given; ``files``: then, which files belong there and
    where to get them. ``fetch(DatasetContext, *, options) -> Sequence[RemoteFile]``: the files that
    ``zoo data get`` puts into that folder, with the same options as ``build``; it downloads
    nothing itself.
    """

    kind: ClassVar[str] = "dataset"
    context: ClassVar[type | None] = contexts.DatasetContext
    needs_root: bool = False
    files: str = ""
    fetch: Build | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fetch(self.name, self.fetch)


@dataclass(frozen=True)
class RemoteFile:
    """A published file, and where a dataset wants it.

    ``path``: below the root, with ``/``; ``md5``: 32 hexadecimal digits; ``largest``: bytes, more
    are not read; ``unpack``: called with the file's path once its md5 is right; ``http``: whether
    its server knows no https, so that the md5 alone vouches for it.
    """

    url: str
    path: str
    md5: str
    largest: int
    unpack: Callable[[Path], None] | None = None
    http: bool = False


@dataclass(frozen=True)
class Pretrained:
    """Published weights of an architecture: tensors by the names of its ``state_dict``. ``mean``
    and ``std``: one number a channel of the images they were trained on, of values in [0, 1];
    ``image_size``: those images' height and width in pixels; ``interpolation``: how they were
    resized, ``"bilinear"`` or ``"bicubic"``; ``tag``: which of its published weights they are.
    None, or "", where nobody knows."""

    weights: Mapping[str, Any]
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    image_size: tuple[int, int] | None = None
    interpolation: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Facts:
    """What a family says of one architecture without building it or importing its library.

    ``parameters``: their number with the library's own outputs and 3 channels, None if unknown;
    ``pretrained``: the tags of its published weights, the default one first; ``licence``: of those
    weights, by its SPDX name; ``source``: the paper; ``image_size``: height and width it was made
    for, in pixels; ``smallest``: the least side it takes, 0 if unknown; ``tasks``: those it serves,
    where not all of the family's."""

    parameters: int | None = None
    pretrained: tuple[str, ...] = ()
    licence: str = ""
    source: str = ""
    image_size: tuple[int, int] | None = None
    smallest: int = 0
    tasks: Collection[str] | None = None


@dataclass(frozen=True, kw_only=True)
class ArchitectureSpec(Spec):
    """``build(ArchitectureContext, *, options) -> torch.nn.Module``: float (B, C, H, W) in, logits
    (B, outputs) out, or (B, outputs, H, W) for segmentation.

    ``pretrained(ArchitectureContext, *, options) -> Pretrained``, with the options of ``build``:
    for ``transfer.init = "pretrained"``. The weights may be those of other outputs and channels,
    zoo fits them; or None, when there are none for these options."""

    kind: ClassVar[str] = "architecture"
    context: ClassVar[type | None] = contexts.ArchitectureContext
    pretrained: Build | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pretrained is not None:
            check_build(self.kind, self.name, self.pretrained, "pretrained")


@dataclass(frozen=True, kw_only=True)
class LossSpec(Spec):
    """``build(LossContext, *, options)`` -> callable ``(logits, targets) -> scalar``, the mean over
    the batch. Targets are what ``Task.targets`` gives."""

    kind: ClassVar[str] = "loss"
    context: ClassVar[type | None] = contexts.LossContext


@dataclass(frozen=True, kw_only=True)
class SamplerSpec(Spec):
    """``build(SamplerContext, *, options)`` -> callable ``(torch.Generator) -> int64 (M,)``: the
    indices of one epoch, in order; repeats allowed."""

    kind: ClassVar[str] = "sampler"
    context: ClassVar[type | None] = contexts.SamplerContext


@dataclass(frozen=True, kw_only=True)
class AugmentationSpec(Spec):
    """``build(*, options)`` -> callable ``(images_BCHW, masks_BHW or None, draws)`` that returns
    the first two. Images are float in [0, 1]; ``draws`` is a ``zoo.Draws``, random numbers for each
    position."""

    kind: ClassVar[str] = "augmentation"
    context: ClassVar[type | None] = None


@dataclass(frozen=True, kw_only=True)
class OptimizerSpec(Spec):
    """``build(OptimizerContext, *, options) -> torch.optim.Optimizer``."""

    kind: ClassVar[str] = "optimizer"
    context: ClassVar[type | None] = contexts.OptimizerContext


@dataclass(frozen=True, kw_only=True)
class SchedulerSpec(Spec):
    """``build(SchedulerContext, *, options) -> (torch scheduler or None, "step" or "epoch")``: the
    second says after what it steps. A ``ReduceLROnPlateau`` is given the monitored value.

    ``bound_to_budget``: whether its rates depend on how many epochs there are, so that a run cannot
    be made longer afterwards."""

    kind: ClassVar[str] = "scheduler"
    context: ClassVar[type | None] = contexts.SchedulerContext
    bound_to_budget: bool = False


@dataclass(frozen=True, kw_only=True)
class TrackerSpec(Spec):
    """``build(TrackerContext, *, options)`` -> callable ``(event) -> None``; has it a ``close()``,
    that is called when the run ends, however it ends.

    ``requires``: the module it cannot do without, where its distribution offers that as an extra
    named like the tracker; its absence then shows before anything is written."""

    kind: ClassVar[str] = "tracker"
    context: ClassVar[type | None] = contexts.TrackerContext
    requires: str = ""


SPECS: tuple[type[Spec], ...] = (
    DatasetSpec,
    ArchitectureSpec,
    LossSpec,
    SamplerSpec,
    AugmentationSpec,
    OptimizerSpec,
    SchedulerSpec,
    TrackerSpec,
)
PLURALS = {
    "dataset": "datasets",
    "architecture": "architectures",
    "loss": "losses",
    "sampler": "samplers",
    "augmentation": "augmentations",
    "optimizer": "optimizers",
    "scheduler": "schedulers",
    "tracker": "trackers",
}
