"""A training of the loop alone, in which every call to the system that saving makes fails in turn.

``python save_faults.py FOLDER MODE..`` prints JSON. ``kill``: a process dies before the k-th call,
a write half done; ``full``: from the k-th call on no space is left; ``once``: only for that call.
``full/3`` tries every third call. After each the folder must hold a checkpoint that goes on to the
same weights, and best weights no worse than before. ``delete_first`` is the negative control of
``kill``: it removes the old checkpoint before it writes the new one.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from test_loop import TASKS, trainee

from zoo.errors import ZooError
from zoo.runs.resume import load
from zoo.storage import tensors
from zoo.training import checkpoints, events, loop
from zoo.training.checkpoints import Checkpoints
from zoo.training.stopping import Stopping

CALLS = ("open", "write", "chmod", "fsync", "close", "mkdir", "replace", "unlink")
GROWING = ("open", "write", "fsync", "mkdir", "replace")
EPOCHS = 3


class DeleteFirst(Checkpoints):
    def save(self, step, states, *, epoch_ended=False):
        for old in checkpoints.found(self.folder):
            old.unlink()
        super().save(step, states, epoch_ended=epoch_ended)


def made(folder, kind=Checkpoints):
    # So fast that the second epoch is worse than the first: the best is not always the last.
    return trainee(
        TASKS["multiclass"], folder, epochs=EPOCHS, lr=0.6, checkpoints=kind(folder),
        stopping=Stopping("val/accuracy", "max"),
    )  # fmt: skip


def shim(point, mode):
    """``point``: counted from 1; returns the list that grows with each call."""
    calls = []

    def wrap(name, real):
        def call(*given, **named):
            calls.append(name)
            late = len(calls) >= point if mode == "full" else len(calls) == point
            if late and mode == "kill":
                if name == "write":
                    real(given[0], bytes(given[1])[: len(given[1]) // 2])
                os._exit(137)
            grows = name != "open" or given[1] & os.O_CREAT
            if late and point and name in GROWING and grows:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*given, **named)

        return call

    undone = {name: getattr(os, name) for name in CALLS}
    for name, real in undone.items():
        setattr(os, name, wrap(name, real))
    return calls, lambda: [setattr(os, name, real) for name, real in undone.items()]


def scores(reference):
    """(accuracy, weights) of each epoch that was the best so far, by an evaluation of its own."""
    found = {}
    for event in loop.train(reference):
        if isinstance(event, events.EpochEnded) and event.improved:
            kept = {name: one.clone() for name, one in reference.network.state_dict().items()}
            found[event.epoch] = event.val["accuracy"], kept
    return found


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def problems_of(folder, best, final):
    """``best``: what :func:`scores` found; ``final``: the weights that it must end with."""
    found, kept = [], checkpoints.found(folder)
    if not kept:
        return ["no checkpoint"]
    for path in kept:
        try:
            states = checkpoints.read(path)
        except ZooError as error:
            found.append(str(error))
    if found:
        return found
    path = folder / "best.safetensors"
    before = states["stopping"]["best_epoch"]
    if path.exists():
        weights = tensors.load(path)
        epoch = next((one for one, (_, w) in best.items() if same(w, weights)), None)
        if epoch is None or epoch < before:
            found.append(f"best weights are those of epoch {epoch}, not {before}")
        run = made(None)
        run.network.load_state_dict(weights)
        if epoch and loop.measure(run)["accuracy"] != best[epoch][0]:
            found.append("best weights are not what was measured")
    elif before:
        found.append("no best weights")
    run = made(folder)
    states.pop(checkpoints.ABOUT)
    load(run, states, str(path))
    list(loop.train(run))
    if not same(run.network.state_dict(), final):
        found.append("it goes on to other weights")
    if not same(tensors.load(path), best[max(best)][1]):
        found.append("it ends with other best weights")
    return found


def attempt(folder, point, mode, kind):
    """Whether it came to the end in spite of what happened at ``point``."""
    if mode == "kill":
        child = os.fork()
        if child == 0:
            run = made(folder, kind)
            shim(point, mode)
            list(loop.train(run))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, 137), status
        return status == 0
    run = made(folder, kind)
    calls, undo = shim(point, mode)
    try:
        list(loop.train(run))
    except ZooError as error:
        assert "the disk is full" in str(error) and "\n" not in str(error), error
        return False
    finally:
        undo()
    return len(calls) < point


def every_call(folder, mode, best, final, step=1):
    kind = Checkpoints
    if mode == "delete_first":
        mode, kind = "kill", DeleteFirst
    first = made(folder / "first", kind)
    calls, undo = shim(0, "count")
    first.checkpoints.save(0, first.states())
    undo()
    before_any, problems, states = len(calls), [], 0
    for point in range(1, 10_000, step):
        run = folder / f"run-{point}"
        ended = attempt(run, point, mode, kind)
        if point > before_any or checkpoints.found(run):
            states += 1
            problems += [f"{point}: {one}" for one in problems_of(run, best, final)]
        if mode != "kill" and list(run.rglob(".zoo-tmp-*")):
            problems.append(f"{point}: something is left over")
        shutil.rmtree(run, ignore_errors=True)
        if ended or (problems and kind is DeleteFirst):  # one is enough
            return {"calls": point - 1, "states": states, "problems": problems}
    raise AssertionError("it never ends")


def main():
    folder = Path(sys.argv[1])
    reference = made(folder / "reference")
    best = scores(reference)
    final = reference.network.state_dict()
    found = {}
    for asked in sys.argv[2:]:
        mode, _, step = asked.partition("/")
        found[mode] = every_call(folder / mode, mode, best, final, int(step or 1))
    print(json.dumps({"best": sorted(best), **found}))


if __name__ == "__main__":
    main()
