"""All tables and figures of a study on one page, in the style of reports."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.reports.blocks import Block, Cell, Chart, Charts, Facts, Section, Table, Text
from zoo.reports.page import render_page
from zoo.studies.carrying import DONE
from zoo.studies.cells import Shown, ShownTable

_RAISED = str.maketrans("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")


def study_page(
    data: Mapping[str, Any], tables: Sequence[ShownTable], charts: Sequence[Chart]
) -> str:
    """``data``: results; ``charts``: those of its figures that could be drawn."""
    sections = [_summary(data), *(_table(one) for one in tables)]
    if charts:
        sections.append(Section("Figures", "figures", [Charts(charts)]))
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
        ("Tables", f"{len(data['tables'])}, with {len(rows)} rows"),
        ("Runs", ", ".join([done, *told])),
        ("Training", f"{seconds:,.0f} s in all" if seconds else ""),
    ]
    return Section("Summary", "summary", [Facts(facts)])


def _table(table: ShownTable) -> Section:
    blocks = _blocks(table, "")
    if table.differences is not None:
        blocks += _blocks(table.differences, table.differences.title)
    anchor = "table-" + re.sub(r"[^A-Za-z0-9-]", "-", table.name)
    return Section(table.title or table.name, anchor, blocks)


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
