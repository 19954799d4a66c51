"""All tables and figures of a study on one page, in the style of reports."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from zoo.reports.blocks import Block, Cell, Chart, Charts, Facts, Section, Table, Text
from zoo.reports.page import render_page
from zoo.studies.carrying import DONE
from zoo.studies.cells import NOTHING, Shown, ShownTable
from zoo.studies.settings import value_text

_MOST_TRIALS, _LISTED = 100, 6
_RAISED = str.maketrans("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")


def study_page(
    data: Mapping[str, Any], tables: Sequence[ShownTable], charts: Sequence[Chart]
) -> str:
    """``data``: results; ``charts``: those of its figures that could be drawn."""
    searched = {one["name"]: _trials(one) for one in data["tables"] if one.get("trials")}
    sections = [_summary(data), *(_table(one, searched.get(one.name, [])) for one in tables)]
    if data["figures"]:
        sections.append(Section("Figures", "figures", _figures(data, charts)))
    subtitle = " · ".join(filter(None, ("study", data["name"], data["profile"])))
    return render_page(data["title"] or data["name"], subtitle, sections)


def _summary(data: Mapping[str, Any]) -> Section:
    rows = [row for table in data["tables"] for row in table["rows"]]
    runs = {run["key"]: run for row in rows for run in row["runs"]}
    states: dict[str, int] = {}
    for run in runs.values():
        states[run["status"]] = states.get(run["status"], 0) + 1
    told = [f"{count} {status}" for status, count in sorted(states.items()) if status != DONE]
    done = f"{states.get(DONE, 0)} of {len(runs)} done"
    seconds = sum(run["seconds"] or 0 for run in runs.values())
    facts = [
        ("Source", data["source"]),
        ("Datasets", _each(_named(rows, "dataset"))),
        ("Architectures", _each(_named(rows, "architecture"))),
        ("Measured on", _each(table["split"] for table in data["tables"])),
        ("Seeds", _each(run["seed"] for row in rows for run in row["runs"] if not row["ensemble"])),
        ("Tables", f"{len(data['tables'])}, with {len(rows)} rows"),
        ("Runs", ", ".join([done, *told])),
        ("Training", f"{seconds:,.0f} s in all" if seconds else ""),
    ]
    return Section("Summary", "summary", [Facts(facts)])


def _named(rows: Sequence[Mapping[str, Any]], section: str) -> Iterator[str]:
    return (row["recipe"][section]["name"] for row in rows if row["recipe"])


def _each(values: Iterable[object]) -> str:
    """Each once, in their order, as many as a line has room for."""
    texts = list(dict.fromkeys(map(str, values)))
    more = f" and {len(texts) - _LISTED} more" if len(texts) > _LISTED else ""
    return ", ".join(texts[:_LISTED]) + more


def undrawn(data: Mapping[str, Any], drawn: Collection[str]) -> str:
    """A sentence about the figures that are not among those ``drawn``; empty where all are."""
    names = [one["name"] for one in data["figures"] if one["name"] not in drawn]
    return f"Figures of which there is nothing to draw: {', '.join(names)}." if names else ""


def _figures(data: Mapping[str, Any], charts: Sequence[Chart]) -> list[Block]:
    missing = undrawn(data, {chart.name for chart in charts})
    blocks: list[Block] = [Charts(charts)] if charts else []
    return [*blocks, Text(missing)] if missing else blocks


def _trials(table: Mapping[str, Any]) -> list[Block]:
    """The trials of a search, in the order in which they were begun."""
    trials = table["trials"]
    keys = list(dict.fromkeys(key for trial in trials for key in trial["settings"]))
    head = ["Trial", *(table["labels"].get(key, key) for key in keys), "Value", "Epochs", "Status"]
    rows = [
        [
            str(trial["number"]),
            *(_value(trial["settings"].get(key)) for key in keys),
            _value(trial["value"]),
            _value(trial["epochs"]),
            trial["status"],
        ]
        for trial in trials[:_MOST_TRIALS]
    ]
    more = f"{len(trials) - len(rows)} more are in results.json."
    notes: list[Block] = [Text(more)] if len(rows) < len(trials) else []
    return [Table(head, rows, title="Trials"), *notes]


def _value(value: Any) -> str:
    if value is None:
        return NOTHING
    return f"{value:.4g}" if isinstance(value, float) else value_text(value)


def _table(table: ShownTable, more: Sequence[Block]) -> Section:
    blocks = _blocks(table, "")
    if table.differences is not None:
        blocks += _blocks(table.differences, table.differences.title)
    anchor = "table-" + re.sub(r"[^A-Za-z0-9-]", "-", table.name)
    return Section(table.title or table.name, anchor, [*blocks, *more])


def _blocks(table: ShownTable, title: str) -> list[Block]:
    names = next((place for place, one in enumerate(table.head) if one.number), len(table.head))
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    head = [one.text for one in table.head]
    notes = [Text(f"{mark.translate(_RAISED)} {text}".strip()) for mark, text in table.all_notes]
    return [Table(head, rows, names=max(names, 1), title=title), *notes]


def _cell(cell: Shown) -> str | Cell:
    text = cell.short + "".join(mark.translate(_RAISED) for mark in cell.marks)
    interval = f"[{cell.interval}]" if cell.interval else ""
    small = ", ".join(filter(None, (interval, cell.said)))
    return Cell(text, small) if small else text
