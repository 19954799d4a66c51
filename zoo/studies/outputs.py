"""The files of a study: each table in four formats, its figures, and the page of them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.reports.blocks import Chart
from zoo.reports.svg import png_bytes, svg_bytes
from zoo.storage import commit
from zoo.studies import statistics
from zoo.studies.cells import ShownTable, shown_table
from zoo.studies.expanding import Table
from zoo.studies.formats import comma_separated, differences_separated, latex, markdown
from zoo.studies.page import study_page
from zoo.studies.parts import StudyFile
from zoo.studies.results import wanted_of
from zoo.studies.schema import DIFFERENCES

TABLES, FIGURES, PAGE = "tables", "figures", "study.html"
_FORMATS = {
    ".md": markdown,
    ".csv": comma_separated,
    f"{DIFFERENCES}.csv": differences_separated,
    ".tex": latex,
}


def add_statistics(
    data: Mapping[str, Any], tables: Sequence[Table], study: StudyFile, out: Path
) -> None:
    for table, said in zip(tables, data["tables"], strict=True):
        statistics.add_statistics(said["rows"], said["reference"], wanted_of(study, table), out)


def write_outputs(data: Mapping[str, Any], out: Path) -> list[Path]:
    """``data``: results with statistics, as ``results.json`` in ``out`` holds them."""
    tables = [shown_table(table) for table in data["tables"]]
    charts = list(_charts(data, out))
    files = [*_write_tables(tables, out / TABLES), *_write_figures(charts, out / FIGURES)]
    path = out / PAGE
    commit.write(path, study_page(data, tables, charts).encode())
    return [*files, path]


def _write_tables(tables: Sequence[ShownTable], folder: Path) -> Iterator[Path]:
    commit.make_folder(folder)
    for table in tables:
        for suffix, write in _FORMATS.items():
            path, text = folder / f"{table.name}{suffix}", write(table)
            if text is not None:
                commit.write(path, text.encode())
                yield path


def _write_figures(charts: Sequence[Chart], folder: Path) -> Iterator[Path]:
    if charts:
        commit.make_folder(folder)
    for chart in charts:
        for suffix, made in ((".svg", svg_bytes), (".png", png_bytes)):
            path = folder / f"{chart.name}{suffix}"
            commit.write(path, made(chart.figure))
            yield path


def _charts(data: Mapping[str, Any], out: Path) -> Iterator[Chart]:
    """The figures of results that can be drawn of what is there."""
    if data["figures"]:
        from zoo.studies.figures.drawing import charts

        yield from charts(data, out)
