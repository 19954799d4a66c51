"""Each run once at a time, whoever asks for it; and what a pool makes of pauses. Nothing trains."""

from __future__ import annotations

import json
from queue import SimpleQueue

from zoo.studies.carrying import DONE, PAUSED, Outcome, Work
from zoo.studies.executing import BEGUN, Ended, Told
from zoo.studies.executing_pool import Pool
from zoo.studies.queue import Queue


class Listed:
    """An executor that only notes."""

    def __init__(self):
        self.submitted, self.answers = [], []

    def submit(self, work):
        self.submitted.append(work)

    def answer(self, key, *, go_on):
        self.answers.append((key, go_on))


def work(key, splits=("test",), asks=False):
    return Work(key, f"runs/{key}", {}, splits, asks)


def test_a_trial_that_is_a_row_too_is_trained_once():
    listed = Listed()
    queue = Queue(listed)
    queue.submit([work("a"), work("b")])
    queue.submit_trials([work("a", (), asks=True), work("c", (), asks=True)])
    assert [one.key for one in listed.submitted] == ["a", "b", "c"]
    queue.go_on("a", False)  # it does not ask: a line for it would be taken for its next run
    queue.go_on("c", False)
    assert listed.answers == [("c", False)]


def test_a_row_that_is_under_way_as_a_trial_is_measured_afterwards():
    listed = Listed()
    queue = Queue(listed)
    queue.submit_trials([work("c", (), asks=True)])
    queue.submit([work("c", ("test",)), work("c", ("val",))])
    assert len(listed.submitted) == 1
    queue.heard(Told("c", {"event": BEGUN}))
    queue.heard(Ended("c", Outcome(DONE)))
    queue.submit(queue.waited_for("c"))
    assert [one.splits for one in listed.submitted] == [(), ("test", "val")]
    assert queue.waited_for("c") == [] and list(queue.open) == ["c"] and queue.begun == {"c"}


class Hand:
    """A worker that says what it is told to say."""

    def __init__(self, place, said):
        self.place, self.log, self.said, self.got = place, "log", said, []

    def write(self, line):
        self.got.append(Work.of_line(line).key)

    def end_input(self):
        self.got.append("end")

    def kill(self):
        self.got.append("kill")

    def how(self):
        return "ended with code 0", True

    def says(self, **message):
        self.said.put((self, json.loads(json.dumps(message))))

    def ends(self):
        self.said.put((self, None))


def hands():
    made: list[Hand] = []

    def begin(place: int, said: SimpleQueue) -> Hand:
        made.append(Hand(place, said))
        return made[-1]

    return Pool(1, begin), made


def test_a_run_whose_worker_somebody_ended_is_gone_on_with():
    pool, made = hands()
    pool.submit(work("a"))
    pool.messages(0)
    made[0].says(ready=1)
    made[0].says(key="a", status=PAUSED, reason="", seconds=1.0)
    made[0].ends()
    assert pool.messages(0.01) == [Told("a", {"event": BEGUN})]  # by another worker
    assert len(made) == 2 and made[1].got == ["a"]
    made[1].says(key="a", status=DONE, reason="", seconds=1.0)
    (ended,) = pool.messages(0.01)
    assert (ended.key, ended.outcome.status) == ("a", DONE)


def test_runs_that_a_pause_never_let_begin_end_without_having_begun():
    pool, made = hands()
    queue = Queue(pool)
    queue.submit([work("a"), work("b")])
    for message in pool.messages(0):
        queue.heard(message)
    pool.pause()
    made[0].says(key="a", status=PAUSED, reason="", seconds=1.0)
    ended = {one.key: one.outcome.status for one in pool.messages(0.01)}
    assert ended == {"a": PAUSED, "b": PAUSED}
    assert queue.begun == {"a"} and made[0].got == ["a", "end"]
