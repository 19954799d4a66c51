"""Runs on this machine: worker processes, each of which carries out one run after the other."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from zoo.errors import StudyError
from zoo.storage import commit
from zoo.studies.carrying import PAUSED, Outcome, Work
from zoo.studies.executing import BEGUN, MOST_DEATHS, Ended, Message, Told, died
from zoo.studies.worker import GO_ON, PRUNE

_COMMAND = ("-P", "-m", "zoo.studies.worker")
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_GRACE = 5.0  # seconds to end after being told to
Said = tuple["Worker", dict[str, Any] | None]  # None: it is gone


class Worker:
    """One process, number ``place`` from 0. ``work``: what it carries out; ``gpu``: the only one
    that it sees, where it is to see one."""

    def __init__(
        self, place: int, log: Path, said: SimpleQueue[Said], lock: int | None, gpu: str | None
    ) -> None:
        self.place = place
        self.work: Work | None = None
        self.ready = False
        self.log = log
        self._said = said
        environment = dict(os.environ)
        if gpu is not None:
            environment[_VISIBLE] = gpu
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *_COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                env=environment,
                # Ctrl-C is the study's to hear, which then tells its workers.
                start_new_session=True,
                pass_fds=() if lock is None else (lock,),
            )
        threading.Thread(target=self._listen, daemon=True).start()

    def take(self, work: Work) -> None:
        self.work = work
        self.write(json.dumps(work.as_json()))

    def write(self, line: str) -> None:
        """To one that is gone nothing is said: :meth:`_listen` tells of it."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def end_input(self) -> None:
        """It saves, and ends."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.close()

    def how(self) -> str:
        code = self.process.wait()
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError):  # a line torn by a kill is its last
            for line in self.process.stdout:
                self._said.put((self, json.loads(line)))
        self._said.put((self, None))


class Processes:
    """``count`` workers, begun when there is work for them. Each holds ``lock``; ``gpus``: given to
    them in turn, none to see them all."""

    def __init__(
        self, count: int, logs: Path, lock: int | None = None, gpus: Sequence[str] = ()
    ) -> None:
        self.count, self.logs, self.lock, self.gpus = count, logs, lock, gpus
        self._waiting: deque[Work] = deque()
        self._workers: list[Worker] = []
        self._said: SimpleQueue[Said] = SimpleQueue()
        self._deaths: dict[str, int] = {}
        self._paused = False
        commit.make_folder(logs)

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
        for worker in self._workers:
            if worker.work is not None and worker.work.key == key:
                worker.write(GO_ON if go_on else PRUNE)

    def pause(self) -> None:
        self._paused = True
        for worker in self._workers:
            worker.end_input()

    def close(self) -> None:
        for worker in self._workers:
            worker.end_input()
            if worker.work is not None:
                worker.process.kill()
        for worker in self._workers:
            try:
                worker.process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        self._workers.clear()

    def _begin(self) -> list[Message]:
        """Give what waits to whoever has nothing to do."""
        if self._paused:
            ended = [Ended(work.key, Outcome(PAUSED)) for work in self._waiting]
            self._waiting.clear()
            return list(ended)
        found: list[Message] = []
        while self._waiting:
            idle = next((one for one in self._workers if one.work is None), None)
            if idle is None and len(self._workers) < self.count:
                idle = self._new_worker()
            if idle is None:
                break
            work = self._waiting.popleft()
            idle.take(work)
            found.append(Told(work.key, {"event": BEGUN}))
        return found

    def _new_worker(self) -> Worker:
        place = self._free_place()
        gpu = self.gpus[place % len(self.gpus)] if self.gpus else None
        log = self.logs / f"worker-{place + 1}.log"
        worker = Worker(place, log, self._said, self.lock, gpu)
        self._workers.append(worker)
        return worker

    def _free_place(self) -> int:
        taken = {one.place for one in self._workers}
        return next(place for place in range(self.count) if place not in taken)

    def _heard(self, worker: Worker, said: dict[str, Any] | None) -> list[Message]:
        if said is None:
            return self._gone(worker)
        if "ready" in said:
            worker.ready = True
            return []
        key = str(said["key"])
        if "event" in said:
            return [Told(key, said["event"])]
        worker.work = None
        return [Ended(key, Outcome(said["status"], said["reason"], said["seconds"]))]

    def _gone(self, worker: Worker) -> list[Message]:
        self._workers.remove(worker)
        work, how = worker.work, worker.how()
        if work is None:
            return []
        if not worker.ready and worker.process.returncode > 0 and not self._paused:
            raise StudyError([f"a worker {how} before it could begin; see {str(worker.log)!r}"])
        self._deaths[work.key] = self._deaths.get(work.key, 0) + 1
        if self._paused:
            return [Ended(work.key, Outcome(PAUSED))]
        if self._deaths[work.key] >= MOST_DEATHS:
            return [Ended(work.key, died(how))]
        self._waiting.appendleft(work)
        return []


def visible_gpus() -> list[str]:
    """What CUDA would call the devices that this process may use; none without CUDA."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    named = os.environ.get(_VISIBLE)
    if named:
        return [one.strip() for one in named.split(",") if one.strip()][:count]
    return [str(place) for place in range(count)]
