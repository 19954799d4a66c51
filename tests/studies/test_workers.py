"""Worker processes: the same numbers as one, whatever is killed; and one study at a time."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from inline import Inline, weights_of, without_times, write_study

from zoo.errors import StudyError
from zoo.studies.carrying import Work
from zoo.studies.executing import Ended, Told
from zoo.studies.executing_processes import Processes
from zoo.studies.locking import locked
from zoo.studies.planning import planned
from zoo.studies.studying import study

TABLES = """
[[tables]]
name = "rates"
kind = "one_at_a_time"
reference = "optimizer.lr=0.001"
[tables.vary]
"optimizer.lr" = [0.001, 0.01]
[tables.set]
training.epochs = 2
"""
COMMAND = "from zoo_cli.main import main; import sys; sys.exit(main())"
LONGEST = 300.0  # seconds that a busy machine may take for a worker to begin


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(the study, its results and weights when nothing comes between)."""
    folder = tmp_path_factory.mktemp("whole")
    path = write_study(folder, TABLES)
    made = study(path, out=folder / "out", begin=lambda *_: Inline())
    return path, without_times(made.data), weights_of(folder / "out")


def begun(path: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "study", str(path), "--out", str(out), *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def children(process: int) -> list[int]:
    """Of a process, by /proc."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(status.read_text().rpartition(")")[2].split()[1]) == process:
                found.append(int(status.parent.name))
        except OSError:
            continue
    return found


def same(out: Path, whole) -> None:
    _, results, weights = whole
    assert weights_of(out) == weights
    assert without_times(json.loads((out / "results.json").read_text())) == results


def test_two_workers_give_what_one_process_gives(whole, tmp_path):
    study(whole[0], out=tmp_path / "out", workers=2)
    same(tmp_path / "out", whole)
    assert len(list((tmp_path / "out" / "workers").glob("worker-*.log"))) == 2


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_killed_worker_is_replaced_and_its_run_gone_on_with(whole, tmp_path):
    plan = planned(whole[0], out=tmp_path / "out")
    job = next(iter(plan.jobs().values()))
    executor = Processes(1, tmp_path / "logs")
    executor.submit(Work(job.key, str(tmp_path / job.key), job.recipe, ("test",)))
    said, killed = [], 0
    until = time.monotonic() + LONGEST
    try:
        while not any(isinstance(one, Ended) for one in said) and time.monotonic() < until:
            new = executor.messages(0.1)
            said += new
            epochs = [one for one in new if isinstance(one, Told)
                      and one.event["event"] == "epoch_ended"]  # fmt: skip
            if epochs and not killed:
                (worker,) = executor.workers
                worker.process.kill()
                killed += 1
    finally:
        executor.close()
    assert said[-1].outcome.status == "done" and killed == 1
    assert any(isinstance(one, Told) and one.event["event"] == "resumed" for one in said)
    assert (tmp_path / job.key / "best.safetensors").read_bytes() == whole[2][job.key]


def test_killed_at_two_moments_it_ends_with_the_same_table(whole, tmp_path):
    killed_and_gone_on(whole, tmp_path, random.Random(0), 2)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_killed_at_twenty_moments_it_ends_with_the_same_table(whole, tmp_path, number):
    killed_and_gone_on(whole, tmp_path, random.Random(100 + number), 1)


def killed_and_gone_on(whole, tmp_path: Path, drawn: random.Random, times: int) -> None:
    """A moment is a number of events, for seconds mean nothing on a busy machine."""
    out = tmp_path / "out"
    for _ in range(times):
        process = begun(whole[0], out)
        moment = _events(out) + drawn.randrange(1, 10)
        while process.poll() is None and _events(out) < moment:
            time.sleep(0.01)
        which = drawn.choice(["study", "worker", "both"])
        for worker in children(process.pid) if which != "study" else ():
            _kill(worker)
        if which != "worker":
            process.kill()
        text, _ = process.communicate()
        assert which != "worker" or process.returncode == 0, text
    done = begun(whole[0], out)
    text, _ = done.communicate()
    assert done.returncode == 0, text
    same(out, whole)


def _events(out: Path) -> int:
    return sum(len(path.read_bytes().splitlines()) for path in out.glob("runs/*/events.jsonl"))


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.slow
def test_a_signal_saves_and_ends(whole, tmp_path, number, code):
    out = tmp_path / "out"
    process = begun(whole[0], out)
    while process.poll() is None and _events(out) < 12:
        time.sleep(0.01)
    process.send_signal(number)
    text, _ = process.communicate()
    assert process.returncode == code, text
    assert "to go on type the same again: zoo study" in text.splitlines()[-1]
    assert json.loads((out / "results.json").read_text())["complete"] is False
    study(whole[0], out=out, begin=lambda *_: Inline())
    same(out, whole)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_a_second_study_in_the_folder_is_refused(whole, tmp_path):
    out = tmp_path / "out"
    with locked(out), pytest.raises(StudyError) as caught:
        study(whole[0], out=out, begin=lambda *_: Inline())
    assert str(caught.value) == (
        f"{str(out)!r} is in use by another zoo study; wait until that ends, or name another with "
        f"--out"
    )
    assert not (out / "runs").exists()
    with locked(out):  # and is free again
        pass
