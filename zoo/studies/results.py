"""``results.json``: what tables and figures are made of. ``docs/studies.md`` describes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.errors import StudyError, clipped, missing_path, reason
from zoo.storage import commit
from zoo.studies import words
from zoo.studies.carrying import DONE, PAUSED, WAITING, Outcome
from zoo.studies.collecting import Wanted, collected
from zoo.studies.expanding import Job, Row, Table
from zoo.studies.parts import StudyFile
from zoo.studies.schema import BEST

FORMAT = 1
RESULTS, RUNS = "results.json", "runs"


def run_folder(out: Path, key: str) -> Path:
    return out / RUNS / key


def wanted_of(study: StudyFile, table: Table) -> list[Wanted]:
    """Every figure that the study names of the table's runs, each once."""
    found = [
        Wanted(column.metric, column.split or table.split, column.at)
        for column in table.columns
        if column.metric is not None
    ]
    for metric in table.part.head.metrics or study.head.metrics:
        found.append(Wanted(metric, table.split, BEST))
    for figure in study.figures:
        if figure.head.table in (None, table.name):
            split = figure.head.split or table.split
            named = [figure.head.metric] if figure.head.metric else []
            found += [
                Wanted(metric, split, BEST) for metric in [*named, *(figure.head.metrics or ())]
            ]
    return list({one.key: one for one in found}.values())


def splits_of(study: StudyFile, table: Table) -> tuple[str, ...]:
    """On which its runs are measured: the table's, and what columns and figures ask for."""
    others = [column.split for column in table.columns]
    others += [one.head.split for one in study.figures if one.head.table in (None, table.name)]
    return tuple(dict.fromkeys((table.split, *filter(None, others))))


@dataclass
class Folders:
    """What the runs' folders say, read once for each state that a run ends in."""

    out: Path
    _known: dict[Any, dict[str, Any]] = field(default_factory=dict)

    def says(self, key: str, outcome: Outcome, wanted: Sequence[Wanted]) -> dict[str, Any]:
        place = (key, outcome, tuple(wanted))
        if place not in self._known:
            self._known[place] = collected(run_folder(self.out, key), wanted)
        return self._known[place]


def table_data(
    study: StudyFile, table: Table, outcomes: Mapping[str, Outcome], folders: Folders
) -> dict[str, Any]:
    """Without statistics."""
    head, wanted = table.part.head, wanted_of(study, table)
    return {
        "name": head.name,
        "title": head.title,
        "kind": head.kind,
        "split": table.split,
        "reference": head.reference,
        "footnotes": list(head.footnotes),
        "labels": dict(table.part.labels),
        "columns": [column.model_dump(exclude_defaults=True) for column in table.columns],
        "rows": [
            _row_data(number, row, outcomes, folders, wanted)
            for number, row in enumerate(table.rows, 1)
        ],
    }


def _row_data(
    number: int,
    row: Row,
    outcomes: Mapping[str, Outcome],
    folders: Folders,
    wanted: Sequence[Wanted],
) -> dict[str, Any]:
    recipe = None
    if row.recipe is not None:
        beside = {"training": ("seed",), "split": ("fold",)}
        recipe = {
            name: {key: one for key, one in section.items() if key not in beside.get(name, ())}
            if isinstance(section, Mapping)
            else section
            for name, section in row.recipe.items()
        }
    return {
        "name": row.name,
        "number": number,
        "varied": row.varied,
        "value": row.value,
        "text": dict(row.text),
        "published": dict(row.published),
        "footnote": row.footnote,
        "ensemble": None if row.ensemble is None else row.ensemble.model_dump(mode="json"),
        "submission": None,
        "settings": dict(row.settings),
        "recipe": recipe,
        "runs": [_run_data(job, outcomes, folders, wanted) for job in row.jobs],
    }


def _run_data(
    job: Job, outcomes: Mapping[str, Outcome], folders: Folders, wanted: Sequence[Wanted]
) -> dict[str, Any]:
    outcome = outcomes.get(job.key, Outcome(WAITING))
    path = run_folder(folders.out, job.key)
    return {
        "seed": job.seed,
        "fold": job.fold,
        "key": job.key,
        "folder": f"{RUNS}/{job.key}" if path.is_dir() else None,
        "status": outcome.status,
        "reason": None if outcome.status == DONE else outcome.reason or None,
        **folders.says(job.key, outcome, wanted),
    }


def results_data(
    study: StudyFile,
    profile: str,
    tables: Sequence[Table],
    outcomes: Mapping[str, Outcome],
    folders: Folders,
) -> dict[str, Any]:
    """Without statistics, which take seconds: see ``zoo.studies.outputs``."""
    found = [table_data(study, table, outcomes, folders) for table in tables]
    states = {run["status"] for data in found for row in data["rows"] for run in row["runs"]}
    return {
        "format": FORMAT,
        "name": study.name,
        "title": study.head.title,
        "source": study.head.source,
        "profile": profile,
        "complete": not states & {WAITING, PAUSED},
        "tables": found,
        "figures": [
            {
                **one.head.model_dump(mode="json", exclude_none=True),
                "panels": [panel.model_dump(mode="json") for panel in one.panels],
            }
            for one in study.figures
        ],
    }


def write_results(out: Path, data: Mapping[str, Any]) -> Path:
    path = out / RESULTS
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    commit.write(path, f"{text}\n".encode())
    return path


def read_results(out: Path) -> dict[str, Any]:
    """Raises :class:`StudyError` where there are none, or of another format."""
    path = out / RESULTS
    if not path.is_file():
        raise StudyError([missing_path("results", path)])
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StudyError([f"results {str(path)!r} cannot be read: {reason(error)}; remove that "
                          f"file, which is made anew from the runs"]) from error  # fmt: skip
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        given = clipped(repr(data.get("format"))) if isinstance(data, dict) else "none"
        raise StudyError([words.other_format(path, given, FORMAT)])
    return data


def kept_outcomes(data: Mapping[str, Any]) -> Iterator[tuple[str, Outcome]]:
    """What results say of runs, by key: why one failed may stand nowhere else."""
    for table in _mappings(data.get("tables")):
        for row in _mappings(table.get("rows")):
            for run in _mappings(row.get("runs")):
                yield (
                    str(run.get("key")),
                    Outcome(str(run.get("status")), str(run.get("reason") or "")),
                )


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    every = value if isinstance(value, list) else []
    return [one for one in every if isinstance(one, Mapping)]
