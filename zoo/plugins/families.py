"""How a plugin declares many components of one kind at once, ``prefix/name``: a library's own.

Their names, and what each takes and is, are told without importing the library.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from zoo.errors import PluginError
from zoo.plugins.specs import (
    EVERY_TASK,
    NAME,
    Build,
    Facts,
    check_build,
    check_fetch,
    task_set,
)


@dataclass(frozen=True, kw_only=True)
class Family:
    """What every family declares: many components of one kind under a prefix, ``prefix/name``.

    ``names``: the names, or a callable (or entry-point string) that gives them without importing
    the library behind them. ``build(context, name, **options)``. ``options``: a callable (or
    entry-point string) ``name -> inspect.Signature`` whose keyword-only parameters are that
    member's options; without it a family's members have none.
    """

    prefix: str
    names: Sequence[str] | Callable[[], Sequence[str]] | str
    build: Build
    summary: str
    options: Callable[[str], Any] | str | None = None
    source: str = ""
    tasks: Collection[str] = field(default=EVERY_TASK)

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        what = f"{self.kind} family"
        if not NAME.fullmatch(self.prefix):
            raise PluginError(f"{what} {self.prefix!r}: expected a lower-case name")
        check_build(what, self.prefix, self.build)
        object.__setattr__(self, "tasks", task_set(what, self.prefix, self.tasks))
        if not isinstance(self.names, str) and not callable(self.names):
            object.__setattr__(self, "names", tuple(self.names))


@dataclass(frozen=True, kw_only=True)
class ArchitectureFamily(Family):
    """``build(ArchitectureContext, name, **options) -> torch.nn.Module``, and ``pretrained`` as in
    :class:`ArchitectureSpec`, likewise with the name. ``facts(name) -> Facts``, for lists: it
    imports no library."""

    kind: ClassVar[str] = "architecture"
    pretrained: Build | None = None
    facts: Callable[[str], Facts] | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for what in ("pretrained", "facts"):
            if getattr(self, what) is not None:
                check_build(f"{self.kind} family", self.prefix, getattr(self, what), what)


@dataclass(frozen=True, kw_only=True)
class DatasetFamily(Family):
    """``build(DatasetContext, name, **options) -> zoo.Dataset``; ``needs_root``, ``files`` and
    ``fetch(DatasetContext, name, **options)`` as in :class:`DatasetSpec`."""

    kind: ClassVar[str] = "dataset"
    needs_root: bool = False
    files: str = ""
    fetch: Build | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fetch(self.prefix, self.fetch)


@dataclass(frozen=True, kw_only=True)
class LossFamily(Family):
    """``build(LossContext, name, **options)``, as in :class:`LossSpec`. Losses of other tasks are a
    family of their own, which may have the same prefix."""

    kind: ClassVar[str] = "loss"


@dataclass(frozen=True, kw_only=True)
class OptimizerFamily(Family):
    """``build(OptimizerContext, name, **options)``, as in :class:`OptimizerSpec`."""

    kind: ClassVar[str] = "optimizer"


FAMILIES: dict[str, type[Family]] = {
    family.kind: family
    for family in (DatasetFamily, ArchitectureFamily, LossFamily, OptimizerFamily)
}
