"""Killed or refused at any call to the system, a run keeps a checkpoint and its best weights."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from save_faults import DeleteFirst
from test_loop import TASKS, trainee

from zoo.storage import commit
from zoo.training import loop
from zoo.training.checkpoints import Checkpoints

HERE = Path(__file__).parent


def tried(script, *arguments, before=(), limit=600):
    command = [*before, sys.executable, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.timeout(600)
def test_calls_of_every_save(tmp_path):
    results = tried("save_faults.py", tmp_path, "kill/2", "full/3", "delete_first")
    assert results.pop("best") == [1, 3]  # the second epoch is worse
    # The negative control: the old checkpoint goes before the new one is there.
    (problem,) = results.pop("delete_first")["problems"]
    assert problem.endswith(": no checkpoint")
    for result in results.values():
        assert result["problems"] == []
        assert result["states"] > 20


def recorded(monkeypatch):
    """What a power cut could tell apart: names given, removed and synced, and bytes."""
    trace, paths = [], {}
    real = {name: getattr(os, name) for name in ("open", "write", "fsync", "replace", "unlink")}

    def opening(path, *given, **named):
        descriptor = real["open"](path, *given, **named)
        paths[descriptor] = str(path)
        return descriptor

    def noted(kind, place):
        def call(first, *given, **named):
            trace.append((kind, place(first, *given)))
            return real[kind](first, *given, **named)

        return call

    monkeypatch.setattr(os, "open", opening)
    for kind in ("write", "fsync"):
        monkeypatch.setattr(os, kind, noted(kind, lambda one, *_: paths[one]))
    monkeypatch.setattr(os, "replace", noted("replace", lambda one, to: (str(one), str(to))))
    monkeypatch.setattr(os, "unlink", noted("unlink", lambda one, *_: str(one)))
    return trace


def at_risk(trace):
    """What is named, removed or ended upon before it would outlast a power cut."""
    unsynced, entries, found = set(), {}, []
    for kind, what in trace:
        if kind == "write":
            unsynced.add(what)
        elif kind == "fsync":
            unsynced.discard(what)
            entries = {one: folder for one, folder in entries.items() if folder != what}
        elif kind == "replace":
            if what[0] in unsynced:
                found.append(f"{what[1]} is named before its bytes are synced")
            entries[what[1]] = str(Path(what[1]).parent)
        elif what.endswith(".safetensors") and entries:
            found.append(f"{what} is removed before {sorted(entries)} are synced")
    return found + [f"{one} is not synced at the end" for one in entries]


def train(folder, kind=Checkpoints):
    list(loop.train(trainee(TASKS["multiclass"], folder, epochs=3, checkpoints=kind(folder))))


def test_a_power_cut_leaves_the_old_checkpoint_or_the_new_one(tmp_path, monkeypatch):
    trace = recorded(monkeypatch)
    train(tmp_path)
    assert at_risk(trace) == []
    assert sum(kind == "replace" for kind, _ in trace) >= 5
    assert sum(kind == "unlink" for kind, _ in trace) == 3


@pytest.mark.parametrize("without", ["fsync", "sync_folder"])
def test_the_order_is_seen_to_be_wrong(without, tmp_path, monkeypatch):
    trace = recorded(monkeypatch)
    if without == "fsync":
        monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    else:
        monkeypatch.setattr(commit, "sync_folder", lambda folder: None)
    train(tmp_path)
    assert at_risk(trace)


def test_several_are_kept_where_they_are_asked_for(tmp_path):
    run = trainee(TASKS["multiclass"], tmp_path, epochs=3, checkpoints=Checkpoints(tmp_path, 2, 3))
    list(loop.train(run))
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == [f"step-{step:09}.safetensors" for step in (14, 16, 18)]
    assert not issubclass(Checkpoints, DeleteFirst)


@pytest.mark.timeout(600)
def test_whole_runs(tmp_path):
    results = tried("run_faults.py", tmp_path, "calls=15", "full=15", "signals=8")
    assert {mode: one["problems"] for mode, one in results.items() if one["problems"]} == {}
    assert 143 in results["signals"]["ends"]
    for mode in ("calls", "full"):
        assert results[mode]["kept"] > 5 and 0 in results[mode]["ends"]


def own_mounts():
    unshare = shutil.which("unshare")
    command = [unshare, "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return (
        bool(unshare) and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.timeout(600)
def test_a_disk_that_is_really_full(tmp_path):
    if not own_mounts():
        pytest.skip("this system lets no user mount a small disk of its own (unshare -rm)")
    result = tried("run_faults.py", tmp_path, "tmpfs=12", before=["unshare", "-rm"])["tmpfs"]
    assert result["problems"] == []
    assert result["ends"] == [0, 1]


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_place(tmp_path):
    results = tried("run_faults.py", tmp_path, "signals=300", "calls=1", "full=1", limit=7200)
    saves = tried("save_faults.py", tmp_path / "saves", "kill", "full", "once", limit=7200)
    results |= {f"save, {mode}": saves[mode] for mode in ("kill", "full", "once")}
    assert {mode: one["problems"] for mode, one in results.items() if one["problems"]} == {}
    assert min(results[mode]["tried"] for mode in ("signals", "calls", "full")) > 100
