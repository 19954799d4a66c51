"""How processes know that the others live, and what ended one that does not.

Each writes a beat to a store that all reach, and watches the beats of the others. The first failure
that is written there is the cause that all of them name. A process whose main thread waits for one
that is gone cannot notice; a thread of its own then ends it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from zoo.errors import TrainingError, printable

BEAT = 1.0  # seconds
# Rounds of beats. A process is asked for after an exchange with it failed, or it is waited for.
LATE, GONE, SILENT = 2, 4, 15
GRACE = 5  # more rounds, for the main thread to end by itself
JOIN = 300.0  # seconds within which all processes have to come
DONE, FAILED = "done", "failed"
_FAILURE = "failure"


class Lifeline:
    """``store``: of torch.distributed, with a connection of its own, for a waiting call keeps every
    other from it. ``ending``: called with the cause before a process is ended from within."""

    def __init__(self, store: Any, beats: Any, rank: int, ranks: int) -> None:
        self.store, self.rank, self.ranks = store, rank, ranks
        self.ending: Callable[[str], object] = lambda text: None
        self.names = [f"process {one} of {ranks}" for one in range(ranks)]
        self._beats = beats
        self._keys = [f"beat/{one}" for one in range(ranks)]
        self._own = ""  # how this process left
        self._failure = ""
        self._lost = False
        self._rounds = 0
        self._seen = [""] * ranks
        self._quiet = [0] * ranks
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=one, daemon=True) for one in (self._beat, self._watch)
        ]

    def start(self) -> list[str]:
        """Wait for all processes. Returns their machines, by rank."""
        self.store.set(self._keys[self.rank], "0")
        machine = socket.gethostname()
        self.store.set(f"who/{self.rank}", f"{machine} {os.getpid()}")
        began, machines = time.monotonic(), []
        for rank in range(self.ranks):
            while not self.store.check([f"who/{rank}"]):
                if time.monotonic() - began > JOIN:
                    raise TrainingError(
                        f"{self.names[rank]} has not come within {JOIN:.0f} s; start all of them"
                    )
                time.sleep(0.05)
            host, _, number = self.store.get(f"who/{rank}").decode().rpartition(" ")
            self.names[rank] += f" (pid {number} on {host})"
            machines.append(host)
        for thread in self._threads:
            thread.start()
        return machines

    def wait(self, key: str) -> str:
        """What some process will set, however long it takes. Raises :class:`TrainingError` when one
        fails meanwhile."""
        while not self.store.check([key]):
            if text := self._trouble(SILENT):
                raise TrainingError(text)
            time.sleep(0.02)
        return str(self.store.get(key).decode())

    def record(self, text: str) -> str:
        """Let everyone know why this process ends. Returns the first such text of all."""
        with contextlib.suppress(RuntimeError):
            if not self._failure and not self._lost:  # a store that was stopped answers nothing
                self._failure = self.store.compare_set(_FAILURE, "", text).decode()
        self._failure = self._failure or text
        return self._failure

    def cause(self) -> str | None:
        """Why another process ended; None where all live. Takes some seconds."""
        with unhurried():
            for _ in range(10 * (GONE + 1)):
                if text := self._trouble(GONE):
                    return self.record(text)
                time.sleep(BEAT / 10)
        return None

    @property
    def tells(self) -> bool:
        """Whether it is this process that says what happened: no earlier one lives or has said."""
        for rank in range(self.rank):
            silent = self._quiet[rank] >= LATE or (rank == 0 and self._lost)
            if self._seen[rank] == FAILED or (self._seen[rank] != DONE and not silent):
                return False
        return True

    def leave(self, how: str, patience: float) -> None:
        """Say goodbye, then wait up to ``patience`` seconds until all others have, or are gone: the
        store may live in this process. Raises :class:`TrainingError` when one failed though this
        one is ``DONE``."""
        self._own = how
        began = time.monotonic()
        try:
            if not self._lost:
                self.store.set(self._keys[self.rank], how)
            while not self._lost and time.monotonic() - began < patience:
                said = [one.decode() for one in self.store.multi_get(self._keys)]
                gone = self._gone(GONE)
                if all(one in (DONE, FAILED) or rank in gone for rank, one in enumerate(said)):
                    return
                if how == DONE and (text := self._trouble(SILENT)):
                    raise TrainingError(text)
                time.sleep(BEAT / 20)
        except RuntimeError:
            return  # the store went with the process that held it
        finally:
            self._over.set()

    def _beat(self) -> None:
        try:
            while not self._over.wait(BEAT):
                self._beats.set(self._keys[self.rank], self._own or str(self._rounds))
                for rank, value in enumerate(self._beats.multi_get(self._keys)):
                    known, self._seen[rank] = self._seen[rank], value.decode()
                    alive = self._seen[rank] != known or known in (DONE, FAILED)
                    self._quiet[rank] = 0 if alive else self._quiet[rank] + 1
                if not self._failure and self._beats.check([_FAILURE]):
                    self._failure = self._beats.get(_FAILURE).decode()
                self._rounds += 1
        except RuntimeError:  # torch's own errors of a store are some
            self._lost = True

    def _watch(self) -> None:
        """Counts rounds, not seconds: a process that was stopped itself finds no other late."""
        troubled = stalled = last = 0
        while not self._over.wait(BEAT):
            stalled = stalled + 1 if self._rounds == last else 0
            last = self._rounds
            self._lost |= stalled > SILENT  # a store that was stopped answers nothing
            text = self._trouble(SILENT)
            troubled = troubled + 1 if text else 0
            if text and troubled > GRACE:
                self._end(self.record(text))

    def _end(self, text: str) -> None:
        if self.tells:
            print(f"zoo: error: {printable(text)}", file=sys.stderr, flush=True)
        with contextlib.suppress(Exception):
            self.ending(text)
        os._exit(1)

    def _trouble(self, rounds: int) -> str:
        if self._failure:
            return self._failure
        if gone := self._gone(rounds):
            return f"{self.names[gone[0]]} is gone: {_ADVICE}"
        if self._lost:
            return f"{self.names[0]}, or the launcher, is gone: {_ADVICE}"
        return ""

    def _gone(self, rounds: int) -> list[int]:
        return [rank for rank in range(self.ranks) if self._quiet[rank] >= rounds]


@contextmanager
def unhurried() -> Iterator[None]:
    """SIGTERM changes nothing inside: a launcher sends it to all once one has ended, and again,
    while they are finding out why. What does not end by itself it kills."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


_ADVICE = (
    "it was killed, hangs, or lost its connection; zoo resume goes on from the last checkpoint"
)
