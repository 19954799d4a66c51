"""Rows that are ensembles of other rows' runs: combined from what these predicted, not trained."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.predictions.measuring import evaluate_file
from zoo.runs.folder import RunFolder
from zoo.storage import commit
from zoo.studies import metric_names
from zoo.studies.carrying import DONE, FAILED, WAITING, Outcome
from zoo.studies.collecting import NOTHING, measured_on
from zoo.studies.expanding import Row, Table
from zoo.studies.parts import StudyFile
from zoo.studies.results import run_folder, splits_of, wanted_of
from zoo.studies.submitting import Submissions
from zoo.studies.watching import Watcher

FOLDER = "ensembles"
_FEWEST = 2  # members


class Ensembles:
    def __init__(self, out: Path) -> None:
        self.out = out
        self.submissions = Submissions(out)
        self._outcomes: dict[str, Outcome] = {}

    def make(
        self,
        tables: Sequence[Table],
        outcomes: Mapping[str, Outcome],
        study: StudyFile,
        watcher: Watcher,
    ) -> None:
        """Those whose members are all there, and that are not made yet."""
        for table in tables:
            for row in table.rows:
                if row.ensemble is None or not self._ready(row, outcomes):
                    continue
                for split in splits_of(study, table):
                    self._make(row, split)
                outcome = self._outcome(row, splits_of(study, table))
                why = (
                    outcome.reason if outcome.status == FAILED else self._submit(row, study, table)
                )
                if why:
                    watcher.note(f"{table.name}/{row.name}: {why}")

    def add(self, data: dict[str, Any], tables: Sequence[Table], study: StudyFile) -> None:
        """Their runs, one each, into results."""
        for table, said in zip(tables, data["tables"], strict=True):
            for row, row_said in zip(table.rows, said["rows"], strict=True):
                if row.ensemble is not None:
                    row_said["runs"] = [self._run_data(row, table, study)]
                if row.predict is not None and row.members:
                    row_said["submission"] = self.submissions.says(row, _key(row))

    def _ready(self, row: Row, outcomes: Mapping[str, Outcome]) -> bool:
        waiting = [
            one for one in row.members if outcomes.get(one.key, Outcome(WAITING)).status != DONE
        ]
        why = ""
        if waiting:
            why = f"{len(waiting)} of its {len(row.members)} members are not done"
        elif len(row.members) < _FEWEST:
            why = f"it has one member alone; expected {_FEWEST} seeds, or rows, or more"
        if why:
            self._outcomes[_key(row)] = Outcome(WAITING, why)
        return not why

    def _make(self, row: Row, split: str) -> None:
        from zoo.runs.ensemble import ensemble

        assert row.ensemble is not None
        path = self.out / FOLDER / _key(row) / split
        if RunFolder(path).metrics_path(split).is_file():
            return
        shutil.rmtree(path, ignore_errors=True)
        members = [run_folder(self.out, one.key) for one in row.members]
        try:
            commit.make_folder(path.parent)
            ensemble(members, method=row.ensemble.rule, split=split, output=path)
            said = RunFolder(path).predictions_path(split)
            RunFolder(path).write_metrics(split, evaluate_file(said).metrics)
        except ZooError as error:
            self._outcomes[_key(row)] = Outcome(FAILED, str(error))

    def _submit(self, row: Row, study: StudyFile, table: Table) -> str | None:
        """Answer the images without labels that the row names. Why not, where it cannot be."""
        if row.predict is None:
            return None
        members = [run_folder(self.out, one.key) for one in row.members]
        return self.submissions.make(row, _key(row), members, splits_of(study, table)[0])

    def _outcome(self, row: Row, splits: Sequence[str]) -> Outcome:
        key = _key(row)
        if key in self._outcomes:
            return self._outcomes[key]
        folder = self.out / FOLDER / key
        there = all(RunFolder(folder / split).metrics_path(split).is_file() for split in splits)
        return Outcome(DONE if there else WAITING)

    def _run_data(self, row: Row, table: Table, study: StudyFile) -> dict[str, Any]:
        splits = splits_of(study, table)
        key, outcome = _key(row), self._outcome(row, splits)
        path = self.out / FOLDER / key
        figures: dict[str, float] = {}
        for one in wanted_of(study, table):
            if not metric_names.of_epoch(one.metric):
                measured = measured_on(RunFolder(path / one.split), one.split)
                value = metric_names.figure(measured, one.metric)
                figures |= {} if value is None else {one.key: value}
        predictions = {
            split: f"{split}/predictions/{split}.npz"
            for split in splits
            if RunFolder(path / split).predictions_path(split).is_file()
        }
        return {
            "seed": None,
            "fold": None,
            "key": key,
            "folder": f"{FOLDER}/{key}" if path.is_dir() else None,
            "status": outcome.status,
            "reason": outcome.reason or None,
            **NOTHING,
            "figures": figures,
            "predictions": predictions,
        }


def _key(row: Row) -> str:
    assert row.ensemble is not None
    about = {"rule": row.ensemble.rule, "members": [one.key for one in row.members]}
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
