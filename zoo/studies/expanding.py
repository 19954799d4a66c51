"""From the parts of a study to its runs: every row's recipe, checked before anything is trained."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zoo.errors import RecipeError, StudyError
from zoo.plugins.catalog import Catalog
from zoo.plugins.catalog import catalog as installed
from zoo.recipes.problems import Problem, problem_lines
from zoo.recipes.reading import complete
from zoo.recipes.schema import Recipe
from zoo.recipes.sources import Draft, open_source
from zoo.recipes.writing import recipe_data
from zoo.studies import words
from zoo.studies.checking import key_problems, profile_problems, require_asked
from zoo.studies.keys import run_key
from zoo.studies.parts import ProfilePart, ProfileTable, RowPart, Source, StudyFile, TablePart
from zoo.studies.schema import (
    Column,
    EnsembleSection,
    PredictSection,
    ProfileSection,
    ProfileTableSection,
)
from zoo.studies.search_space import corners, recipe_at
from zoo.studies.settings import Settings

MOST_RUNS = 10_000
NO_PROFILE = ProfilePart(ProfileSection(), (), {})
NO_PROFILE_TABLE = ProfileTable(ProfileTableSection(), (), {})


@dataclass(frozen=True)
class Asked:
    """``profile``: "" for none; ``tables`` and ``rows``: by their names, all where none is named;
    ``seeds``: None for those of the study; ``over``: settings over all others."""

    profile: str = ""
    tables: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    seeds: tuple[int, ...] | None = None
    over: Settings = ()


@dataclass(frozen=True)
class Job:
    """One run to be had. ``recipe``: whole, as plain data; ``fold``: None without folds."""

    key: str
    seed: int
    fold: int | None
    recipe: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Row:
    """``settings``: what is set over the recipe, by dotted key; ``recipe``: that of the first job;
    ``members``: of an ensemble, the jobs that it is made of."""

    name: str
    varied: str | None
    value: Any
    text: Mapping[str, str]
    published: Mapping[str, str]
    footnote: str | None
    settings: Mapping[str, Any]
    recipe: Mapping[str, Any] | None
    jobs: tuple[Job, ...]
    ensemble: EnsembleSection | None = None
    members: tuple[Job, ...] = ()
    predict: PredictSection | None = None


@dataclass(frozen=True)
class Table:
    """``split``: on which its runs are measured; ``searched``: of a search, the recipe that its
    trials change, as one job; its rows are known when it is over."""

    part: TablePart
    split: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    folds: int
    searched: Job | None = None

    @property
    def name(self) -> str:
        return self.part.head.name


def expand(study: StudyFile, asked: Asked, catalog: Catalog | None = None) -> list[Table]:
    """All tables, whole. Raises :class:`StudyError` with every problem of every
    row's recipe."""
    return Expansion(study, asked, catalog or installed()).tables()


