"""Look at one model: its records, its states, and what is derived of them.

What is derived is read first, then states, then records: so a publisher who works meanwhile makes
the first lag behind the last, never the other way round.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from itertools import pairwise

from zoo.errors import RegistryError, ZooError
from zoo.registry import layout, names, numbering
from zoo.registry.derived import RESTORE
from zoo.registry.places.reads import read_all
from zoo.registry.record import Record
from zoo.registry.state import State
from zoo.registry.tree import Tree
from zoo.registry.upkeep import verify_derived
from zoo.registry.upkeep.findings import Report
from zoo.registry.upkeep.verify_derived import Verified
from zoo.storage import limits


def verify_model(tree: Tree, folder: str, report: Report) -> Verified:
    """``folder``: the model's folded name."""
    found = Verified(folder)
    said = verify_derived.read(tree, folder, report)
    states = _states(tree, found, folder, said.head.state if said.head else 0, report)
    _records(tree, found, folder, said.newest, report)
    _compare_states(found, folder, states, report)
    if found.newest:
        verify_derived.compare(found, folder, said, report)
    report.versions += len(found.records)
    report.states += len(states)
    return found


def _numbers(tree: Tree, folder: str, known: int, what: str, report: Report) -> Sequence[int]:
    """The numbers there are; a gap is told."""
    if not tree.listed:
        return range(1, known + 1)
    numbers = numbering.listed(tree, folder)
    for before, after in pairwise([0, *numbers]):
        if after > before + 1:
            more = f" to {after - 1}" if after > before + 2 else ""
            missing = f"{what} {before + 1}{more} is missing, but {after} is there"
            report.error(folder, f"{missing}; {RESTORE}")
    return numbers


def _states(tree: Tree, found: Verified, folder: str, known: int, report: Report) -> list[State]:
    """Those that are valid, and follow from one another. ``known``: how many the head says."""
    serials = _numbers(tree, layout.states(folder), known, "state", report)
    states: list[State] = []
    previous: tuple[State, bytes] | None = None
    place = functools.partial(layout.state, folder)
    for serial, path, data in read_all(tree, serials, place, layout.STATE_BYTES):
        found.serial = serial
        try:
            state = _state(path, data, folder, serial)
            if previous and previous[0].serial == serial - 1:
                _check_follows(state, *previous)
            elif serial == 1 and state.change is not None:
                _check_follows(state, State.first(state.model), None)
        except ZooError as error:
            report.error(path, f"{error}; {RESTORE}")
            continue
        previous = state, data if isinstance(data, bytes) else b""
        states.append(state)
    found.state = states[-1] if states and states[-1].serial == found.serial else None
    return states


def _state(path: str, data: bytes | ZooError | None, folder: str, serial: int) -> State:
    if isinstance(data, ZooError):
        raise data
    if data is None:
        raise RegistryError("it is missing")
    state = State.from_bytes(data, path)
    if (names.fold(state.model), state.serial) != (folder, serial):
        raise RegistryError(f"it is state {state.serial} of model {state.model!r}")
    return state


def _check_follows(state: State, before: State, data: bytes | None) -> None:
    prev = None if data is None else hashlib.sha256(data).hexdigest()
    if state.prev != prev:
        raise RegistryError("its prev is not the sha256 of the state before; one was changed")
    if state.change is None:
        raise RegistryError("it says no change")
    after = before.after(state.change, prev, state.created)
    if (after.aliases, after.yanked) != (state.aliases, state.yanked):
        raise RegistryError("its aliases and yanks are not what its change makes of those before")


def _records(tree: Tree, found: Verified, folder: str, known: int, report: Report) -> None:
    numbers = _numbers(tree, layout.versions(folder), known, "version", report)
    place = functools.partial(layout.version, folder)
    previous: tuple[int, str] | None = None
    for number, path, data in read_all(tree, numbers, place, limits.RECORD_BYTES):
        found.newest = number
        try:
            record, digest = _record(data, folder, number)
        except ZooError as error:
            report.error(path, f"{error}; {RESTORE}")
            continue
        if not found.records:
            found.name = record.model
        elif record.model != found.name:
            report.error(path, f"it is of model {record.model!r}, the others of {found.name!r}")
        if previous and previous[0] == number - 1 and record.prev != previous[1]:
            what = "its prev is not the sha256 of the record before; one of the two was changed"
            report.error(path, f"{what}; {RESTORE}")
        previous = number, digest
        found.records[number] = digest, record.created
        found.files += [(path, one["path"], one["sha256"], one["size"]) for one in record.files]
        for member in record.ensemble["members"] if record.ensemble else ():
            found.members.append((path, member["model"], member["version"], member["digest"]))


def _record(data: bytes | ZooError | None, folder: str, number: int) -> tuple[Record, str]:
    if isinstance(data, ZooError):
        raise data
    if data is None:
        raise RegistryError("it is missing")
    record = Record.from_bytes(data, f"model {folder!r} version {number}")
    if (names.fold(record.model), record.version) != (folder, number):
        raise RegistryError(f"it is that of model {record.model!r} version {record.version}")
    return record, hashlib.sha256(data).hexdigest()


def _compare_states(found: Verified, folder: str, states: list[State], report: Report) -> None:
    """Aliases and yanks are of versions that are there."""
    for state in states:
        path = layout.state(folder, state.serial)
        if state.model != found.name and found.records:
            report.error(path, f"it is of model {state.model!r}, the versions of {found.name!r}")
        beyond = {n for n in (*state.aliases.values(), *map(int, state.yanked)) if n > found.newest}
        if beyond:
            report.error(path, f"there is no version {min(beyond)}, which it names; {RESTORE}")
