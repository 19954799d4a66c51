"""What a study would do, and how long that may take: measured by the runs that it has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zoo.studies.carrying import DIVERGED, DONE, standing
from zoo.studies.collecting import collected
from zoo.studies.expanding import Job
from zoo.studies.planning import Plan
from zoo.studies.results import run_folder

MEASURED, LIKE_OTHERS = "of the same recipe", "of the study's other runs"


@dataclass(frozen=True)
class Estimate:
    """A run to be had. ``status``: as its folder has it; ``seconds`` of training, None where
    nothing was measured; ``source``: what that is the mean of."""

    name: str
    job: Job
    status: str
    seconds: float | None
    source: str = ""


def estimated(plan: Plan) -> list[Estimate]:
    """Every run of the tables and rows that are asked for, each once, in the order of their
    beginning. What no run of the recipe tells is told by those of others, by the epochs that each
    may have."""
    names, jobs = plan.names(), plan.jobs()
    rows = [row for table in plan.tables for row in table.rows]
    known = {job.key: job for row in rows for job in row.jobs} | jobs
    states = {key: standing(run_folder(plan.out, key)).status for key in known}
    took = {
        key: seconds
        for key, status in states.items()
        if status in (DONE, DIVERGED)
        and (seconds := collected(run_folder(plan.out, key), ())["seconds"]) is not None
    }
    alike: dict[str, list[float]] = {}
    for key, seconds in took.items():
        alike.setdefault(_but_for_chance(known[key].recipe), []).append(seconds)
    epoch = _mean(seconds / _epochs(known[key]) for key, seconds in took.items())
    found = []
    for key, job in jobs.items():
        own = _mean(alike.get(_but_for_chance(job.recipe), ()))
        others = None if epoch is None else epoch * _epochs(job)
        source = MEASURED if own is not None else LIKE_OTHERS if others is not None else ""
        seconds_of = own if own is not None else others
        found.append(Estimate(names.get(key, key), job, states[key], seconds_of, source))
    return found


def _epochs(job: Job) -> int:
    return int(job.recipe["training"]["epochs"])


def left(runs: Iterable[Estimate], workers: int) -> float | None:
    """Seconds that the runs which are not there yet take; None where one of them is unknown."""
    waiting = [one.seconds for one in runs if one.status not in (DONE, DIVERGED)]
    known = [one for one in waiting if one is not None]
    return None if len(known) < len(waiting) else sum(known) / workers


def _but_for_chance(recipe: Mapping[str, Any]) -> str:
    """A recipe without seed and fold."""
    training = {key: value for key, value in recipe["training"].items() if key != "seed"}
    split = {key: value for key, value in recipe["split"].items() if key != "fold"}
    return json.dumps({**recipe, "training": training, "split": split}, sort_keys=True)


def _mean(values: Iterable[float]) -> float | None:
    several = list(values)
    return sum(several) / len(several) if several else None
