"""Carry an action out, killed before the k-th call to the system, for every k; look after each.

Run as ``python kill_points.py FOLDER ACTION STEP [record_first]``; prints JSON. Every ``STEP``-th
call; ``record_first`` is the negative control. Needs no torch, so that forking costs nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from pathlib import Path

from actions import ACTIONS, RecordFirst, template
from judge import acknowledged, looked, lost, mended, wrong
from os_calls import intercepted

from zoo.registry.store import Registry

KILLED = 137


def die_at(point):
    """Before the ``point``-th call, die; a write first writes its first half."""

    def stand(count, name, args, call):
        if count == point:
            if name == "write":
                call(args[0], bytes(args[1])[: len(args[1]) // 2])
            os._exit(KILLED)
        return call()

    return stand


def killed(registry, act, point):
    """Whether a process that acts was killed before it came to its end."""
    child = os.fork()
    if child == 0:
        warnings.simplefilter("error")
        with intercepted(die_at(point)):
            act(registry)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, KILLED), status
    return status == KILLED


def main():
    root, action, step = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    kind = RecordFirst if sys.argv[4:] == ["record_first"] else Registry
    first = root.parent / "template"
    registry = template(action, first)
    allowed = frozenset(one.path for one in looked(registry).errors)
    before, act = acknowledged(first), ACTIONS[action].act
    points, problems, early = 0, [], 0
    while True:
        shutil.rmtree(root, ignore_errors=True)
        if first.exists():
            shutil.copytree(first, root)
        dead = killed(kind.at(root), act, 1 + points * step)
        after = Registry.at(root)
        found = wrong(after, allowed) + lost(root, before)
        now = acknowledged(root)
        early += dead and len(now) > len(before)
        try:
            with intercepted(lambda count, name, args, call: call()):  # no disk is waited for
                act(Registry.at(root))
            found += lost(root, now) + wrong(after) + mended(after)
        except Exception as error:
            found.append(f"again: {type(error).__name__}: {error}")
        problems += [f"killed at {1 + points * step}: {one}" for one in found]
        if not dead:
            break
        points += 1
    print(json.dumps({"points": points, "problems": problems, "listed_early": early}))


if __name__ == "__main__":
    main()
