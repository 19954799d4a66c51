"""A registry's life on a traced disk, and a look at what a power cut may leave of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from actions import MODEL, WEIGHTS, publish, spare
from drafts import draft
from judge import acknowledged, lost, mended, wrong
from power_states import State, states
from power_trace import Disk, Killed, Op

from zoo.registry.store import Registry
from zoo.registry.upkeep.collection import collect
from zoo.registry.upkeep.repair import repair

_WORKS = 25  # of so many states one is tried whether it can be worked with


def life(folder: Path) -> tuple[list[Op], Path]:
    """(operations, the disk as they left it) of publications, changes, collections, a repair."""
    disk = Disk(folder / "disk")
    disk.root.mkdir()
    (disk.root / "weights").write_bytes(WEIGHTS)
    registry = Registry.at(disk.root / "registry")
    steps = [
        registry.create,
        lambda: publish(registry),
        lambda: publish(registry),
        lambda: registry.set_alias(MODEL, "best", 1),
        lambda: registry.publish(draft(model="other"), {"a": b"other", "same": WEIGHTS}),
        lambda: registry.yank(MODEL, 2, "why not"),
        lambda: [spare(registry, b"spare %d" % number) for number in range(2)],
        lambda: collect(registry.tree, "it", apply=True),
        lambda: registry.publish(draft(), {"a": b"spare 1"}),
        lambda: registry.set_alias(MODEL, "best", 3, expected=1),
        lambda: time.sleep(1.1),  # the trash's folder is named by the second
        lambda: collect(registry.tree, "it", grace=0, apply=True),
        lambda: repair(registry.tree, "it"),
        lambda: publish(registry),
    ]
    with disk.traced():
        for step in steps:
            step()
            disk.say(acknowledged(registry.tree.root))
    return disk.ops, disk.root


def killed_and_cut(folder: Path, step: int) -> tuple[int, list[str]]:
    """(kills, problems): a first publication is killed before a call, another one goes on with what
    the first left and is acknowledged, and then the power is cut. Every ``step``-th call."""
    kills, problems, dead = 0, [], True
    while dead:
        shutil.rmtree(folder / "disk", ignore_errors=True)
        (folder / "disk").mkdir()
        disk = Disk(folder / "disk")
        (disk.root / "weights").write_bytes(WEIGHTS)
        registry = Registry.at(disk.root / "registry")
        disk.killed_at = 1 + kills * step
        try:
            with disk.traced():
                publish(registry)
            dead = False
        except Killed:
            kills += 1
        disk.killed_at = None
        with disk.traced():
            publish(registry)
        disk.say(acknowledged(registry.tree.root))
        last = [one for one in states(disk.ops, kills, draws=2) if one.at == len(disk.ops)]
        done = judge(last, folder / "after", working=False)
        problems += [f"killed at {1 + kills * step}, {one}" for one in done.examples]
    return kills, problems


@dataclass
class Judged:
    """``invalid``, ``lost``: how many states had something listed that is wrong, or lacked what was
    acknowledged; ``examples``: the first lines of each kind."""

    states: int = 0
    invalid: int = 0
    lost: int = 0
    worked: int = 0
    examples: list[str] = field(default_factory=list)

    def take(self, at: int, kind: str, found: list[str]) -> bool:
        if found and len(self.examples) < 10:
            self.examples.append(f"{kind} after {at}: {found[0]}")
        return bool(found)


def judge(states: Iterable[State], folder: Path, *, working: bool = True) -> Judged:
    done, root = Judged(), folder / "disk"
    for state in states:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        state.build(root)
        registry = Registry.at(root / "registry")
        done.states += 1
        done.invalid += done.take(state.at, "invalid", wrong(registry))
        done.lost += done.take(state.at, "lost", lost(registry.tree.root, state.said or {}))
        if working and done.states % _WORKS == 0:
            (root / "weights").write_bytes(WEIGHTS)
            publish(registry)
            done.worked += not done.take(state.at, "unmended", mended(registry))
    return done
