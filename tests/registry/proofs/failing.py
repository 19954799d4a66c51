"""Carry an action out while the system refuses calls, and look after each."""

from __future__ import annotations

import errno
import os
import shutil
import warnings
from pathlib import Path

from actions import ACTIONS, template
from judge import acknowledged, looked, lost, mended, wrong
from os_calls import CHANGING, READING, intercepted

from zoo.errors import ZooError, ZooWarning
from zoo.registry.store import Registry

# What needs room on a disk; ENOSPC comes from nothing else. fsync: where room is found late.
_NEEDS_ROOM = ("write", "fsync", "mkdir", "link", "replace")


class Refusing:
    """``code`` at the ``point``-th call that can give it, once or from then on."""

    def __init__(self, code: int, point: int, *, forever: bool) -> None:
        self._code, self._point, self._forever = code, point, forever
        self._seen = 0
        self.refused = 0

    def __call__(self, count, name, args, call):  # type: ignore[no-untyped-def]
        if self._code == errno.ENOSPC and not self._takes_room(name, args):
            return call()
        self._seen += 1
        if self._seen != self._point and not (self._forever and self._seen > self._point):
            return call()
        self.refused += 1
        if name == "write":
            call(args[0], bytes(args[1])[: len(args[1]) // 2])
        elif name == "close":
            call()  # the descriptor is gone whatever it says
        raise OSError(self._code, os.strerror(self._code))

    def _takes_room(self, name, args):  # type: ignore[no-untyped-def]
        return name in _NEEDS_ROOM or (name == "open" and args[1] & os.O_CREAT)


def refused_everywhere(
    folder: Path, action: str, code: int, *, forever: bool, step: int = 1, first: int = 1
) -> tuple[int, int, list[str]]:
    """(calls refused, how often the action was done all the same, problems). Every ``step``-th
    call is refused, from ``first`` on."""
    original, root = folder / "template", folder / "registry"
    allowed = frozenset(one.path for one in looked(template(action, original)).errors)
    before, act = acknowledged(original), ACTIONS[action].act
    points, done, problems = 0, 0, []
    point = first
    while True:
        shutil.rmtree(root, ignore_errors=True)
        if original.exists():
            shutil.copytree(original, root)
        refusing = Refusing(code, point, forever=forever)
        found, returned = [], False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ZooWarning)  # done, but the index lags behind
            try:
                with intercepted(refusing, (*CHANGING, *READING)):
                    act(Registry.at(root))
                returned = True
            except ZooError as error:
                if "\n" in str(error) or not str(error):
                    found.append(f"not one line: {error!r}")
            except Exception as error:
                found.append(f"{type(error).__name__}: {error}")
        if not refusing.refused:
            return points, done, problems
        points += 1
        done += returned
        found += after(root, action, before, allowed, returned=returned)
        said = f"{errno.errorcode[code]} {'from' if forever else 'at'} {point}"
        problems += [f"{said}: {one}" for one in found]
        point += step


def after(
    root: Path, action: str, before: dict[str, str], allowed: frozenset[str], *, returned: bool
) -> list[str]:
    registry = Registry.at(root)
    found = wrong(registry, allowed) + lost(root, before)
    now = acknowledged(root)
    adds = action in ("publish", "publish first", "alias", "yank")
    if returned and adds and len(now) != len(before) + 1:
        found.append("it said it was done, and is not there")
    try:
        with intercepted(lambda count, name, args, call: call()):
            ACTIONS[action].act(registry)
    except Exception as error:
        found.append(f"again: {type(error).__name__}: {error}")
    return found + lost(root, now) + wrong(registry) + mended(registry)
