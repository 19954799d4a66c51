"""Carry out a study: whatever of it is not there yet, then its tables and figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import PausedError, StudyError, clipped
from zoo.recipes.flags import Override
from zoo.studies import outputs, signals, words
from zoo.studies.carrying import (
    DIVERGED,
    DONE,
    FAILED,
    PAUSED,
    PRUNED,
    WAITING,
    Outcome,
    Work,
    has_weights,
    missing_splits,
    standing,
)
from zoo.studies.datasets import missing_datasets
from zoo.studies.ensembling import Ensembles
from zoo.studies.executing import Ended, Executor, Told
from zoo.studies.expanding import Job
from zoo.studies.locking import locked
from zoo.studies.planning import Plan, planned, typed, with_tables
from zoo.studies.queue import Queue
from zoo.studies.results import (
    RESULTS,
    Folders,
    kept_outcomes,
    read_results,
    results_data,
    run_folder,
    write_results,
)
from zoo.studies.searches import Searches
from zoo.studies.watching import Silent, Watcher

LOGS = "workers"
_WAIT = 0.2  # seconds between looks for a signal
_PAUSE = 2.0  # seconds between two results of a study that is under way


@dataclass(frozen=True)
class Place:
    """For whoever begins an executor: the folder of results, the descriptor of the lock that
    workers have to hold, and the most threads that a run has."""

    out: Path
    lock: int | None
    threads: int


Begin = Callable[[Place], Executor]


@dataclass(frozen=True)
class Studied:
    """``files``: what was written; ``data``: as ``results.json`` holds it."""

    out: Path
    data: Mapping[str, Any]
    files: Sequence[Path]


def study(
    path: str | Path,
    *,
    profile: str = "",
    out: str | Path | None = None,
    workers: int = 1,
    tables: Sequence[str] = (),
    rows: Sequence[str] = (),
    seeds: Sequence[int] | None = None,
    overrides: Mapping[str, Any] | Sequence[Override] = (),
    train: bool = True,
    watcher: Watcher | None = None,
    begin: Begin | None = None,
) -> Studied:
    """Carry out the study in the file ``path``, keep everything in ``out`` (default:
    ``runs/study-NAME[-PROFILE]``), and write its tables and figures. ``workers``: processes that
    train at once. ``tables`` and ``rows``: train those alone; ``seeds``: instead of the study's;
    ``overrides``: over all settings; ``train``: False for the tables of what is there. ``begin``
    makes another executor than worker processes. Raises :class:`StudyError` with every problem of
    the file before anything runs; interrupted, it saves and raises :class:`PausedError`."""
    plan = planned(path, profile, out, tables, rows, seeds, overrides)
    # Nodes of a cluster may have folders that this machine does not.
    missing = missing_datasets(plan) if train and begin is None else []
    if missing:
        raise StudyError(missing)
    with locked(plan.out) as lock:
        under_way = UnderWay(plan, watcher or Silent())
        if train:
            make = begin or _processes(workers)
            under_way.carry_out(lambda: make(Place(plan.out, lock, plan.threads())), workers)
        return under_way.written()


class UnderWay:
    """A study between its first run and its tables."""

    def __init__(self, plan: Plan, watcher: Watcher) -> None:
        before = self._before(plan)
        self.watcher = watcher
        self.searches = Searches(plan.tables, [table.name for table in plan.chosen], plan.out)
        self.plan = plan = with_tables(plan, self.searches.tables())
        self.ensembles = Ensembles(plan.out)
        self.folders = Folders(plan.out)
        self._written = 0.0
        self.splits = plan.splits()
        self.names = plan.names()
        keys = {job.key for table in plan.tables for row in table.rows for job in row.jobs}
        self.outcomes = {key: self._standing(key, before) for key in keys}

    def _before(self, plan: Plan) -> dict[str, Outcome]:
        """What an earlier call left. Raises :class:`StudyError` when it was another study."""
        if not (plan.out / RESULTS).is_file():
            return {}
        data = read_results(plan.out)
        known = (data.get("name"), data.get("profile"))
        if known != (plan.study.name, plan.asked.profile):
            first, second = (clipped(repr(one)) for one in known)
            named = first + (f" with profile {second}" if known[1] else "")
            raise StudyError([words.elsewhere(plan.out, named)])
        return dict(kept_outcomes(data))

    def _standing(self, key: str, before: Mapping[str, Outcome]) -> Outcome:
        path = run_folder(self.plan.out, key)
        said = standing(path)
        held = before.get(key, Outcome(WAITING))
        if said.status == WAITING and held.status == FAILED:
            return held
        if said.status == DONE and missing_splits(path, self.splits.get(key, ())):
            return held if held.status == FAILED else Outcome(PAUSED)
        if said.status == PAUSED and held.status == FAILED:
            return held
        return said

    def _is_there(self, key: str) -> bool:
        """Whether nothing of the run is left to be done. What failed is tried again."""
        path, status = run_folder(self.plan.out, key), self.outcomes[key].status
        if status == DIVERGED:
            return not has_weights(path) or not missing_splits(path, self.splits[key])
        return status == DONE

    def carry_out(self, begin: Callable[[], Executor], workers: int) -> None:
        jobs = self.plan.jobs()
        waiting = {key: job for key, job in jobs.items() if not self._is_there(key)}
        total = len(jobs) + self.searches.trials
        done = len(jobs) - len(waiting) + self.searches.done
        self.watcher.begin(total, done, workers)
        write_results(self.plan.out, self._data())
        if waiting or self.searches.open:
            executor = begin()
            try:
                with signals.heard() as asked:
                    self._run(executor, waiting, workers, asked)
            finally:
                executor.close()
            write_results(self.plan.out, self._data())
            if asked.signal:
                self._end_paused(asked.signal)
        self.ensembles.make(self.plan.tables, self.outcomes, self.plan.study, self.watcher)

    def _run(
        self, executor: Executor, waiting: Mapping[str, Job], workers: int, asked: signals.Asked
    ) -> None:
        queue = Queue(executor)
        queue.submit(self._works(waiting.values()))
        paused = False
        while queue.open or (self.searches.open and not paused):
            if not paused:
                queue.submit_trials(self.searches.begin(workers))
            for message in executor.messages(_WAIT):
                queue.heard(message)
                if isinstance(message, Told):
                    self._told(message, queue)
                elif not paused:
                    queue.submit([*queue.waited_for(message.key), *self._ended(message)])
                elif message.key in queue.begun:
                    self._note_end(message)
            if asked.signal and not paused:
                paused = True
                executor.pause()

    def _told(self, message: Told, queue: Queue) -> None:
        name = self.names.get(message.key) or self.searches.name(message.key)
        self.watcher.heard(message.key, name, message.event)
        answer = self.searches.heard(message)
        if answer is not None:
            queue.go_on(message.key, answer)

    def _works(self, jobs: Iterable[Job]) -> list[Work]:
        return [
            Work(
                job.key,
                str(run_folder(self.plan.out, job.key)),
                job.recipe,
                self.splits.get(job.key, ()),
            )
            for job in jobs
        ]

    def _ended(self, message: Ended) -> list[Work]:
        """Note it, and what is to be done next because of it."""
        self._note_end(message)
        found = self.searches.ended(message)
        if not found:
            return []
        self.plan = with_tables(self.plan, found)
        self.splits, self.names = self.plan.splits(), self.plan.names()
        jobs = {job.key: job for table in found for row in table.rows for job in row.jobs}
        for key in jobs:
            self.outcomes.setdefault(key, self._standing(key, {}))
        waiting = [job for key, job in jobs.items() if not self._is_there(key)]
        self.watcher.more(len(jobs), len(jobs) - len(waiting))
        return self._works(waiting)

    def _note_end(self, message: Ended) -> None:
        key, outcome = message.key, message.outcome
        name = self.names.get(key) or self.searches.name(key)
        if key in self.outcomes:  # else it is a trial, of which only the best become rows
            # A trial that is a row elsewhere may have been given up, or not measured there.
            may_lack = outcome.status in (DONE, PRUNED)
            self.outcomes[key] = self._standing(key, {}) if may_lack else outcome
        if time.monotonic() - self._written > _PAUSE:
            write_results(self.plan.out, self._data())
            self._written = time.monotonic()
        self.watcher.ended(key, name, outcome, detail(self.plan.out, key))

    def _data(self, *, statistics: bool = False) -> dict[str, Any]:
        plan = self.plan
        data = results_data(
            plan.study, plan.asked.profile, plan.tables, self.outcomes, self.folders
        )
        for table in data["tables"]:
            trials = self.searches.trials_of(table["name"])
            if trials is not None:
                table["trials"] = trials
        self.ensembles.add(data, plan.tables, plan.study)
        if statistics:
            outputs.add_statistics(data, plan.tables, plan.study, plan.out)
        return data

    def written(self) -> Studied:
        data = self._data(statistics=True)
        files = [write_results(self.plan.out, data)]
        files += outputs.write_outputs(data, self.plan.out)
        return Studied(self.plan.out, data, files)

    def _end_paused(self, number: int) -> None:
        done = sum(one.status == DONE for one in self.outcomes.values())
        raise PausedError(
            f"saved with {done} of {len(self.outcomes)} runs done; to go on type the same again: "
            f"{typed(self.plan)}",
            number,
        )


def detail(out: Path, key: str) -> str:
    """Of a run that is done, in a few words."""
    from zoo.studies.collecting import collected

    said = collected(run_folder(out, key), ())
    parts = [f"{said['epochs']} epochs" if said["epochs"] != 1 else "1 epoch"]
    if said["seconds"] is not None:
        parts.append(f"{said['seconds']:.1f} s")
    return ", ".join(parts)


def _processes(workers: int) -> Begin:
    from zoo.studies.executing_processes import Processes, visible_gpus

    def begin(place: Place) -> Executor:
        gpus = visible_gpus() if workers > 1 else []
        return Processes(workers, place.out / LOGS, place.lock, gpus)

    return begin
