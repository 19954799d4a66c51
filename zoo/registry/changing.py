"""Move aliases and yank versions: by a next state, put where nothing may be yet."""

from __future__ import annotations

import hashlib
import warnings

from zoo.errors import RegistryError, ZooError, ZooWarning
from zoo.registry import following, layout
from zoo.registry.derived import read_head, read_state
from zoo.registry.numbering import newest
from zoo.registry.publishing import now
from zoo.registry.state import Change, State
from zoo.registry.tree import WritableTree

_TRIES = 1000  # another writer came first each time


def change(tree: WritableTree, model: str, change: Change, *, expected: int | None = -1) -> State:
    """Write the state after the newest with ``change`` and return it. ``expected``: what the alias
    has to point to before (None: nothing), else :class:`RegistryError`; -1: whatever it does."""
    serial = _hinted(tree, model)
    for _ in range(_TRIES):
        serial = newest(tree, layout.states(model), serial)
        before = read_state(tree, model, serial)
        if change.kind == "alias" and change.alias is not None:
            there = before.aliases.get(change.alias)
            if expected not in (-1, there):
                raise RegistryError(
                    f"alias {change.alias!r} of model {model!r} points to {_version(there)}, not "
                    f"to {_version(expected)}; somebody moved it: look again"
                )
            change = change.model_copy(update={"before": there})
        prev = hashlib.sha256(before.to_bytes()).hexdigest() if serial else None
        after = before.after(change, prev, now())
        try:
            tree.create(layout.state(model, after.serial), after.to_bytes())
        except FileExistsError:
            continue
        _follow(tree, model)
        return after
    raise RegistryError(f"model {model!r} is changed by others all the time; try again later")


def _hinted(tree: WritableTree, model: str) -> int:
    try:
        head = read_head(tree, model)
    except ZooError:  # derived, so it may be damaged: then the states are listed
        return 0
    return head.state if head else 0


def _follow(tree: WritableTree, model: str) -> None:
    try:
        following.follow(tree, model)
    except ZooError as error:
        warnings.warn(
            f"the change of {model!r} is made, but readers that go by the index do not see it yet: "
            f"{error}; then type: zoo registry repair",
            ZooWarning,
            stacklevel=4,
        )


def _version(number: int | None) -> str:
    return "no version" if number is None else f"version {number}"
