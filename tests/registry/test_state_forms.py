"""Which states are states, and what a change makes of one."""

import json

import pytest

from zoo.errors import RegistryError
from zoo.registry.state import ALIASES, Change, State

DATE = "2026-01-02T03:04:05Z"


def state(**changes):
    first = State.first("digits-tiny").after(
        Change(kind="alias", alias="best", version=2), None, DATE
    )
    return json.dumps({**json.loads(first.to_bytes()), **changes}).encode()


CHANGES = {
    "an alias without a name": {"kind": "alias", "version": 1},
    "an alias that is no name": {"kind": "alias", "alias": "../x", "version": 1},
    "an alias that is reserved": {"kind": "alias", "alias": "latest", "version": 1},
    "a yank of an alias": {"kind": "yank", "alias": "best", "version": 1},
    "a yank of nothing": {"kind": "yank", "reason": "leak"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_is_none(name):
    assert State.from_bytes(state(), "x").aliases == {"best": 2}
    with pytest.raises(RegistryError, match="x is not one of zoo's: change: "):
        State.from_bytes(state(change=CHANGES[name]), "x")


def test_aliases_have_an_end():
    full = State.from_bytes(state(aliases={f"a{i}": 1 for i in range(ALIASES)}), "x")
    one = Change(kind="alias", alias="more", version=1)
    with pytest.raises(RegistryError) as caught:
        full.after(one, "0" * 64, DATE)
    assert str(caught.value) == (
        "model 'digits-tiny' has 1000 aliases, the most there may be; remove one"
    )
    assert (
        full.after(Change(kind="alias", alias="a1", version=3), "0" * 64, DATE).aliases["a1"] == 3
    )
