"""Carry out cases in processes of their own, 500 in each at most, and tell what came of them.

    python hostile_runner.py named [WORD of their names ...]
    python hostile_runner.py mutations SEED START COUNT
    python hostile_runner.py controls
    python hostile_runner.py quick SEED START COUNT     some of the named, and the others
    python hostile_runner.py spoil FOLDER NAME ...      leaves a spoilt registry for each name

One process imports everything and forks those that work. Each says first what memory it has once it
has dealt with the registry as it is, and what it had at most is compared with that.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import resource
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from hostile_case import Case, Result, carry_out_case  # noqa: E402
from hostile_commands import COMMANDS  # noqa: E402
from hostile_controls import DYING, GREEDY, GUARDS, in_a_second, misbehaving  # noqa: E402
from hostile_mutations import mutations  # noqa: E402
from hostile_named import named  # noqa: E402
from hostile_networks import CATALOG  # noqa: E402
from hostile_watch import Watch  # noqa: E402
from hostile_world import BOTH, MODEL, World  # noqa: E402

BATCH, MEMORY = 500, 256 << 20
JOBS = 2
UNSPOILT = Case("nothing", lambda world: None, (), (MODEL, BOTH))


@dataclass
class Batch:
    """``memory``: bytes above what was there before the first case; ``wrong``: of the process."""

    results: list[Result] = field(default_factory=list)
    memory: int = 0
    wrong: list[str] = field(default_factory=list)


class Group(NamedTuple):
    """``prepare`` is called in each process that carries out some of the cases."""

    cases: Sequence[Case]
    prepare: Callable[[], object] = lambda: None


def carry_out_all(groups: Mapping[str, Group], home: Path) -> dict[str, list[Batch]]:
    """``BATCH`` cases a process, ``JOBS`` processes at a time."""
    made: dict[str, list[Batch]] = {name: [] for name in groups}
    waiting, running = list(_batches(groups)), {}
    while waiting or running:
        while waiting and len(running) < JOBS:
            name, cases = waiting.pop(0)
            place = home / str(len(waiting))
            child = _start(cases, place, groups[name].prepare)
            running[child] = name, cases, place
        child, status, usage = os.wait4(-1, 0)
        name, cases, place = running.pop(child)
        made[name].append(_gathered(cases, place, status, usage.ru_maxrss))
    return made


def _batches(groups: Mapping[str, Group]) -> Iterator[tuple[str, Sequence[Case]]]:
    for name, (cases, _) in groups.items():
        for large in (False, True):
            some = [one for one in cases if one.large is large]
            yield from ((name, some[at : at + BATCH]) for at in range(0, len(some), BATCH))


def _start(cases: Sequence[Case], home: Path, prepare: Callable[[], object]) -> int:
    home.mkdir(parents=True)
    child = os.fork()
    if child:
        return child
    try:
        prepare()
        with (home / "results").open("w", buffering=1) as told:
            for line in _carried_out(cases, home / "world"):
                print(json.dumps(line), file=told)
        os._exit(0)
    except BaseException as error:
        traceback.print_exception(error)
    finally:
        os._exit(3)


def warm(home: Path) -> None:
    """Import what is imported late, and read what is read once, before there are processes."""
    for name in CATALOG.names("architecture"):
        assert CATALOG.get("architecture", name).options
    world = World(home)
    for reference in (MODEL, f"{MODEL}@best", f"web:{MODEL}", BOTH, f"web:{BOTH}"):
        for command in COMMANDS.values():
            with contextlib.redirect_stdout(io.StringIO()):
                command(world, reference)
            world.clear()
    gc.collect()
    gc.freeze()  # a million objects of torch's need not be looked through again and again


def _carried_out(cases: Sequence[Case], home: Path) -> Iterator[dict[str, Any]]:
    """First the memory at the start, then a line before each case, and one after."""
    world = World(home)
    watch = Watch((str(world.out), str(world.cache)), str(world.secret), world.moving)
    fine = carry_out_case(world, watch, UNSPOILT)
    if fine.wrong or fine.refused:
        raise AssertionError(f"the registry as it is: {fine}")
    yield {"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
    for case in cases:
        yield {"begins": case.name}
        yield asdict(carry_out_case(world, watch, case))


def _gathered(cases: Sequence[Case], home: Path, status: int, most: int) -> Batch:
    lines = [json.loads(line) for line in (home / "results").read_text().splitlines()]
    made = Batch([Result(**line) for line in lines if "name" in line])
    if status or len(made.results) != len(cases):
        last = lines[-1] if lines else "the beginning"
        made.wrong.append(f"its process ended with status {status} after {last}")
    if lines:
        made.memory = 1024 * (most - lines[0]["memory"])
        largest = max((one.largest for one in made.results), default=0)
        if made.memory > largest + MEMORY:
            made.wrong.append(
                f"it took {made.memory >> 20} MB; its largest file has {largest >> 20}"
            )
    shutil.rmtree(home)
    return made


def controls() -> dict[str, Group]:
    """What is said of each guard that is taken away, and of commands that misbehave."""
    known = {case.name: case for case in named()}
    guards = {
        name: Group([known[one] for one in control.cases], control.spoil)
        for name, control in GUARDS.items()
    }
    return {
        "misbehaving": Group(misbehaving(), in_a_second), "greedy": Group([GREEDY]),
        "dying": Group([DYING]), **guards,
    }  # fmt: skip


def spoil(folder: Path, names: Sequence[str]) -> None:
    known = {case.name: case for case in named()}
    for number, name in enumerate(names):
        known[name].apply(World(folder / str(number)))


def main(arguments: Sequence[str]) -> None:
    kind, *rest = arguments
    if kind == "spoil":
        spoil(Path(rest[0]), rest[1:])
        return
    os.fsync = lambda descriptor: None  # nothing here is about power cuts
    memory = Path("/dev/shm")  # where folders are made and removed at once
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="zoo-hostile-", dir=place) as folder:
        home, groups = Path(folder), {}
        warm(home / "warm")
        if kind == "named":
            groups["named"] = Group(named_with(rest))
        if kind == "quick":
            groups["named"] = Group([one for one in named() if one.quick])
        if kind in ("mutations", "quick"):
            groups["mutations"] = Group(list(mutations(*map(int, rest))))
        if kind in ("controls", "quick"):
            groups |= controls()
        made = carry_out_all(groups, home)
    print(json.dumps({name: [asdict(one) for one in batches] for name, batches in made.items()}))


def named_with(words: Sequence[str]) -> list[Case]:
    return [one for one in named() if not words or any(word in one.name for word in words)]


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.dont_write_bytecode = True
    main(sys.argv[1:])
