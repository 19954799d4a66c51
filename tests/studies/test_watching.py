"""What people are told of a study's runs, a line each."""

from __future__ import annotations

import io

from rich.console import Console

from zoo.studies.carrying import Outcome
from zoo.studies.executing import BEGUN
from zoo.studies.watching import TerminalWatcher


def test_each_run_that_ended_has_a_line_and_a_saved_one_is_not_counted():
    stream = io.StringIO()
    with TerminalWatcher(Console(file=stream, force_terminal=False)) as watcher:
        watcher.begin(5, 1, 1)
        watcher.heard("a", "t/a", {"event": BEGUN})
        watcher.ended("a", "t/a", Outcome("done"), "3 epochs")
        watcher.ended("b", "t/b", Outcome("failed", "no disk"), "")
        watcher.heard("c", "t/c", {"event": BEGUN})
        watcher.heard("c", "t/c", {"event": "steps_done", "epoch": 2, "loss": 0.5})
        watcher.ended("c", "t/c", Outcome("paused"), "")
        watcher.ended("d", "t/d", Outcome("paused"), "")  # never begun
    assert stream.getvalue().splitlines() == [
        "1 of 5 runs are there already",
        "[2/5] t/a: 3 epochs",
        "[3/5] t/b: failed: no disk",
        "t/c: saved in epoch 2",
    ]


def test_nothing_is_said_of_how_many_runs_before_that_is_known():
    stream = io.StringIO()
    console = Console(file=stream, width=80)
    watcher = TerminalWatcher(console)
    console.print(watcher._shown())
    watcher.begin(5, 1, 1)
    console.print(watcher._shown())
    said = stream.getvalue()
    assert "0 of 0" not in said and "1 of 5 runs\n" in said