class Expansion:
    def __init__(self, study: StudyFile, asked: Asked, catalog: Catalog) -> None:
        self.study, self.asked, self.catalog = study, asked, catalog
        self._problems: dict[str, list[str]] = {}  # by line: the rows that have it
        self._own: list[Problem] = []
        self._drafts: dict[Any, Draft] = {}
        self._runs = 0
        require_asked(study, asked)
        self.profile = study.profiles.get(asked.profile, NO_PROFILE)

    def tables(self) -> list[Table]:
        self._own += profile_problems(self.study, self.asked.profile, self.profile)
        every = [self._table(part) for part in self.study.tables]
        lines = problem_lines(self._own, self.study.places)
        lines += [self._with_rows(line, rows) for line, rows in self._problems.items()]
        if lines:
            raise StudyError(lines)
        every = [self._with_members(table, every) for table in every]
        self._own += key_problems(self.study, every)
        if self._own:
            raise StudyError(problem_lines(self._own, self.study.places))
        return every

    def _table(self, part: TablePart) -> Table:
        over = self.profile.tables.get(part.head.name, NO_PROFILE_TABLE)
        own, head, profile = part.head, self.study.head, self.profile.head
        seeds = _first(self.asked.seeds, over.head.seeds, profile.seeds, own.seeds, head.seeds)
        folds = _first(over.head.folds, profile.folds, own.folds, head.folds)
        split = _first(profile.split, own.split, head.split)
        self._runs += max(len(part.rows), 1) * len(seeds) * max(folds, 1)
        if self._runs > MOST_RUNS:
            raise StudyError([words.too_many_runs(self._runs, MOST_RUNS)])
        table = Table(part, split, self._columns(part), (), seeds, folds)
        if part.search is not None:
            bare = RowPart(part.head.name, part.at)
            recipe, _ = self._recipe(table, bare, over)
            if recipe is None:
                return table
            searched = next(jobs_of(recipe, seeds[:1], 0))
            self._check_space(part, searched.recipe)
            return replace(table, searched=searched)
        rows = [self._row(table, row, over) for row in part.rows]
        return replace(table, rows=tuple(rows))

    def _columns(self, part: TablePart) -> tuple[Column, ...]:
        if part.columns:
            return part.columns
        metrics = part.head.metrics or self.study.head.metrics
        if not metrics:
            self._own.append(Problem((*part.at, "metrics"), words.nothing_measured(), part.at))
        return part.plain_columns(metrics)

    def _row(self, table: Table, row: RowPart, over: ProfileTable) -> Row:
        published = table.part.published.get(row.name, {})
        text = {**published, **row.text}
        varied = None if row.varied is None else table.part.labels.get(row.varied, row.varied)
        made = Row(
            row.name, varied, row.value, text, published, row.footnote, {}, None, (), row.ensemble,
            predict=row.predict,
        )  # fmt: skip
        if row.ensemble is not None:
            return made
        recipe, settings = self._recipe(table, row, over)
        if recipe is None:
            return made
        jobs = tuple(jobs_of(recipe, table.seeds, table.folds))
        return replace(made, settings=settings, recipe=recipe_data(recipe), jobs=jobs)

    def _recipe(
        self, table: Table, row: RowPart, over: ProfileTable
    ) -> tuple[Recipe | None, dict[str, Any]]:
        """(the row's recipe, what was set over it); None, with the problems noted."""
        part = table.part
        source = row.recipe or part.recipe or self.study.recipe
        if source is None:
            self._own.append(Problem(("recipe",), words.no_recipe()))
            return None, {}
        layers = [
            self.study.settings,
            part.settings,
            *row.layers,
            self.profile.settings,
            over.settings,
            over.rows.get(row.name, ()),
            self.asked.over,
        ]
        settings = {one.key: one.value for layer in layers for one in layer}
        self._check_given(table, row, layers)
        try:
            recipe, _ = complete(self._draft(source), layers, self.catalog)
        except RecipeError as error:
            for line in error.problems:
                self._note(line, part, row)
            return None, settings
        return recipe, settings

    def _check_given(self, table: Table, row: RowPart, layers: Sequence[Settings]) -> None:
        """What each run gets last would go over what is set here, and nobody would know."""
        given = {"training.seed": "seeds"}
        if table.folds:
            given |= {"split.folds": "folds", "split.fold": "folds"}
        searched = table.part.search.origins if table.part.search else {}
        origins = [*((one.key, one.origin) for layer in layers for one in layer), *searched.items()]
        for key, origin in origins:
            if key in given:
                self._note(f"{origin}: {words.given_by_study(key, given[key])}", table.part, row)

    def _check_space(self, part: TablePart, base: Mapping[str, Any]) -> None:
        assert part.search is not None
        for drawn in corners(part.search):
            try:
                recipe_at(base, part.search, drawn, self.catalog)
            except RecipeError as error:
                for line in error.problems:
                    self._problems.setdefault(line, [])

    def _note(self, line: str, part: TablePart, row: RowPart) -> None:
        rows = self._problems.setdefault(line, [])
        name = f"{part.head.name}/{row.name}"
        if name not in rows:
            rows.append(name)

    def _draft(self, source: Source) -> Draft:
        """A copy of its own, for each is changed."""
        key = source if not isinstance(source, Draft) else id(source)
        if key not in self._drafts:
            self._drafts[key] = source if isinstance(source, Draft) else open_source(source)
        return copy.deepcopy(self._drafts[key])

    def _with_rows(self, line: str, rows: Sequence[str]) -> str:
        """A problem of some rows names the first of them; one of all does not."""
        every = sum(len(part.rows) or 1 for part in self.study.tables)
        if len(rows) in (0, every):
            return line
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        return f"{line} (row {rows[0]}{more})"

    def _with_members(self, table: Table, every: Sequence[Table]) -> Table:
        rows = []
        for part, row in zip(table.part.rows, table.rows, strict=False):
            if row.ensemble is not None:
                row = replace(row, members=tuple(self._members(table, part, row, every)))  # noqa: PLW2901
            rows.append(row)
        return replace(table, rows=tuple(rows))

    def _members(
        self, table: Table, part: RowPart, row: Row, every: Sequence[Table]
    ) -> Iterator[Job]:
        assert row.ensemble is not None
        known = {f"{one.name}/{other.name}": other for one in every for other in one.rows}
        known |= {other.name: other for other in table.rows}
        seen: set[str] = set()
        for index, name in enumerate(row.ensemble.rows):
            at = (*part.at, "ensemble", "rows", index)
            if name not in known or known[name] is row:
                names = [other.name for other in table.rows if other is not row]
                self._own.append(Problem(at, words.unknown("row", name, names)))
            elif known[name].ensemble is not None:
                self._own.append(Problem(at, words.ensemble_of_ensemble(name)))
            else:
                for job in known[name].jobs:
                    if job.key not in seen:
                        seen.add(job.key)
                        yield job


def jobs_of(recipe: Recipe, seeds: Sequence[int], folds: int) -> Iterator[Job]:
    """A run for each seed, of each fold where there are ``folds``."""
    for seed in seeds:
        for fold in range(folds) if folds else (None,):
            training = recipe.training.model_copy(update={"seed": seed})
            split = recipe.split
            if fold is not None:
                split = split.model_copy(update={"folds": folds, "fold": fold})
            data = recipe_data(recipe.model_copy(update={"training": training, "split": split}))
            yield Job(run_key(data), seed, fold, data)


def _first(*values: Any) -> Any:
    return next(one for one in values if one is not None)
