"""Who lives, who is gone, and who says why: two processes' lifelines over one store."""

from __future__ import annotations

import time

import pytest
from torch.distributed import HashStore

from zoo.errors import TrainingError
from zoo.training import lifeline
from zoo.training.lifeline import DONE, FAILED, Lifeline


@pytest.fixture
def pair(monkeypatch):
    monkeypatch.setattr(lifeline, "BEAT", 0.02)
    monkeypatch.setattr(lifeline, "GRACE", 10**6)  # no test ends its own process
    store = HashStore()
    both = [Lifeline(store, store, rank, 2) for rank in (0, 1)]
    store.set("who/1", "elsewhere 7")
    for one in both:
        one.start()
    yield both
    for one in both:
        one._over.set()


def quiet(one: Lifeline) -> None:
    """What a kill does."""
    one._over.set()


def test_all_live(pair):
    time.sleep(0.3)
    assert [one.cause() for one in pair] == [None, None]
    assert pair[0].tells and not pair[1].tells


def test_one_is_gone(pair):
    quiet(pair[1])
    text = pair[0].cause()
    assert text is not None and text.startswith("process 1 of 2 (pid ")
    assert " is gone: it was killed, hangs, or lost its connection" in text


def test_the_first_one_gone_is_told_by_the_second(pair):
    quiet(pair[0])
    assert pair[1].cause() is not None
    assert pair[1].tells


def test_the_first_failure_is_the_cause_for_all(pair):
    assert pair[1].record("no space") == "no space"
    assert pair[0].record("connection closed") == "no space"
    assert pair[0].cause() == "no space"
    with pytest.raises(TrainingError, match=r"^no space$"):
        pair[0].wait("never set")
    with pytest.raises(TrainingError, match=r"^no space$"):
        pair[0].leave(DONE, 5.0)
    pair[1].leave(FAILED, 0.0)
    assert not pair[1].tells


def test_leaving_waits_for_the_others_and_is_no_death(pair):
    began = time.monotonic()
    pair[1].leave(FAILED, 0.1)
    pair[0].leave(DONE, 5.0)
    assert 0.1 <= time.monotonic() - began < 2.0
    time.sleep(0.3)
    assert pair[0]._gone(lifeline.GONE) == []


def test_a_store_that_answers_no_more_is_the_first_process_gone(pair, monkeypatch):
    def broken(keys):
        raise RuntimeError("connection reset")

    other = HashStore()
    monkeypatch.setattr(
        pair[1], "_beats", type("Gone", (), {"set": other.set, "multi_get": broken})
    )
    deadline = time.monotonic() + 5.0
    while not pair[1]._lost and time.monotonic() < deadline:
        time.sleep(0.01)
    assert pair[1].cause().startswith("process 0 of 2 (pid ")
    assert pair[1].tells
