"""What a study file says, checked as far as that goes without any recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.recipes.positions import KeyPath
from zoo.recipes.problems import Places
from zoo.recipes.sources import Draft
from zoo.studies.schema import (
    Column,
    EnsembleSection,
    FigureSection,
    HeadSection,
    Panel,
    PredictSection,
    ProfileSection,
    ProfileTableSection,
    SearchSection,
    Span,
    TableSection,
)
from zoo.studies.settings import Settings

Source = Path | Draft  # of a recipe


@dataclass(frozen=True)
class RowPart:
    """``layers``: laid over the table's recipe one after the other; ``varied``: the key, where one
    is, with its ``value``."""

    name: str
    at: KeyPath
    layers: tuple[Settings, ...] = ()
    varied: str | None = None
    value: Any = None
    recipe: Source | None = None
    text: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, str] = field(default_factory=dict)
    footnote: str | None = None
    ensemble: EnsembleSection | None = None
    predict: PredictSection | None = None


@dataclass(frozen=True)
class SearchPart:
    head: SearchSection
    space: Mapping[str, Span | tuple[Any, ...]]
    origins: Mapping[str, str]


@dataclass(frozen=True)
class TablePart:
    """``published``: by the name of the row, then of the column, as it is printed."""

    head: TableSection
    at: KeyPath
    recipe: Source | None
    settings: Settings
    columns: tuple[Column, ...]
    labels: Mapping[str, str]
    rows: tuple[RowPart, ...]
    search: SearchPart | None
    published: Mapping[str, Mapping[str, str]]

    def plain_columns(self, metrics: Sequence[str]) -> tuple[Column, ...]:
        """Those of a table that names none: what a search drew, and metrics beside their published
        values."""
        printed = {name for row in self.published.values() for name in row}
        drawn = self.search.space if self.search is not None else ()
        shown = [(one, one if one in printed else None) for one in metrics]
        return (
            Column(title="Row", row="name"),
            *(Column(title=self.labels.get(key, key), value=key) for key in drawn),
            *(Column(title=name, metric=name, published=beside) for name, beside in shown),
            Column(title="Epochs", run="epochs"),
            Column(title="Seconds", run="seconds"),
        )


@dataclass(frozen=True)
class FigurePart:
    head: FigureSection
    at: KeyPath
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class ProfileTable:
    head: ProfileTableSection
    settings: Settings
    rows: Mapping[str, Settings]


@dataclass(frozen=True)
class ProfilePart:
    head: ProfileSection
    settings: Settings
    tables: Mapping[str, ProfileTable]


@dataclass(frozen=True)
class StudyFile:
    """``name``: of the file, or of its folder where the file is ``study.toml``."""

    path: Path
    head: HeadSection
    recipe: Source | None
    settings: Settings
    tables: tuple[TablePart, ...]
    figures: tuple[FigurePart, ...]
    profiles: Mapping[str, ProfilePart]
    places: Places

    @property
    def name(self) -> str:
        stem = self.path.stem
        return self.path.absolute().parent.name if stem == "study" else stem
