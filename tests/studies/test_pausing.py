"""A study that is told to end: what is said, and what it types to go on."""

from __future__ import annotations

import json
import os
import signal

import pytest
from inline import Inline, write_study

from zoo.errors import PausedError
from zoo.studies.carrying import Outcome
from zoo.studies.executing import Ended
from zoo.studies.studying import study
from zoo.studies.watching import Silent


class Stops(Inline):
    """The study is told to end when the first run has ended."""

    def messages(self, timeout):
        said = super().messages(timeout)
        if self._waiting and any(isinstance(one, Ended) for one in said):
            os.kill(os.getpid(), signal.SIGTERM)
        return said

    def pause(self):
        for work in self._waiting:
            self._said.put(Ended(work.key, Outcome("paused")))
        super().pause()


class Hears(Silent):
    def __init__(self):
        self.told = []

    def ended(self, key, name, outcome, detail):
        self.told.append((name, outcome.status))


def test_of_runs_that_never_began_nothing_is_said(tmp_path):
    table = '[[tables]]\nname = "t"\nkind = "list"\n[[tables.rows]]\nname = "a"\n'
    path = write_study(tmp_path, table)
    hears = Hears()
    with pytest.raises(PausedError) as caught:
        study(path, out=tmp_path / "out", seeds=[0, 1, 2], watcher=hears,
              begin=lambda *_: Stops(), overrides={"training.batch_size": 64})  # fmt: skip
    assert hears.told == [("t/a, seed 0", "done")]
    data = json.loads((tmp_path / "out" / "results.json").read_text())
    runs = data["tables"][0]["rows"][0]["runs"]
    assert [run["status"] for run in runs] == ["done", "waiting", "waiting"]
    assert str(caught.value) == (
        f"saved with 1 of 3 runs done; to go on type the same again: zoo study {path} --out "
        f"{tmp_path / 'out'} --seeds 0,1,2 --set training.batch_size=64"
    )
