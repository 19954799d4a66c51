"""Whole runs under signals and on disks that fill up.

``python run_faults.py FOLDER MODE=NUMBER..`` prints JSON. ``signals=N`` sends SIGTERM after N
different times; ``calls=STRIDE`` kills before every STRIDE-th call to the system; ``full=STRIDE``
leaves no space from there on; ``tmpfs=N`` mounts disks of N sizes. Whatever has a ``run.json``
afterwards must go on to the very run it would have been; whatever has none is no run.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from save_faults import shim
from tiny_recipes import cell_of, recipe
from tiny_runs import Bench, differences, forked, prepare

import zoo
from zoo.errors import PausedError, ZooError

CELL = cell_of("classes ema - cosine - dropout - -")
SETTINGS = {"checkpoints.steps": 2, "checkpoints.keep": 1}


def started(bench, run, prepare=lambda: None):
    """The process id of a forked one that trains; it exits 143 when interrupted, 1 for an error."""
    child = os.fork()
    if child:
        return child
    status = 0
    try:
        prepare()
        zoo.train(recipe(CELL, bench.root, **SETTINGS), folder=run)
    except PausedError:
        status = 143
    except ZooError as error:
        status = 1 if "the disk is full" in str(error) and "\n" not in str(error) else 2
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        status = 3
    os._exit(status)


def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def looked_after(bench, run, reference):
    """What is wrong with what was left; None where it is no run."""
    if not (run / "run.json").exists():
        return None
    finished = json.loads((run / "run.json").read_text())["status"] == "finished"
    if not finished and (status := bench.resume(run)) != 0:
        return [f"not resumed: {status}"]
    return differences(reference, run)


def signals(bench, reference, number):
    began = time.perf_counter()
    assert ended(started(bench, bench.new())) == 0
    whole = time.perf_counter() - began
    for part in range(number):
        run = bench.new()
        child = started(bench, run)
        time.sleep(whole * (part + 0.5) / number)
        os.kill(child, signal.SIGTERM)
        status = ended(child)
        if status not in (0, 143, -signal.SIGTERM):
            yield part, status, ["no such end"]
        yield part, status, looked_after(bench, run, reference)
        shutil.rmtree(run, ignore_errors=True)


def at_calls(bench, reference, stride, mode):
    point = 1
    while True:
        run = bench.new()
        status = ended(started(bench, run, lambda: shim(point, mode)))  # noqa: B023
        problems = looked_after(bench, run, reference)
        if problems is None and mode == "full" and run.exists():
            problems = ["an empty folder is left"]
        if status not in (0, 1, 137):
            problems = [f"exit {status}"]
        yield point, status, problems
        shutil.rmtree(run, ignore_errors=True)
        if status == 0:
            return
        point += stride


def tmpfs(bench, reference, number):
    disk = bench.folder / "disk"
    disk.mkdir()
    size = sum(one.stat().st_size for one in reference.rglob("*") if one.is_file())
    for part in range(1, number + 1):
        given = max(1, size * part * 2 // (number * 1024))
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={given}k", "none", disk], check=True)
        run = disk / "run"
        status = ended(started(bench, run))
        problems = None if status in (0, 1) else [f"exit {status}"]
        if not problems and run.exists():
            kept = bench.new()
            shutil.copytree(run, kept)  # where there is space to go on
            problems = looked_after(bench, kept, reference) or []
            if not (kept / "run.json").exists():
                problems = ["an empty folder is left"]
        yield part, status, problems
        subprocess.run(["umount", disk], check=True)


MODES = {
    "signals": signals,
    "calls": functools.partial(at_calls, mode="kill"),
    "full": functools.partial(at_calls, mode="full"),
    "tmpfs": tmpfs,
}


def main():
    folder, results = Path(sys.argv[1]), {}
    prepare(folder)
    bench = Bench(folder / "bench")
    reference = bench.new()
    assert forked(lambda: zoo.train(recipe(CELL, bench.root, **SETTINGS), folder=reference)) == 0
    for mode, _, number in (one.partition("=") for one in sys.argv[2:]):
        began = time.perf_counter()
        found = [*MODES[mode](bench, reference, int(number))]
        results[mode] = {
            "tried": len(found),
            "kept": sum(problems is not None for *_, problems in found),
            "ends": sorted({status for _, status, _ in found}),
            "problems": [f"{place}: {one}" for place, _, many in found for one in many or ()],
            "seconds": time.perf_counter() - began,
        }
    print(json.dumps(results))


if __name__ == "__main__":
    main()
