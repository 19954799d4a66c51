"""A table of results as texts, in the report's own shape: what every format prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zoo.studies.notes import absent, column_key, firsts_of, legend, of_search, remarks
from zoo.studies.schema import DIFFERENCES, Column
from zoo.studies.settings import value_text
from zoo.studies.values import value_at

NOTHING = "-"
NOT_SHOWN = "no difference shown"
BETTER, WORSE = "better", "worse"
_DIFFERENCES = (
    f"Paired by seed and by sample, with 95 % interval. Better or worse: shown at 5 % by the runs "
    f"and by the samples, after Holm's correction over the rows; else {NOT_SHOWN}."
)
_MARKS = "abcdefghijklmnoprstuvwxyz"  # no q: it cannot be raised


@dataclass(frozen=True)
class Heading:
    """``number``: whether numbers stand below it; ``report``: whether they are the report's."""

    text: str
    number: bool = True
    report: bool = False


@dataclass(frozen=True)
class Shown:
    """``text``: the value; ``spread``: what its standard deviation is; ``interval``: within which;
    ``said``: words behind it; ``marks``: of footnotes; ``numbers``: for machines."""

    text: str
    spread: str = ""
    interval: str = ""
    said: str = ""
    marks: tuple[str, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def short(self) -> str:
        return f"{self.text} ± {self.spread}" if self.spread else self.text

    @property
    def line(self) -> str:
        """All of it, on one line."""
        interval = f" [{self.interval}]" if self.interval else ""
        said = f", {self.said}" if self.said else ""
        return f"{self.short}{interval}{said}"


@dataclass(frozen=True)
class ShownTable:
    """``notes``: (mark, text) of each footnote; those of the whole table have no mark.
    ``intervals``: what brackets are, for who prints them. ``differences``: the rows less the
    reference, a table of its own."""

    name: str
    title: str
    head: Sequence[Heading]
    rows: Sequence[Sequence[Shown]]
    notes: Sequence[tuple[str, str]]
    intervals: str = ""
    differences: ShownTable | None = None

    @property
    def all_notes(self) -> Sequence[tuple[str, str]]:
        return [*self.notes, ("", self.intervals)] if self.intervals else self.notes


class _Notes:
    """Footnotes in the order in which they are met; equal ones are one."""

    def __init__(self) -> None:
        self.marks: dict[str, str] = {}

    def mark(self, text: str) -> str:
        place = len(self.marks)
        letters = _MARKS[place % len(_MARKS)] * (1 + place // len(_MARKS))
        return self.marks.setdefault(text, letters)


def shown_table(table: Mapping[str, Any]) -> ShownTable:
    """``table``: one of ``tables`` of results, with its statistics."""
    columns = [Column(**column) for column in table["columns"]]
    notes = _Notes()
    head = list(_head(columns, table))
    firsts = firsts_of(table["rows"])
    rows = [list(_row(row, columns, table, notes, firsts)) for row in table["rows"]]
    spread, intervals = legend(table, columns)
    trials = of_search(table.get("trials"))
    missing = absent(table, columns)
    general = [("", text) for text in (*table["footnotes"], *missing, trials, spread) if text]
    marked = [(mark, text) for text, mark in notes.marks.items()]
    notes_of_all = [*marked, *general]
    found = ShownTable(table["name"], table["title"], head, rows, notes_of_all, intervals)
    compared = [column for column in columns if column.metric is not None and column.difference]
    if table["reference"] is None or not compared:
        return found
    return replace(found, differences=_differences(table, compared))


def _differences(table: Mapping[str, Any], columns: Sequence[Column]) -> ShownTable:
    rows = [
        [Shown(row["name"]), *(_difference(row, column, table) for column in columns)]
        for row in table["rows"]
        if row["name"] != table["reference"]
    ]
    head = [Heading("Row", number=False), *(Heading(column.title) for column in columns)]
    title = f"Differences from {table['reference']}"
    return ShownTable(f"{table['name']}{DIFFERENCES}", title, head, rows, [("", _DIFFERENCES)])


def _head(columns: Sequence[Column], table: Mapping[str, Any]) -> Iterator[Heading]:
    for column in columns:
        yield Heading(column.title, _is_number(column))
        if column.published is not None:
            yield Heading(f"{column.title}, published", _is_number(column), report=True)


def _row(
    row: Mapping[str, Any],
    columns: Sequence[Column],
    table: Mapping[str, Any],
    notes: _Notes,
    firsts: Mapping[str, str],
) -> Iterator[Shown]:
    marks = tuple(notes.mark(text) for text in remarks(row, firsts))
    for place, column in enumerate(columns):
        cell = _cell(row, column, table)
        yield replace(cell, marks=marks) if place == 0 else cell
        if column.published is not None:
            yield Shown(row["published"].get(column.published, NOTHING))


def _is_number(column: Column) -> bool:
    return column.metric is not None or column.run is not None


def _cell(row: Mapping[str, Any], column: Column, table: Mapping[str, Any]) -> Shown:
    if column.row is not None:
        return Shown(_text(row[column.row]))
    if column.value is not None:
        return Shown(_text(value_at(row["recipe"] or {}, column.value)))
    if column.text is not None:
        return Shown(row["text"].get(column.text, NOTHING))
    found = row["statistics"].get(column_key(column, table))
    if found is None or found["mean"] is None:
        return Shown(NOTHING)
    return _spread(found, formatter(column), column)


def _spread(found: Mapping[str, Any], write: Callable[[float], str], column: Column) -> Shown:
    spread = "" if found["sd"] is None else write(found["sd"])
    interval = ""
    if found["interval"] is not None and column.metric is not None:
        interval = f"{write(found['low'])}, {write(found['high'])}"
    if found["sd"] == 0 and column.metric is None:  # as epochs, where all have as many
        spread = ""
    numbers = _in_unit(found, ("mean", "sd", "low", "high"), column) | {"count": found["count"]}
    return Shown(write(found["mean"]), spread, interval, numbers=numbers)


def _difference(row: Mapping[str, Any], column: Column, table: Mapping[str, Any]) -> Shown:
    found = row["statistics"].get(column_key(column, table), {}).get("difference")
    if found is None:
        return Shown(NOTHING)
    write = formatter(column)

    def signed(value: float) -> str:
        text = write(value)
        return text if text.startswith("-") else f"+{text}"

    interval = ""
    if found["interval"] is not None:
        interval = f"{signed(found['low'])}, {signed(found['high'])}"
    said = {"row": BETTER, "reference": WORSE}.get(found["shown"], NOT_SHOWN)
    if found["interval"] is None:
        said = ""
    numbers = _in_unit(found, ("value", "low", "high"), column)
    numbers |= {name: found[name] for name in ("p", "shown")}
    return Shown(signed(found["value"]), "", interval, said, numbers=numbers)


def _in_unit(found: Mapping[str, Any], names: Sequence[str], column: Column) -> dict[str, Any]:
    """In full, in the unit that the column's title says: of percent 100 times the fraction."""
    values = {name: found[name] for name in names}
    if not column.percent or column.metric is None:
        return values
    # Rounded, for 100 * 0.57 is 56.99999999999999.
    return {name: None if one is None else round(100 * one, 12) for name, one in values.items()}


def formatter(column: Column) -> Callable[[float], str]:
    """How the numbers of a column are written."""
    decimals = column.decimals
    if column.metric is not None:
        times = 100 if column.percent else 1
        places = decimals if decimals is not None else (2 if column.percent else 4)
        return lambda value: f"{value * times:.{places}f}"
    if column.run == "memory":
        return lambda value: f"{value / 1e6:,.{decimals or 0}f} MB"
    if column.run in ("seconds", "seconds_per_epoch"):
        return lambda value: f"{value:,.{1 if decimals is None else decimals}f}"
    if column.run in ("samples_per_second", "parameters"):
        return lambda value: f"{value:,.{decimals or 0}f}"
    return lambda value: f"{value:.{1 if decimals is None else decimals}f}".removesuffix(".0")


def _text(value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    return f"{value:.6g}" if isinstance(value, float) else value_text(value)
