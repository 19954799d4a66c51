"""A catalog of its own, so that these tests depend on no installed plugin."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt

from zoo.plugins import specs
from zoo.plugins.catalog import Catalog
from zoo.plugins.loading import Loaded, Plugin


def dataset(ctx: object, *, corrected: bool = False) -> None: ...


def cnn(ctx: object, *, variant: Literal["two", "three"] = "two", widths: list[int] = [8]) -> None:  # noqa: B006
    ...


def plain(ctx: object) -> None: ...


def needy(ctx: object, *, lr: float) -> None: ...


def adam(ctx: object, *, lr: Annotated[float, Gt(0)] = 1e-3, amsgrad: bool = False) -> None: ...


def smoothed(ctx: object, *, smoothing: Annotated[float, Ge(0)] = 0.0, file: str = "") -> None: ...


def rotation(*, degrees: Annotated[float, Ge(0)] = 10.0) -> None: ...


def greedy(ctx: object, *, name: str = "x") -> None: ...


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    binary = {"binary", "multilabel", "segmentation"}
    components = (
        specs.DatasetSpec(name="digits", build=dataset, summary="d"),
        specs.DatasetSpec(name="scans", build=plain, summary="d"),
        specs.ArchitectureSpec(name="cnn", build=cnn, summary="a", tasks={"multiclass"}),
        specs.ArchitectureSpec(name="greedy", build=greedy, summary="a"),
        specs.LossSpec(
            name="cross_entropy", build=smoothed, summary="l", tasks={"multiclass", "segmentation"}
        ),
        specs.LossSpec(name="bce", build=plain, summary="l", tasks=binary),
        specs.SamplerSpec(name="shuffle", build=plain, summary="s"),
        specs.SamplerSpec(name="weighted", build=plain, summary="s", tasks={"multiclass"}),
        specs.AugmentationSpec(name="rotation", build=rotation, summary="a"),
        specs.AugmentationSpec(name="flip", build=lambda: None, summary="a"),
        specs.OptimizerSpec(name="adam", build=adam, summary="o"),
        specs.OptimizerSpec(name="needy", build=needy, summary="o"),
        specs.SchedulerSpec(name="none", build=plain, summary="s"),
        specs.TrackerSpec(name="log", build=smoothed, summary="t"),
    )
    double = (specs.SamplerSpec(name="twice", build=plain, summary="s"),)
    return Catalog(
        [
            Loaded(Plugin("basics", "zoo-fake", "1.0"), (*components, *double)),
            Loaded(Plugin("other", "zoo-other", "2.0"), double),
        ]
    )
