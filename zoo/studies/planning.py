"""What of a study is to run, and where it is kept."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pydantic

from zoo.errors import StudyError
from zoo.recipes.flags import Override
from zoo.runs.folder import RUNS
from zoo.studies import words
from zoo.studies.expanding import Asked, Job, Table, expand
from zoo.studies.parts import StudyFile
from zoo.studies.reading import read_study
from zoo.studies.results import splits_of
from zoo.studies.schema import Seeds


@dataclass(frozen=True)
class Plan:
    """``tables``: all of the study; ``chosen``: those, and of them the rows, that are to run."""

    study: StudyFile
    asked: Asked
    tables: Sequence[Table]
    chosen: Sequence[Table]
    out: Path

    def splits(self) -> dict[str, tuple[str, ...]]:
        """By key of the run, of all tables that have it."""
        found: dict[str, tuple[str, ...]] = {}
        for table in self.tables:
            splits = splits_of(self.study, table)
            for row in table.rows:
                for job in (*row.jobs, *row.members):
                    found[job.key] = tuple(dict.fromkeys((*found.get(job.key, ()), *splits)))
        return found

    def jobs(self) -> dict[str, Job]:
        """What is to run, each run once, in the order of tables, seeds and rows: the first seed of
        every row comes before the second of any."""
        found: dict[str, Job] = {}
        for table in self.chosen:
            rows = [(*row.jobs, *row.members) for row in table.rows]
            for place in range(max(map(len, rows), default=0)):
                for jobs in rows:
                    if place < len(jobs):
                        found.setdefault(jobs[place].key, jobs[place])
        return found

    def threads(self) -> int:
        """The most that a run has; 1 where it takes every core."""
        jobs = [*self.jobs().values(), *(one.searched for one in self.chosen if one.searched)]
        return max((int(job.recipe["training"]["threads"]) for job in jobs), default=0) or 1

    def names(self) -> dict[str, str]:
        """How people call the runs, by key: after the first row that has it."""
        found: dict[str, str] = {}
        for table in self.tables:
            for row in table.rows:
                for job in row.jobs:
                    fold = "" if job.fold is None else f", fold {job.fold}"
                    name = f"{table.name}/{row.name}, seed {job.seed}{fold}"
                    found.setdefault(job.key, name)
        return found


def planned(
    path: str | Path,
    profile: str = "",
    out: str | Path | None = None,
    tables: Sequence[str] = (),
    rows: Sequence[str] = (),
    seeds: Sequence[int] | None = None,
    overrides: Mapping[str, Any] | Sequence[Override] = (),
) -> Plan:
    if isinstance(overrides, Mapping):
        overrides = [
            Override(key, value, f"--set {key}={value}") for key, value in overrides.items()
        ]
    study = read_study(Path(path))
    given = None if seeds is None else _checked(seeds)
    asked = Asked(profile, tuple(tables), tuple(rows), given, tuple(overrides))
    every = expand(study, asked)
    folder = Path(out) if out is not None else default_out(study, profile)
    return Plan(study, asked, every, list(chosen(every, asked)), folder)


def _checked(seeds: Sequence[int]) -> tuple[int, ...]:
    try:
        return pydantic.TypeAdapter(Seeds).validate_python(tuple(seeds))
    except pydantic.ValidationError as error:
        raise StudyError([words.wrong_seeds(list(seeds))]) from error


def chosen(tables: Sequence[Table], asked: Asked) -> Iterator[Table]:
    """The tables and rows that are asked for."""
    for table in tables:
        if asked.tables and table.name not in asked.tables:
            continue
        rows = tuple(row for row in table.rows if not asked.rows or row.name in asked.rows)
        if rows or (table.searched is not None and not asked.rows):
            yield replace(table, rows=rows)


def with_tables(plan: Plan, found: Sequence[Table]) -> Plan:
    """With the rows of searches that are over."""
    by_name = {table.name: table for table in found}
    return replace(
        plan,
        tables=[by_name.get(table.name, table) for table in plan.tables],
        chosen=[by_name.get(table.name, table) for table in plan.chosen],
    )


def typed(plan: Plan) -> str:
    """The command of this study, but for who carries it out."""
    asked = plan.asked
    words = ["zoo", "study", str(plan.study.path)]
    words += ["--profile", asked.profile] if asked.profile else []
    words += ["--out", str(plan.out)] if plan.out != default_out(plan.study, asked.profile) else []
    words += [word for name in asked.tables for word in ("--table", name)]
    words += [word for name in asked.rows for word in ("--row", name)]
    words += ["--seeds", ",".join(map(str, asked.seeds))] if asked.seeds is not None else []
    words += [word for one in asked.over for word in _flag(one)]
    return shlex.join(words)


def _flag(one: Override) -> list[str]:
    """As it was typed: what is said of a plain flag is its name alone."""
    name, *text = one.origin.split(" ", 1)
    return [name, *(text or [str(one.value)])]


def default_out(study: StudyFile, profile: str) -> Path:
    return RUNS / "-".join(filter(None, ("study", study.name, profile)))
