"""The parts of a study file that are plain values, with strict types and every default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import AfterValidator, Field, Strict, StringConstraints

from zoo.recipes.sections import Section, Seed

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
ONE_AT_A_TIME, GRID, LIST, CUMULATIVE, SEARCH = (
    "one_at_a_time", "grid", "list", "cumulative", "search",
)  # fmt: skip
BEST, LAST = "best", "last"
DIFFERENCES = "-differences"  # behind a table's name, of its file of differences
SHOWN = ("row", "value", "text", "metric", "run")  # of which a column has exactly one
OF_RUN = (
    "epochs", "best_epoch", "steps", "seconds", "seconds_per_epoch", "samples_per_second", "memory",
    "parameters",
)  # fmt: skip
_MOST_SEEDS, _MOST_TRIALS = 1000, 10_000


def _each_once(given: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(given)) < len(given):
        raise ValueError("expected each once")
    return given


def _no_single_fold(folds: int) -> int:
    if folds == 1:
        raise ValueError("expected 0, or 2 or more")
    return folds


Split = Literal["test", "val", "train"]
Text = Annotated[str, MinLen(1)]
Texts = Annotated[tuple[Text, ...], Strict(False)]
Names = Annotated[tuple[Text, ...], Strict(False), MinLen(1), AfterValidator(_each_once)]
Name = Annotated[str, StringConstraints(pattern=rf"\A{NAME}\z")]
Seeds = Annotated[
    tuple[Seed, ...], Strict(False), MinLen(1), MaxLen(_MOST_SEEDS), AfterValidator(_each_once)
]
Folds = Annotated[int, Ge(0), Le(1000), AfterValidator(_no_single_fold)]

SEEDS = "whole numbers from 0, below 2^32, each once, as [0, 1, 2]"
_FOLDS = "0, or a whole number from 2"
_NAME = "a name of letters, digits, '-', '_' and '.', at most 64"
_LIST = "a list of names, each once"


class HeadSection(Section):
    """Of the study: what stands above all tables."""

    title: Text = Field(default="", description="a text")
    source: str = ""
    seeds: Seeds = Field(default=(0,), description=SEEDS)
    folds: Folds = Field(default=0, description=_FOLDS)
    split: Split = "test"
    metrics: Names = Field(default=(), description=_LIST)


class TableSection(Section):
    """What a table does not say is as the study has it."""

    name: Name = Field(description=_NAME)
    kind: Literal["one_at_a_time", "grid", "list", "cumulative", "search"]
    title: str = ""
    reference: str | None = Field(default=None, description="the name of a row")
    footnotes: Texts = Field(default=(), description="a list of texts")
    published: Text | None = Field(default=None, description="a CSV file")
    seeds: Seeds | None = Field(default=None, description=SEEDS)
    folds: Folds | None = Field(default=None, description=_FOLDS)
    split: Split | None = Field(default=None, description="'test' | 'val' | 'train'")
    metrics: Names | None = Field(default=None, description=_LIST)


class Column(Section):
    """One of :data:`SHOWN`; ``at``: of which epoch a metric is, where it is one of an epoch."""

    title: Text = Field(description="a text")
    row: Literal["name", "number", "varied", "value"] | None = Field(
        default=None, description="'name' | 'number' | 'varied' | 'value'"
    )
    value: Text | None = Field(default=None, description="a key of a recipe, as 'optimizer.lr'")
    text: Text | None = Field(default=None, description="a name in the rows' text")
    metric: Text | None = Field(default=None, description="a figure of zoo eval, as 'accuracy'")
    run: (
        Literal[
            "epochs", "best_epoch", "steps", "seconds", "seconds_per_epoch", "samples_per_second",
            "memory", "parameters",
        ]
        | None
    ) = Field(default=None, description=" | ".join(map(repr, OF_RUN)))  # fmt: skip
    published: Text | None = Field(default=None, description="a column of the published values")
    percent: bool = False
    decimals: Annotated[int, Ge(0), Le(12)] | None = Field(
        default=None, description="a whole number from 0 to 12"
    )
    difference: bool = True
    split: Split | None = Field(default=None, description="'test' | 'val' | 'train'")
    at: Literal["best", "last"] = "best"

    @property
    def shown(self) -> str:
        """Which of :data:`SHOWN` it has."""
        return next(name for name in SHOWN if getattr(self, name) is not None)


class EnsembleSection(Section):
    """``rule``: of ``zoo.predictions.combining.methods``."""

    rows: Names = Field(description=_LIST)
    rule: Literal["mean", "weighted", "vote", "greedy", "stack"] = "mean"


class PredictSection(Section):
    """``images``: below the folder of the dataset; ``name``: of the file, whose columns and values
    are those of ``zoo predict``."""

    name: Name = Field(description=_NAME)
    images: Text = Field(description="a folder of images, relative to that of the dataset")
    format: Literal["csv", "json", "kaggle"] = "csv"
    ids: Literal["path", "name", "stem"] | None = Field(
        default=None, description="'path' | 'name' | 'stem'"
    )
    id_column: Text | None = Field(default=None, description="a text")
    label_column: Text | None = Field(default=None, description="a text")
    values: Literal["class", "index", "probability"] | None = Field(
        default=None, description="'class' | 'index' | 'probability'"
    )


class RowSection(Section):
    name: Annotated[str, MinLen(1), MaxLen(200)] = Field(description="a text of at most 200")
    footnote: str | None = Field(default=None, description="a text")


class SearchSection(Section):
    """``warmup``: epochs before any trial is pruned; ``top``: how many of the best are rows."""

    trials: Annotated[int, Ge(1), Le(_MOST_TRIALS)]
    metric: Annotated[str, StringConstraints(pattern=r"\Aval/[a-z0-9_]+\z")] | None = Field(
        default=None, description="'val/' and a figure, as 'val/accuracy'"
    )
    mode: Literal["auto", "min", "max"] = "auto"
    sampler: Literal["tpe", "random"] = "tpe"
    pruner: Literal["median", "none"] = "median"
    warmup: Annotated[int, Ge(0)] = 3
    seed: Seed = 0
    top: Annotated[int, Ge(1), Le(100)] = 1


class Span(Section):
    """Between which a search draws; whole numbers where both ends are."""

    low: int | float = Field(description="a number")
    high: int | float = Field(description="a number")
    log: bool = False
    step: Annotated[int, Gt(0)] | Annotated[float, Gt(0)] | None = Field(
        default=None, description="a number above 0"
    )

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


class Panel(Section):
    title: str = ""
    rows: Names = Field(description=_LIST)


class FigureSection(Section):
    kind: Literal[
        "curves", "train_val", "metric_against", "bars", "learning_curve", "confusion", "masks",
        "resources",
    ]  # fmt: skip
    name: Name = Field(description=_NAME)
    title: str = ""
    table: str | None = Field(default=None, description="the name of a table")
    rows: Names | None = Field(default=None, description=_LIST)
    metric: Text | None = Field(default=None, description="a figure, as 'val/accuracy'")
    metrics: Names | None = Field(default=None, description=_LIST)
    x: Text | None = Field(default=None, description="a key of a recipe, as 'optimizer.lr'")
    percent: bool = False
    log_x: bool = False
    log_y: bool = False
    split: Split | None = Field(default=None, description="'test' | 'val' | 'train'")
    images: Annotated[int, Ge(1), Le(100)] | Names = Field(
        default=4, description="a number of images from 1 to 100, or a list of their ids"
    )


class ProfileSection(Section):
    """Goes over what the study and its tables say."""

    seeds: Seeds | None = Field(default=None, description=SEEDS)
    folds: Folds | None = Field(default=None, description=_FOLDS)
    split: Split | None = Field(default=None, description="'test' | 'val' | 'train'")


class ProfileTableSection(Section):
    seeds: Seeds | None = Field(default=None, description=SEEDS)
    folds: Folds | None = Field(default=None, description=_FOLDS)


# Keys that are read apart from the plain values of each section.
NESTED: Mapping[str, tuple[str, ...]] = {
    "study": ("recipe", "set", "profiles", "tables", "figures"),
    "table": ("recipe", "set", "columns", "vary", "labels", "rows", "search"),
    "row": ("set", "recipe", "text", "published", "ensemble", "predict"),
    "search": ("space",),
    "figure": ("panels",),
    "profile": ("set", "tables"),
    "profile table": ("set", "rows"),
}
