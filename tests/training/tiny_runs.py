"""Tiny runs of 12 steps: trained, killed and resumed in forked processes, and compared.

The kills are SIGKILL; the parent only waits, and has everything imported. Files need not be synced
for that: what a killed process wrote is there.
"""

from __future__ import annotations

import functools
import gc
import itertools
import json
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))

import torch
from mask_files import write_masks
from tiny_recipes import cell_of, install, recipe

import zoo
from zoo.runs import environment
from zoo.storage import tensors
from zoo.training import checkpoints, loop


def forked(work):
    """Do it in a process of its own; its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(kind, number):
    """In this process: ``update`` N: after it and before its checkpoint; ``measure`` N: before the
    N-th validation; ``best`` N: after the N-th best weights; ``saving`` and ``saved`` N: before and
    after the N-th checkpoint; ``told`` N: after the event of epoch N, before its checkpoint."""
    keeper, seen = checkpoints.Checkpoints, itertools.count(1)

    def one_more(*_, **__):
        return next(seen)

    def step_of(run, batch):
        return run.position.step

    def epoch_of(keeper, step, states, *, epoch_ended=False):
        return states["position"]["epoch"] - 1 if epoch_ended else 0

    owner, name, after, place_of = {
        "update": (loop, "train_step", True, step_of),
        "measure": (loop, "measure", False, one_more),
        "best": (keeper, "save_best", True, one_more),
        "saving": (keeper, "save", False, one_more),
        "saved": (keeper, "save", True, one_more),
        "told": (keeper, "save", False, epoch_of),
    }[kind]
    real = getattr(owner, name)

    def call(*given, **named):
        if not after and place_of(*given, **named) == number:
            die()
        result = real(*given, **named)
        if after and place_of(*given, **named) == number:
            die()
        return result

    setattr(owner, name, call)


def outcome(run):
    """All that two runs must have in common."""
    found = {}
    states = checkpoints.read(checkpoints.found(run)[-1])
    states["position"]["seconds"] = 0.0
    for name, state in states.items():
        found[name] = flat(state)
    for path in sorted(run.glob("*.safetensors")):
        found[f"{path.stem} weights"] = flat(tensors.load(path))
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    for event in events:
        for key in ("seconds", "samples_per_second", "memory"):
            event.pop(key, None)
    found["epochs"] = [event for event in events if event["event"] == "epoch_ended"]
    found["end"] = [event for event in events if event["event"] == "training_ended"]
    info = json.loads((run / "run.json").read_text())
    found["info"] = {
        key: info.get(key) for key in ("status", "reason", "steps", "epochs_done", "best")
    }
    found["leftovers"] = sorted(path.name for path in run.rglob(".zoo-tmp-*"))
    return found


def flat(value):
    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.contiguous().numpy().tobytes()
    if isinstance(value, dict):
        return {key: flat(one) for key, one in value.items()}
    return [flat(one) for one in value] if isinstance(value, list | tuple) else value


def differences(one, other):
    first, second = outcome(one), outcome(other)
    return [name for name in first | second if first.get(name) != second.get(name)]


class Bench:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.root = write_masks(folder / "masks")
        self.count = 0

    def new(self):
        self.count += 1
        return self.folder / f"run-{self.count}"

    def train(self, cell, run, before=lambda: None, **changes):
        def work():
            before()
            zoo.train(recipe(cell, self.root, **changes), folder=run)

        return forked(work)

    def resume(self, run, before=lambda: None, **given):
        def work():
            before()
            zoo.resume(run, **given)

        return forked(work)

    def reference(self, cell, **changes):
        run = self.new()
        assert self.train(cell, run, **changes) == 0
        return run

    def killed_and_resumed(self, cell, reference, kind, number, **changes):
        """What differs from ``reference`` after one kill."""
        run = self.new()
        status = self.train(cell, run, lambda: kill_at(kind, number), **changes)
        if status != -signal.SIGKILL:
            return [f"not killed: {status}"]
        if (status := self.resume(run)) != 0:
            return [f"not resumed: {status}"]
        found = differences(reference, run)
        shutil.rmtree(run)
        return found

    def killed_all_the_way(self, cell, reference, **changes):
        """One run that is killed after each of its updates, before that is saved; every session
        gets one update further. After each kill its checkpoint must be that of ``reference``."""
        run, kills, problems = self.new(), 0, []
        status = self.train(cell, run, lambda: kill_at("update", 1), **changes)
        for step in itertools.count(1):
            if status != -signal.SIGKILL:
                break
            kills += 1
            last = checkpoints.found(run)[-1]
            if last.name != f"step-{step - 1:09}.safetensors":
                problems.append(f"killed at {step}: {last.name}")
            problems += [f"at {step}: {one}" for one in self.unlike(reference, run, last.name)]
            status = self.resume(run, lambda at=step + 1: kill_at("update", at))
        problems += [f"exit {status}"] if status else differences(reference, run)
        shutil.rmtree(run)
        return kills, problems

    def unlike(self, reference, run, name):
        one, other = (
            checkpoints.read(folder / "checkpoints" / name) for folder in (reference, run)
        )
        one["position"]["seconds"] = other["position"]["seconds"] = 0.0
        return [key for key in one if flat(one[key]) != flat(other.get(key))]


def in_turn(work, items, folder, processes=2):
    """``{name: work(bench, item)}``, the items shared among forked processes."""

    def part(number):
        mine = folder / f"part-{number}"
        mine.mkdir(parents=True)
        bench = Bench(mine)
        done = {name: work(bench, item) for name, item in items[number::processes]}
        (folder / f"{number}.json").write_text(json.dumps(done))

    children = []
    for number in range(processes):
        if (child := os.fork()) == 0:
            os._exit(forked(functools.partial(part, number)))
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * processes
    parts = [json.loads((folder / f"{number}.json").read_text()) for number in range(processes)]
    return {name: one for part in parts for name, one in part.items()}


def prepare(folder):
    """Import all that forked processes need, and leave out what costs time and proves nothing."""
    os.fsync = lambda descriptor: None
    environment.version = functools.cache(environment.version)
    install()
    bench = Bench(folder / "first")
    for row in (
        "classes ema micro cosine mixup dropout weighted bf16",
        "masks - - plateau - - - -",
    ):
        zoo.train(recipe(cell_of(row), bench.root), folder=bench.new())
    gc.freeze()
