"""The figures of a study file: what each kind needs, and that its table and rows are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.recipes.positions import KeyPath
from zoo.studies import metric_names, words
from zoo.studies.parts import FigurePart, TablePart
from zoo.studies.reading import Reader
from zoo.studies.schema import FigureSection, Panel

_OVER_EPOCHS = ("curves", "train_val")
_AGAINST = ("metric_against", "learning_curve")
_OF_METRICS = (*_OVER_EPOCHS, *_AGAINST, "bars")


class Figures:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def read(self, figures: Any, tables: Sequence[TablePart]) -> list[FigurePart]:
        found = self.reader.tables_of(figures, ("figures",), self._figure)
        for figure in found:
            self._rows(figure, tables)
        self.reader.once("figure", [(one.at, one.head.name) for one in found])
        return found

    def _figure(self, table: Any, at: KeyPath) -> FigurePart | None:
        reader = self.reader
        head = reader.section("figure", FigureSection, table, at)
        if head is None:
            return None
        reader.metric(head.metric, (*at, "metric"))
        for index, metric in enumerate(head.metrics or ()):
            reader.metric(metric, (*at, "metrics", index))
        self._check_kind(head, at)
        panels = reader.tables_of(
            table.get("panels"),
            (*at, "panels"),
            lambda one, where: reader.section("panel", Panel, one, where),
        )
        return FigurePart(head, at, tuple(panels))

    def _check_kind(self, head: FigureSection, at: KeyPath) -> None:
        note, kind = self.reader.note, head.kind
        named = {"metric": (head.metric,) if head.metric else (), "metrics": head.metrics or ()}
        given = [key for key, metrics in named.items() if metrics]
        if len(given) > 1:
            note((*at, "metrics"), words.metric_twice())
        if kind not in _OF_METRICS:
            return
        if not given:
            note((*at, "metric"), words.needed("a figure, as 'val/accuracy'"), at)
        elif kind in _AGAINST and len(named["metrics"]) > 1:
            note((*at, "metrics"), words.one_metric(kind))
        if kind in _AGAINST and head.x is None:
            note((*at, "x"), words.needed("a key of a recipe, as 'optimizer.lr'"), at)
        for key in given if kind in _OVER_EPOCHS else ():
            for metric in named[key]:
                if metric_names.is_metric(metric) and not metric_names.of_epoch(metric):
                    note((*at, key), words.not_of_epoch(kind, metric))

    def _rows(self, figure: FigurePart, tables: Sequence[TablePart]) -> None:
        """Those of a search are not there yet."""
        note = self.reader.note
        named = {table.head.name: table for table in tables}
        table = figure.head.table
        if table is None and len(named) > 1:
            note((*figure.at, "table"), words.which_table(named), figure.at)
        elif table is not None and table not in named:
            note((*figure.at, "table"), words.unknown("table", table, named))
        elif named:
            part = named[table] if table is not None else tables[0]
            rows = [row.name for row in part.rows]
            asked = [(*figure.at, "rows", place) for place in range(len(figure.head.rows or ()))]
            pairs = list(zip(asked, figure.head.rows or (), strict=True))
            for number, panel in enumerate(figure.panels):
                pairs += [((*figure.at, "panels", number, "rows"), row) for row in panel.rows]
            for at, row in pairs:
                if part.search is None and row not in rows:
                    note(at, words.unknown("row", row, rows))
