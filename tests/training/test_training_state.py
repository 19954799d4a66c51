"""Nested states as tensors and JSON."""

import math
from collections import Counter

import pytest
import torch

from zoo.errors import TrainingError, ZooError
from zoo.training.state import TEXT, pack, unpack


def test_what_goes_in_comes_out():
    state = {
        "a": {0: torch.ones(2), 1: [1.5, math.inf, -0.0, None, True, "x"]},
        "b": (1, (2, [])),
        "d": {"$": 1},
        "c": Counter({3: 1}),
    }
    found = unpack(pack(state))
    assert found["a"].pop(0).equal(state["a"].pop(0))
    assert found == {**state, "c": {3: 1}}


@pytest.mark.parametrize(
    "state",
    [
        {"a": {"b": torch.zeros(1), 0: torch.ones(1), "1": torch.ones(1)}},
        {"a": {0: torch.zeros(1), "0": torch.ones(1)}},
        {"a": {"b": torch.zeros(1)}, "a/b": torch.ones(1)},
    ],
)
def test_two_tensors_of_one_name_are_refused(state):
    with pytest.raises(TrainingError, match="two tensors that are both called 'a/"):
        pack(state)


@pytest.mark.parametrize("value", [{1, 2}, object(), {(1, 2): 3}, 1j])
def test_what_no_checkpoint_can_keep_is_named(value):
    with pytest.raises(TrainingError, match="the state of 'a' holds"):
        pack({"a": value})


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a": 1, "a": 2}', b"{} ", b"\xff", b""])
def test_text_of_strangers(text):
    held = {TEXT: torch.tensor(list(text), dtype=torch.uint8)}
    if text == b"{} ":
        assert unpack(held) == {}
        return
    with pytest.raises((ZooError, ValueError)):
        unpack(held)
