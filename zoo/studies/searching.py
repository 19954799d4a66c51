"""A table that is a search: which settings a trial gets, when it is given up, which are best.

Optuna draws (TPE: Bergstra et al., NeurIPS 2011) and prunes; its journal keeps the trials. Nothing
of it depends on when the study was killed: a trial that was under way is drawn again as it was and
its run gone on with, and each draw is seeded by the number of trials before it. With several
workers, the order in which trials end decides what later ones know.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zoo.errors import RecipeError, StudyError, reason
from zoo.plugins.catalog import catalog
from zoo.recipes.schema import Recipe
from zoo.recipes.writing import recipe_data
from zoo.runs.extras import needed
from zoo.storage import commit
from zoo.studies.carrying import DONE, FAILED, PAUSED, PRUNED, Outcome, Work
from zoo.studies.collecting import Wanted, collected, events_of
from zoo.studies.expanding import Job, Row, Table, jobs_of
from zoo.studies.metric_names import number
from zoo.studies.results import run_folder
from zoo.studies.schema import Span
from zoo.studies.search_space import recipe_at

FOLDER = "search"
# What zoo notes with a trial; ``again``: the number of the one that it tries once more.
_GONE, _FAILED, _RETRIED, _AGAIN, _KEY = "gone", "failed", "retried", "again", "key"
_STARTUP = 10  # trials drawn at random before TPE has enough to go by


@dataclass
class _Running:
    trials: list[Any]
    epochs: int
    reported: set[int] = field(default_factory=set)


class Search:
    def __init__(self, table: Table, out: Path) -> None:
        assert table.part.search is not None and table.searched is not None
        self.table, self.out = table, out
        self.part, self.base = table.part.search, table.searched
        self.head = self.part.head
        self.running: dict[str, _Running] = {}
        self.metric, self.minimize = self._aim()
        self._optuna = needed("optuna", "search", "a search")
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self._distributions = {key: self._distribution(one) for key, one in self.part.space.items()}
        self._study = self._opened()
        self._again: list[tuple[dict[str, Any], int | None]] | None = None  # until it begins
        failed = [trial.number for trial in self._told() if trial.user_attrs.get(_RETRIED)]
        self._failed_before = set(failed)

    @property
    def over(self) -> bool:
        return not self.running and self.counted() >= self.head.trials

    @property
    def has_rows(self) -> bool:
        """Also where trials that failed are to be tried again."""
        return not self.running and len(self._told()) >= self.head.trials

    def counted(self) -> int:
        return sum(trial.number not in self._failed_before for trial in self._told())

    def begin(self, workers: int) -> list[Work]:
        """The trials that may begin now, as many as there are workers."""
        if self._again is None:
            self._again = [*self._mark_gone(), *self._failed()]
        found: list[Work] = []
        while len(self.running) < workers and self._under_way() < self.head.trials:
            trial = self._asked()
            job = self._job(trial.params)
            trial.set_user_attr(_KEY, job.key)
            if job.key in self.running:  # drawn twice: one run tells both
                self.running[job.key].trials.append(trial)
                continue
            epochs = int(job.recipe["training"]["epochs"])
            self.running[job.key] = _Running([trial], epochs)
            if self._replayed(job.key):
                asks = self.head.pruner != "none"
                folder = str(run_folder(self.out, job.key))
                found.append(Work(job.key, folder, job.recipe, (), asks))
        return found

    def name(self, key: str) -> str:
        return f"{self.table.name}, trial {self.running[key].trials[0].number}"

    def go_on(self, key: str, event: Mapping[str, Any]) -> bool:
        """Report an epoch; whether the run is worth another."""
        one = self.running[key]
        epoch, value = number(event.get("epoch")), self._value(event)
        if epoch is None or epoch in one.reported or value is None:
            return True
        epoch = int(epoch)
        one.reported.add(epoch)
        for trial in one.trials:
            trial.report(value, epoch)
        last = epoch >= one.epochs
        return last or self.head.pruner == "none" or not one.trials[0].should_prune()

    def ended(self, key: str, outcome: Outcome) -> None:
        one = self.running.pop(key)
        if outcome.status == PAUSED:  # it is drawn again when the study goes on
            return
        for trial in one.trials:
            self._tell(trial, key, outcome)

    def table_of_best(self) -> Table:
        """The search's table with its rows, the best first."""
        rows = []
        for place, trial in enumerate(self._best(), 1):
            recipe = self._recipe(trial.params)
            jobs = tuple(jobs_of(recipe, self.table.seeds, self.table.folds))
            name = f"best {place}"
            printed = self.table.part.published.get(name, {})
            data = recipe_data(recipe)
            rows.append(Row(name, None, None, printed, printed, None, trial.params, data, jobs))
        return replace(self.table, rows=tuple(rows))

    def listed(self) -> list[dict[str, Any]]:
        """Every trial that ended, as results hold it."""
        return [
            {
                "number": place,
                "status": trial.state.name.lower(),
                "value": trial.value,
                "epochs": max(trial.intermediate_values, default=0),
                "settings": dict(trial.params),
                "key": trial.user_attrs.get(_KEY),
                "reason": trial.user_attrs.get(_FAILED),
            }
            for place, trial in enumerate(self._told())
        ]

    def _aim(self) -> tuple[str, bool]:
        """(figure of val, whether less is better). Raises :class:`StudyError` without one."""
        monitor = str(self.base.recipe["stopping"]["monitor"])
        metric = self.head.metric or monitor
        if not metric.startswith("val/"):
            name = self.table.name
            raise StudyError([f"table {name!r}: the recipe monitors {metric!r}; a search goes by "
                              f"val: give its metric, as 'val/accuracy'"])  # fmt: skip
        if self.head.mode == "auto":
            return metric, metric == "val/loss"
        return metric, self.head.mode == "min"

    def _opened(self) -> Any:
        """The journal's study of just this search: another space or recipe is another one."""
        about = {
            "recipe": self.base.key,
            "space": {key: _plain(one) for key, one in self.part.space.items()},
            "search": self.head.model_dump(mode="json", exclude={"trials", "top"}),
        }
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
        path = _journal(self.table, self.out)
        commit.make_folder(path.parent)
        optuna = self._optuna
        try:
            backend = optuna.storages.journal.JournalFileBackend(str(path))
            return optuna.create_study(
                storage=optuna.storages.JournalStorage(backend),
                study_name=digest,
                direction="minimize" if self.minimize else "maximize",
                pruner=self._pruner(),
                load_if_exists=True,
            )
        except Exception as error:  # of many kinds, where the file is damaged
            raise StudyError([f"journal of a search {str(path)!r} cannot be read: {reason(error)}; "
                              f"to search anew remove it"]) from error  # fmt: skip

    def _pruner(self) -> Any:
        pruners = self._optuna.pruners
        if self.head.pruner == "none":
            return pruners.NopPruner()
        return pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=self.head.warmup)

    def _mark_gone(self) -> list[tuple[dict[str, Any], int | None]]:
        """The journal knows nothing of a killed process, whose trials would run for ever. Returns
        what was drawn for them, which is drawn again, and what that was again."""
        found = []
        state = self._optuna.trial.TrialState
        for trial in self._study.get_trials(deepcopy=False, states=(state.RUNNING,)):
            one = self._optuna.trial.Trial(self._study, trial._trial_id)
            one.set_user_attr(_GONE, True)
            self._study.tell(one, state=state.FAIL)
            if trial.params.keys() == self._distributions.keys():
                found.append((dict(trial.params), trial.user_attrs.get(_AGAIN)))
        return found

    def _failed(self) -> list[tuple[dict[str, Any], int | None]]:
        """Trials that failed are tried again, as every run of a study is."""
        failed = [trial for trial in self._told() if trial.number in self._failed_before]
        return [(dict(trial.params), trial.number) for trial in failed]

    def _told(self) -> list[Any]:
        """The trials that count: ended, not by a kill of the study, and not tried again since."""
        every = self._study.get_trials(deepcopy=False)
        again = {trial.user_attrs.get(_AGAIN) for trial in every}
        return [
            trial
            for trial in every
            if trial.state.is_finished()
            and not trial.user_attrs.get(_GONE)
            and trial.number not in again
        ]

    def _under_way(self) -> int:
        return self.counted() + sum(len(one.trials) for one in self.running.values())

    def _asked(self) -> Any:
        samplers = self._optuna.samplers
        drawn, again = self._again.pop(0) if self._again else (None, None)
        if drawn is not None:
            self._study.enqueue_trial(drawn)
        seed = (self.head.seed * 1_000_003 + self._under_way()) % 2**32
        if self.head.sampler == "random":
            self._study.sampler = samplers.RandomSampler(seed=seed)
        else:
            self._study.sampler = samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP)
        trial = self._study.ask(self._distributions)
        if again is not None:
            trial.set_user_attr(_AGAIN, again)
        return trial

    def _distribution(self, one: Span | tuple[Any, ...]) -> Any:
        made = self._optuna.distributions
        if isinstance(one, tuple):
            return made.CategoricalDistribution(one)
        if one.whole:
            step = 1 if one.step is None else int(one.step)
            return made.IntDistribution(one.low, one.high, log=one.log, step=step)
        return made.FloatDistribution(float(one.low), float(one.high), log=one.log, step=one.step)

    def _recipe(self, params: Mapping[str, Any]) -> Recipe:
        try:
            return recipe_at(self.base.recipe, self.part, params, catalog())
        except RecipeError as error:
            raise StudyError(error.problems) from error

    def _job(self, params: Mapping[str, Any]) -> Job:
        return next(jobs_of(self._recipe(params), self.table.seeds[:1], 0))

    def _replayed(self, key: str) -> bool:
        """Report the epochs that its run has already; False, with the trial told, where it was or
        is to be given up after one of them."""
        for event in events_of(run_folder(self.out, key)):
            if event.get("event") == "epoch_ended" and not self.go_on(key, event):
                self.ended(key, Outcome(PRUNED))
                return False
        return True

    def _tell(self, trial: Any, key: str, outcome: Outcome) -> None:
        state = self._optuna.trial.TrialState
        if outcome.status == PRUNED:
            self._study.tell(trial, state=state.PRUNED)
            return
        wanted = Wanted(self.metric, "")
        figures = collected(run_folder(self.out, key), [wanted])["figures"]
        if outcome.status == DONE and wanted.key in figures:
            self._study.tell(trial, figures[wanted.key])
        else:
            trial.set_user_attr(_FAILED, outcome.reason or f"it has no {self.metric}")
            if outcome.status == FAILED:
                trial.set_user_attr(_RETRIED, True)
            self._study.tell(trial, state=state.FAIL)

    def _value(self, event: Mapping[str, Any]) -> float | None:
        figures = event.get("val")
        part = self.metric.partition("/")[2]
        return number(figures.get(part)) if isinstance(figures, Mapping) else None

    def _best(self) -> list[Any]:
        """Complete trials, the best first; of the same settings one."""
        complete_ones = [one for one in self._told() if one.state.name == "COMPLETE"]
        sign = 1 if self.minimize else -1
        ordered = sorted(complete_ones, key=lambda one: (sign * one.value, one.number))
        found = {one.user_attrs.get(_KEY): one for one in reversed(ordered)}
        return [one for one in ordered if found[one.user_attrs.get(_KEY)] is one][: self.head.top]


def begun(table: Table, out: Path) -> bool:
    """Whether there is something of the table's search."""
    return _journal(table, out).is_file()


def _journal(table: Table, out: Path) -> Path:
    return out / FOLDER / f"{table.name}.journal"


def _plain(one: Span | tuple[Any, ...]) -> Any:
    return list(one) if isinstance(one, tuple) else one.model_dump(mode="json")
