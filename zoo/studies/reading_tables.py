"""The tables of a study file: their rows, columns, published values and searches."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from zoo.errors import StudyError
from zoo.recipes.flags import Override
from zoo.recipes.positions import KeyPath
from zoo.recipes.problems import not_a_table, wrong_value
from zoo.studies import metric_names, words
from zoo.studies.parts import RowPart, SearchPart, TablePart
from zoo.studies.published import read_published
from zoo.studies.reading import Reader
from zoo.studies.schema import (
    CUMULATIVE,
    DIFFERENCES,
    GRID,
    LIST,
    ONE_AT_A_TIME,
    SEARCH,
    SHOWN,
    Column,
    EnsembleSection,
    PredictSection,
    RowSection,
    SearchSection,
    Span,
    TableSection,
)
from zoo.studies.settings import Settings, flattened, place, value_text

_OF = {"vary": (ONE_AT_A_TIME, GRID), "rows": (LIST, CUMULATIVE), "search": (SEARCH,)}
_MOST_ROWS = 1000


class Tables:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def read(self, tables: Any) -> list[TablePart]:
        if not tables:
            self.reader.note(("tables",), words.no_tables())
            return []
        found = self.reader.tables_of(tables, ("tables",), self._table)
        self.reader.once("table", [(one.at, one.head.name) for one in found])
        rows = [row for one in found for row in one.rows]
        self.reader.once(
            "file of answers",
            [((*row.at, "predict"), row.predict.name) for row in rows if row.predict is not None],
        )
        names = {one.head.name.lower() for one in found}
        for one in found:
            own = one.head.name.lower().removesuffix(DIFFERENCES)
            if own != one.head.name.lower() and own in names:  # its file would be the other's
                self.reader.note((*one.at, "name"), words.name_of_differences(own))
        return found

    def _table(self, table: Any, at: KeyPath) -> TablePart | None:
        reader = self.reader
        head = reader.section("table", TableSection, table, at)
        if not isinstance(table, dict):
            return None
        columns = reader.tables_of(table.get("columns"), (*at, "columns"), self._column)
        labels = reader.texts(table.get("labels"), (*at, "labels"))
        recipe = reader.recipe(table.get("recipe"), (*at, "recipe"))
        over = reader.settings(table.get("set"), (*at, "set"))
        if head is None:
            return None
        for index, metric in enumerate(head.metrics or ()):
            reader.metric(metric, (*at, "metrics", index))
        for key, kinds in _OF.items():
            if key in table and head.kind not in kinds:
                reader.note((*at, key), words.not_of_kind(key, head.kind, " and ".join(kinds)))
        search = self._search(table, at) if head.kind == SEARCH else None
        rows = self._rows(head.kind, table, at, labels)
        published = self._published(head, at, rows)
        if head.reference is not None and head.kind != SEARCH:
            names = [one.name for one in rows]
            if head.reference not in names:
                reader.note((*at, "reference"), words.unknown("row", head.reference, names))
        part = TablePart(
            head, at, recipe, over, tuple(columns), labels, tuple(rows), search, published
        )
        self._known_columns(part)
        return part

    def _column(self, table: Any, at: KeyPath) -> Column | None:
        column = self.reader.section("column", Column, table, at)
        if column is None:
            return None
        given = sum(getattr(column, name) is not None for name in SHOWN)
        if given != 1:
            self.reader.note(at, words.one_of_shown(given))
            return None
        self.reader.metric(column.metric, (*at, "metric"))
        if "at" in table and not metric_names.of_epoch(column.metric or ""):
            self.reader.note((*at, "at"), words.at_of_epoch())
        return column

    def _rows(
        self, kind: str, table: Mapping[str, Any], at: KeyPath, labels: Mapping[str, str]
    ) -> list[RowPart]:
        if kind in (LIST, CUMULATIVE):
            rows = self._listed(kind, table, at)
        elif kind in (ONE_AT_A_TIME, GRID):
            rows = list(itertools.islice(self._varied(kind, table, at, labels), _MOST_ROWS + 1))
        else:
            return []
        if len(rows) > _MOST_ROWS:
            self.reader.note(at, words.too_many_rows(_MOST_ROWS))
            return []
        seen: set[str] = set()
        for row in rows:
            if row.name in seen:
                self.reader.note(row.at, words.twice("row", row.name))
            seen.add(row.name)
        return rows

    def _listed(self, kind: str, table: Mapping[str, Any], at: KeyPath) -> list[RowPart]:
        where = (*at, "rows")
        if not table.get("rows"):
            self.reader.note(where, words.needed("rows, [[tables.rows]]"))
            return []
        rows = self.reader.tables_of(
            table["rows"], where, lambda one, place: self._row(kind, one, place)
        )
        if kind == CUMULATIVE:
            layers: tuple[Settings, ...] = ()
            for index, row in enumerate(rows):
                layers = (*layers, *row.layers)
                rows[index] = _with_layers(row, layers)
        return rows

    def _row(self, kind: str, table: Any, at: KeyPath) -> RowPart | None:
        reader = self.reader
        head = reader.section("row", RowSection, table, at)
        if head is None:
            return None
        ensemble = None
        if "ensemble" in table:
            where = (*at, "ensemble")
            ensemble = reader.section("ensemble", EnsembleSection, table["ensemble"], where)
            beside = [key for key in ("set", "recipe") if key in table]
            if kind == CUMULATIVE:
                reader.note(where, words.not_of_kind("ensemble", kind, LIST))
            elif beside:
                reader.note(where, words.ensemble_with(beside))
        predict = self._predict(table, at)
        if kind == CUMULATIVE and "recipe" in table:
            reader.note((*at, "recipe"), words.own_recipe_of_cumulative())
        return RowPart(
            head.name,
            at,
            (reader.settings(table.get("set"), (*at, "set")),),
            recipe=reader.recipe(table.get("recipe"), (*at, "recipe")),
            text=reader.texts(table.get("text"), (*at, "text")),
            published=reader.texts(table.get("published"), (*at, "published")),
            footnote=head.footnote,
            ensemble=ensemble,
            predict=predict,
        )

    def _predict(self, table: Mapping[str, Any], at: KeyPath) -> PredictSection | None:
        if "predict" not in table:
            return None
        where = (*at, "predict")
        found = self.reader.section("predict", PredictSection, table["predict"], where)
        if "ensemble" not in table:
            self.reader.note(where, words.predict_of_ensemble())
        elif found is not None and found.format != "kaggle":
            for key in ("id_column", "label_column", "values"):
                if getattr(found, key) is not None:
                    self.reader.note((*where, key), words.of_kaggle())
        return found

    def _varied(
        self, kind: str, table: Mapping[str, Any], at: KeyPath, labels: Mapping[str, str]
    ) -> Iterator[RowPart]:
        choices = list(self._choices(table, (*at, "vary")))
        if kind == ONE_AT_A_TIME:
            for where, choice in choices:
                for one in choice:
                    name = _setting_text(one, labels)
                    yield RowPart(name, where, ((one,),), one.key, one.value)
            return
        for several in itertools.product(*(choice for _, choice in choices)) if choices else ():
            name = ", ".join(_setting_text(one, labels) for one in several)
            last = several[-1]
            yield RowPart(name, choices[0][0], (several,), last.key, last.value)

    def _choices(
        self, table: Mapping[str, Any], at: KeyPath
    ) -> Iterator[tuple[KeyPath, list[Override]]]:
        """(where, the values as settings) of each key."""
        vary = table.get("vary")
        if not isinstance(vary, dict) or not vary:
            what = words.needed('{ "optimizer.lr" = [0.001, 0.01] }')
            self.reader.note(at, what if vary is None else not_a_table(vary, '"key" = [values]'))
            return
        places = self.reader.places
        for key, path, values in flattened(vary):
            where = (*at, *path)
            texts = [value_text(one) for one in values] if _values(values) else []
            if not texts or len(set(texts)) < len(texts):
                self.reader.note(where, wrong_value(values, "a list of values, each once"))
                continue
            origin = place(places.file, places.lines, where)
            yield where, [Override(key, one, origin) for one in values]

    def _search(self, table: Mapping[str, Any], at: KeyPath) -> SearchPart | None:
        reader, where = self.reader, (*at, "search")
        given = table.get("search")
        if given is None:
            reader.note(where, words.needed("[tables.search] with trials and space"))
            return None
        head = reader.section("search", SearchSection, given, where)
        if not isinstance(given, dict):
            return None
        reader.metric(head.metric if head else None, (*where, "metric"))
        space, origins = {}, {}
        spaces = given.get("space")
        if not isinstance(spaces, dict) or not spaces:
            reader.note((*where, "space"), words.needed('{ "optimizer.lr" = { low, high } }'))
            return None
        for key, path, one in flattened(spaces):
            place_of = (*where, "space", *path)
            found = self._span(one, place_of)
            if found is not None:
                space[key] = found
                origins[key] = place(reader.places.file, reader.places.lines, place_of)
        return None if head is None else SearchPart(head, space, origins)

    def _span(self, given: Any, at: KeyPath) -> Span | tuple[Any, ...] | None:
        if _values(given):
            return tuple(given)
        if not isinstance(given, dict):
            self.reader.note(at, wrong_value(given, "{ low = .., high = .. } or a list of values"))
            return None
        span = self.reader.section("span", Span, given, at)
        if span is not None and not span.low < span.high:
            self.reader.note(at, words.wrong_span())
        elif span is not None and span.log and (span.low <= 0 or span.step is not None):
            self.reader.note(at, words.log_span())
        elif span is not None and span.whole and isinstance(span.step, float):
            self.reader.note(at, words.whole_step())
        return span

    def _published(
        self, head: TableSection, at: KeyPath, rows: list[RowPart]
    ) -> Mapping[str, Mapping[str, str]]:
        """The file's values, and over them those that stand in the rows."""
        found: dict[str, Mapping[str, str]] = {}
        if head.published is not None:
            where = (*at, "published")
            try:
                found |= read_published(self.reader.beside(head.published))
            except StudyError as error:
                self.reader.elsewhere += error.problems
            names = {row.name for row in rows}
            for name in () if head.kind == SEARCH else found:
                if name not in names:
                    what = words.not_published(name, head.published)
                    self.reader.note((*where, name), what, where)
        for row in rows:
            if row.published:
                found[row.name] = {**found.get(row.name, {}), **row.published}
        return found

    def _known_columns(self, table: TablePart) -> None:
        """Published values and texts that a column asks for have to be there, of some row."""
        printed = {name for row in table.published.values() for name in row}
        texts = printed.union(*(row.text for row in table.rows))
        for index, column in enumerate(table.columns):
            at = (*table.at, "columns", index)
            if column.published is not None and column.published not in printed:
                what = words.unknown("published column", column.published, sorted(printed))
                self.reader.note((*at, "published"), what)
            if column.text is not None and column.text not in texts:
                what = words.no_text(column.text, sorted(texts))
                self.reader.note((*at, "text"), what)


def _values(given: Any) -> bool:
    """Whether it is a list of what can be varied: scalars, or lists of scalars."""
    if not isinstance(given, list) or not given:
        return False
    flat = [item for one in given for item in (one if isinstance(one, list) else [one])]
    return all(isinstance(one, str | int | float | bool) for one in flat)


def _setting_text(one: Override, labels: Mapping[str, str]) -> str:
    return f"{labels.get(one.key, one.key)}={value_text(one.value)}"


def _with_layers(row: RowPart, layers: tuple[Settings, ...]) -> RowPart:
    return replace(row, layers=layers)
