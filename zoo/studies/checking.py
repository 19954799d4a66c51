"""What a study names has to be there: tables, rows, keys of recipes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from zoo.errors import StudyError
from zoo.recipes.problems import Problem
from zoo.studies import words
from zoo.studies.parts import ProfilePart, StudyFile
from zoo.studies.values import value_at

if TYPE_CHECKING:
    from zoo.studies.expanding import Asked, Table


def require_asked(study: StudyFile, asked: Asked) -> None:
    """Raises :class:`StudyError` for what the command line names, and nobody knows."""
    if asked.profile and asked.profile not in study.profiles:
        raise StudyError([words.no_profile(asked.profile, study.profiles)])
    tables = [part.head.name for part in study.tables]
    for name in asked.tables:
        if name not in tables:
            raise StudyError([f"--table {name}: {words.unknown('table', name, tables)}"])
    rows = [row.name for part in study.tables for row in part.rows]
    for name in asked.rows:
        if name not in rows:
            raise StudyError([f"--row {name}: {words.unknown('row', name, rows)}"])


def profile_problems(study: StudyFile, name: str, profile: ProfilePart) -> Iterator[Problem]:
    """Tables and rows that a profile goes over."""
    tables = {part.head.name: part for part in study.tables}
    at = ("profiles", name, "tables")
    for table, over in profile.tables.items():
        if table not in tables:
            yield Problem((*at, table), words.unknown("table", table, tables))
            continue
        rows = [row.name for row in tables[table].rows]
        for row in over.rows:
            if row not in rows:
                yield Problem((*at, table, "rows", row), words.unknown("row", row, rows))


def key_problems(study: StudyFile, tables: Sequence[Table]) -> Iterator[Problem]:
    """What a column shows, and what a figure is drawn against, is in the recipe of some row."""
    for table in tables:
        for index, column in enumerate(table.part.columns):
            if column.value is not None and not _is_said(table, column.value):
                at = (*table.part.at, "columns", index, "value")
                yield Problem(at, words.no_such_value(column.value))
    for figure in study.figures:
        x = figure.head.x
        of = [one for one in tables if figure.head.table in (None, one.name)]
        if x is not None and not any(_is_said(one, x) for one in of):
            yield Problem((*figure.at, "x"), words.no_such_axis(x))


def _is_said(table: Table, key: str) -> bool:
    recipes = [row.recipe for row in table.rows if row.recipe is not None]
    if table.searched is not None:
        recipes = [table.searched.recipe]
    return any(value_at(one, key) is not None for one in recipes)
