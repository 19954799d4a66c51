"""From a study's TOML to its parts; every problem at once, as ``file:line: key: what``."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from zoo.errors import RecipeError, StudyError, nearest
from zoo.plugins import options
from zoo.recipes.positions import KeyPath
from zoo.recipes.problems import Places, Problem, not_a_table, problem_lines, wrong_value
from zoo.recipes.sections import Section
from zoo.recipes.sources import Draft, open_source
from zoo.studies import metric_names, words
from zoo.studies.parts import (
    ProfilePart,
    ProfileTable,
    Source,
    StudyFile,
)
from zoo.studies.schema import (
    NAME,
    NESTED,
    HeadSection,
    ProfileSection,
    ProfileTableSection,
)
from zoo.studies.settings import Settings, settings

MAX_KEYS = 10_000
S = TypeVar("S", bound=Section)
T = TypeVar("T")


def read_study(path: Path) -> StudyFile:
    """Raises :class:`StudyError` with every problem of the file and of the tables it names."""
    from zoo.studies.reading_figures import Figures
    from zoo.studies.reading_tables import Tables

    try:
        draft = open_source(path, "study", MAX_KEYS)
    except RecipeError as error:
        raise StudyError(error.problems) from error
    read = Reader(path, draft)
    data = draft.data
    head = read.section("study", HeadSection, data, ())
    for index, metric in enumerate(head.metrics if head else ()):
        read.metric(metric, ("metrics", index))
    known = read.recipe(data.get("recipe"), ("recipe",))
    over = read.settings(data.get("set"), ("set",))
    tables = Tables(read).read(data.get("tables"))
    figures = Figures(read).read(data.get("figures"), tables)
    profiles = read.profiles(data.get("profiles", {}))
    if read.problems or read.elsewhere or head is None:
        raise StudyError([*problem_lines(read.problems, draft.places), *read.elsewhere])
    return StudyFile(path, head, known, over, tuple(tables), tuple(figures), profiles, draft.places)


class Reader:
    """Turns plain data into parts, noting problems instead of stopping at them."""

    def __init__(self, path: Path, draft: Draft) -> None:
        self.path, self.data, self.places = path, draft.data, draft.places
        self.problems: list[Problem] = []
        self.elsewhere: list[str] = []  # problems of other files

    def note(self, key: KeyPath, what: str, at: KeyPath | None = None) -> None:
        self.problems.append(Problem(key, what, at))

    def beside(self, name: str) -> Path:
        """A file that the study names."""
        return self.path.parent / name

    def section(self, what: str, model: type[S], table: Any, at: KeyPath) -> S | None:
        """The plain values of ``table``; keys in :data:`NESTED` are read elsewhere."""
        if not isinstance(table, dict):
            self.note(at, not_a_table(table, "[key = value, ..]"))
            return None
        nested = NESTED.get(what, ())
        plain = {key: value for key, value in table.items() if key not in nested}
        try:
            return model.model_validate(plain)
        except pydantic.ValidationError as error:
            for key, kind in {str(one["loc"][0]): one["type"] for one in error.errors()}.items():
                known = (*model.model_fields, *nested)
                if key not in model.model_fields:
                    problem = words.unknown_key(key, known)
                elif kind == "missing":
                    problem = words.needed(expected(model, key))
                else:
                    problem = wrong_value(plain[key], expected(model, key))
                self.note((*at, key), problem)
            return None

    def tables_of(
        self, tables: Any, at: KeyPath, read: Callable[[Any, KeyPath], T | None]
    ) -> list[T]:
        """Each of a list of tables, as ``read`` has it."""
        if tables is None:
            return []
        if not isinstance(tables, list):
            self.note(at, wrong_value(tables, f"a list of tables, [[{at[-1]}]]"))
            return []
        found = [read(one, (*at, index)) for index, one in enumerate(tables)]
        return [one for one in found if one is not None]

    def once(self, what: str, named: Sequence[tuple[KeyPath, str]]) -> None:
        """Names of files: those that differ in case only are one on some file systems."""
        seen: set[str] = set()
        for at, name in named:
            if name.lower() in seen:
                self.note((*at, "name"), words.twice(what, name))
            seen.add(name.lower())

    def settings(self, table: Any, at: KeyPath) -> Settings:
        if table is None:
            return ()
        if not isinstance(table, dict):
            self.note(at, not_a_table(table, '{ "optimizer.lr" = 0.1 }'))
            return ()
        return settings(table, at, self.places.file, self.places.lines)

    def recipe(self, given: Any, at: KeyPath) -> Source | None:
        """A path beside the study, or a recipe that stands in it."""
        if given is None:
            return None
        if isinstance(given, str) and given:
            return self.beside(given)
        if isinstance(given, dict):
            lines = {
                key[len(at) :]: line
                for key, line in self.places.lines.items()
                if key[: len(at)] == at and len(key) > len(at)
            }
            return Draft(given, Places(self.places.file, lines))
        self.note(at, wrong_value(given, "a recipe's file, or a table with what stands in one"))
        return None

    def texts(self, table: Any, at: KeyPath) -> dict[str, str]:
        if table is None:
            return {}
        if not isinstance(table, dict):
            self.note(at, not_a_table(table, '{ name = "text" }'))
            return {}
        for name, value in table.items():
            if not isinstance(value, str):
                self.note((*at, name), wrong_value(value, "a text, as the report prints it"))
        return {name: value for name, value in table.items() if isinstance(value, str)}

    def metric(self, metric: str | None, at: KeyPath) -> None:
        if metric is not None and not metric_names.is_metric(metric):
            near = nearest(metric, metric_names.known())
            self.note(at, words.wrong_metric(metric, metric_names.EXPECTED, near))

    def profiles(self, table: Any) -> Mapping[str, ProfilePart]:
        return self._named(table, ("profiles",), self._profile)

    def _profile(self, table: Any, at: KeyPath) -> ProfilePart | None:
        head = self.section("profile", ProfileSection, table, at)
        if head is None:
            return None
        tables = self._named(table.get("tables", {}), (*at, "tables"), self._profile_table)
        return ProfilePart(head, self.settings(table.get("set"), (*at, "set")), tables)

    def _profile_table(self, table: Any, at: KeyPath) -> ProfileTable | None:
        head = self.section("profile table", ProfileTableSection, table, at)
        if head is None:
            return None
        rows = self._named(table.get("rows", {}), (*at, "rows"), self.settings, any_name=True)
        return ProfileTable(head, self.settings(table.get("set"), (*at, "set")), rows)

    def _named(
        self,
        table: Any,
        at: KeyPath,
        read: Callable[[Any, KeyPath], T | None],
        *,
        any_name: bool = False,
    ) -> dict[str, T]:
        if not isinstance(table, dict):
            self.note(at, not_a_table(table, f"[{at[-1]}.NAME]"))
            return {}
        for name in table:
            if not any_name and not re.fullmatch(NAME, name):
                self.note((*at, name), "expected a name of letters, digits, '-', '_' and '.'")
        found = {name: read(one, (*at, name)) for name, one in table.items()}
        return {name: one for name, one in found.items() if one is not None}


def expected(model: type[Section], key: str) -> str:
    text = model.model_fields[key].description
    return text or options.type_text(typing.get_type_hints(model, include_extras=True)[key])
