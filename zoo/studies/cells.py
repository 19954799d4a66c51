"""A table of results as texts, in the report's own shape: what every format prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zoo.studies.carrying import DIVERGED, DONE, FAILED
from zoo.studies.metric_names import result_key
from zoo.studies.schema import DIFFERENCES, Column
from zoo.studies.settings import value_text
from zoo.studies.statistics import OF_RUN
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
    firsts = _firsts(table["rows"])
    rows = [list(_row(row, columns, table, notes, firsts)) for row in table["rows"]]
    spread, intervals = _legend(table, columns)
    trials = _of_search(table.get("trials"))
    general = [("", text) for text in (*table["footnotes"], trials, spread) if text]
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
    marks = tuple(notes.mark(text) for text in _remarks(row, firsts))
    for place, column in enumerate(columns):
        cell = _cell(row, column, table)
        yield replace(cell, marks=marks) if place == 0 else cell
        if column.published is not None:
            yield Shown(row["published"].get(column.published, NOTHING))


def _is_number(column: Column) -> bool:
    return column.metric is not None or column.run is not None


def _firsts(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """By the name of a row whose recipe is that of one above it, and so its runs, that one's."""
    seen: dict[tuple[str, ...], str] = {}
    found = {}
    for row in rows:
        keys = tuple(run["key"] for run in row["runs"])
        if keys and not row["ensemble"] and seen.setdefault(keys, row["name"]) != row["name"]:
            found[row["name"]] = seen[keys]
    return found


def _remarks(row: Mapping[str, Any], firsts: Mapping[str, str]) -> Iterator[str]:
    """What has to be known of a row's numbers."""
    if row["footnote"]:
        yield row["footnote"]
    if row["name"] in firsts:
        yield f"The recipe, and so the runs, of {firsts[row['name']]}."
    if row.get("submission"):
        yield _answers(row["submission"])
    runs = row["runs"]
    for status in (FAILED, DIVERGED):
        ended = [run for run in runs if run["status"] == status]
        for why in dict.fromkeys(run["reason"] or "" for run in ended):
            same = [run for run in ended if (run["reason"] or "") == why]
            yield f"{_which(same, runs)}{status}: {why}"
    left = [run for run in runs if run["status"] not in (DONE, FAILED, DIVERGED)]
    if left:
        why = next((run["reason"] for run in left if run["reason"]), None)
        yield f"{len(left)} of {len(runs)} runs not done" + (f": {why}" if why else "")


def _answers(said: Mapping[str, Any]) -> str:
    if said["file"] is None:
        return f"no answers to images without labels: {said['reason'] or 'not written yet'}"
    left_out = f", {said['left_out']} more could not be read" if said["left_out"] else ""
    return f"its answers to {said['images']} images without labels: {said['file']}{left_out}"


def _which(some: Sequence[Mapping[str, Any]], every: Sequence[Mapping[str, Any]]) -> str:
    """``seed 1 ``, where others of the row are otherwise."""
    if len(every) == 1:
        return ""
    if len(some) == len(every):
        return "all runs "
    seeds = [
        str(run["seed"]) + ("" if run["fold"] is None else f" fold {run['fold']}") for run in some
    ]
    return f"seed {', '.join(seeds)} "


def _cell(row: Mapping[str, Any], column: Column, table: Mapping[str, Any]) -> Shown:
    if column.row is not None:
        return Shown(_text(row[column.row]))
    if column.value is not None:
        return Shown(_text(value_at(row["recipe"] or {}, column.value)))
    if column.text is not None:
        return Shown(row["text"].get(column.text, NOTHING))
    found = row["statistics"].get(_key(column, table))
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
    found = row["statistics"].get(_key(column, table), {}).get("difference")
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


def _key(column: Column, table: Mapping[str, Any]) -> str:
    if column.metric is not None:
        return result_key(column.metric, column.split or table["split"], column.at)
    return f"{OF_RUN}{column.run}"


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


def _of_search(trials: Sequence[Mapping[str, Any]] | None) -> str:
    """What became of its trials; nothing of a table that is no search."""
    if trials is None:
        return ""
    counts = Counter(one["status"] for one in trials)
    ended = ", ".join(f"{count} {status}" for status, count in counts.items()) or "none yet"
    why = next((one["reason"] for one in trials if one["reason"]), None)
    return f"Trials of the search: {ended}." + (f" One failed: {why}." if why else "")


def _legend(table: Mapping[str, Any], columns: Sequence[Column]) -> tuple[str, str]:
    """What ``±`` is, and what brackets are; only of what there is."""
    found = [
        row["statistics"][_key(column, table)]
        for row in table["rows"]
        for column in columns
        if column.metric is not None and _key(column, table) in row["statistics"]
    ]
    counts = sorted({one["count"] for one in found if one["interval"] == "t"})
    spread, said = "", []
    if counts:
        runs = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        spread = f"Mean ± standard deviation over {runs} runs."
        said.append("of the mean over runs (Student's t)")
    if any(one["interval"] == "samples" for one in found):
        said.append("of one run, over samples")
    return spread, f"In brackets the 95 % interval {'; '.join(said)}." if said else ""
