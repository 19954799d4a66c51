"""A pool of workers, wherever these are: who gets which run, and what becomes of one that dies."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from zoo.errors import StudyError
from zoo.studies.carrying import PAUSED, Outcome, Work
from zoo.studies.executing import BEGUN, MOST_DEATHS, Ended, Message, Told, died
from zoo.studies.worker import GO_ON, PRUNE

Said = tuple["Worker", Mapping[str, Any] | None]  # None: it is gone


class Worker(Protocol):
    """Carries out one run after the other (``zoo.studies.worker``), and puts what it says, and at
    last its end, into the pool's queue. ``place``: its number, from 0."""

    place: int
    log: str  # where to look when it cannot begin

    def write(self, line: str) -> None:
        """Nothing is said to one that is gone."""

    def end_input(self) -> None:
        """It saves, and ends."""

    def kill(self) -> None: ...

    def how(self) -> tuple[str, bool]:
        """(how it ended, whether by itself), once it did."""


Begin = Callable[[int, SimpleQueue[Said]], Worker]


class Pool:
    """``count`` workers, each begun by ``begin`` when there is work for it."""

    def __init__(self, count: int, begin: Begin) -> None:
        self.count, self._new = count, begin
        self.workers: list[Worker] = []
        self._work: dict[int, Work] = {}  # by place
        self._ready: set[int] = set()
        self._waiting: deque[Work] = deque()
        self._said: SimpleQueue[Said] = SimpleQueue()
        self._deaths: dict[str, int] = {}
        self._paused = False

    def submit(self, work: Work) -> None:
        self._waiting.append(work)

    def messages(self, timeout: float) -> list[Message]:
        found = self._begin()
        until = time.monotonic() + timeout
        while True:
            left = until - time.monotonic()
            try:
                worker, said = self._said.get(timeout=0 if found else max(left, 0))
            except Empty:
                return found
            found += self._heard(worker, said)
            found += self._begin()

    def answer(self, key: str, *, go_on: bool) -> None:
        for worker in self.workers:
            work = self._work.get(worker.place)
            if work is not None and work.key == key:
                worker.write(GO_ON if go_on else PRUNE)

    def pause(self) -> None:
        self._paused = True
        for worker in self.workers:
            worker.end_input()

    def close(self) -> None:
        for worker in self.workers:
            worker.end_input()
            if worker.place in self._work:
                worker.kill()
        for worker in self.workers:
            worker.how()
        self.workers.clear()

    def _begin(self) -> list[Message]:
        """Give what waits to whoever has nothing to do."""
        if self._paused:
            ended: list[Message] = [Ended(work.key, Outcome(PAUSED)) for work in self._waiting]
            self._waiting.clear()
            return ended
        found: list[Message] = []
        while self._waiting:
            worker = self._idle()
            if worker is None:
                break
            work = self._waiting.popleft()
            self._work[worker.place] = work
            worker.write(work.as_line())
            found.append(Told(work.key, {"event": BEGUN}))
        return found

    def _idle(self) -> Worker | None:
        for worker in self.workers:
            if worker.place not in self._work:
                return worker
        if len(self.workers) == self.count:
            return None
        taken = {one.place for one in self.workers}
        place = next(place for place in range(self.count) if place not in taken)
        self._ready.discard(place)
        self.workers.append(self._new(place, self._said))
        return self.workers[-1]

    def _heard(self, worker: Worker, said: Mapping[str, Any] | None) -> list[Message]:
        if said is None:
            return self._gone(worker)
        if "ready" in said:
            self._ready.add(worker.place)
            return []
        key = str(said["key"])
        if "event" in said:
            return [Told(key, said["event"])]
        if said["status"] == PAUSED and not self._paused:
            return []  # somebody ended the worker, not the study: its run is gone on with
        self._work.pop(worker.place, None)
        return [Ended(key, Outcome(said["status"], said["reason"], said["seconds"]))]

    def _gone(self, worker: Worker) -> list[Message]:
        self.workers.remove(worker)
        work = self._work.pop(worker.place, None)
        how, by_itself = worker.how()
        if work is None:
            return []
        if self._paused:
            return [Ended(work.key, Outcome(PAUSED))]
        if by_itself and worker.place not in self._ready:
            raise StudyError([f"a worker {how} before it could begin; see {worker.log}"])
        self._deaths[work.key] = self._deaths.get(work.key, 0) + 1
        if self._deaths[work.key] >= MOST_DEATHS:
            return [Ended(work.key, died(how))]
        self._waiting.appendleft(work)
        return []
