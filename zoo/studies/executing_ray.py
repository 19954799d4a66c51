"""Runs on a Ray cluster: an actor for each worker, which starts the same process as on one machine.

Ray chooses the node. A worker that is lost is begun again, there or elsewhere, and its run gone on
with from its checkpoint.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from zoo.storage import commit
from zoo.studies.executing_pool import Pool, Said
from zoo.studies.executing_processes import ending
from zoo.studies.ray_cluster import connected, last_line

_COMMAND = ("-P", "-m", "zoo.studies.ray_process")
_LOOK = 5.0  # seconds that an actor waits for something to tell
_GONE = "gone"
_CREATION = "creation task"  # how Ray says that an actor itself failed to begin


class RayWorkers(Pool):
    """``count`` workers on the cluster at ``address`` (:func:`zoo.studies.ray_cluster.connected`),
    each with a GPU where the cluster has some. ``out``: the folder of results, with ``logs`` in it;
    ``threads``: those of a run, for which so many CPUs are kept. Raises :class:`StudyError` when
    there is no such cluster, or a node that cannot carry out runs."""

    def __init__(self, count: int, address: str, out: Path, logs: Path, threads: int = 1) -> None:
        commit.make_folder(logs)
        with ExitStack() as stack:
            cluster = stack.enter_context(connected(address))
            cluster.require_room(threads)
            cluster.require_seen(out)
            self._connection = stack.pop_all()
        ray = cluster.ray
        actor = ray.remote(num_cpus=threads, num_gpus=cluster.gpus(), max_concurrency=4)(Relay)
        surroundings = {key: one for key, one in os.environ.items() if key.startswith("ZOO_")}
        here = str(Path.cwd())

        def begin(place: int, said: SimpleQueue[Said]) -> RayWorker:
            log = logs / f"worker-{place + 1}.log"
            relay = actor.remote(str(log.absolute()), here, surroundings)
            return RayWorker(ray, relay, place, log, said)

        super().__init__(count, begin)

    def close(self) -> None:
        super().close()
        self._connection.close()


class Relay:
    """In the cluster: a worker process, and its input and output as calls."""

    def __init__(self, log: str, here: str, surroundings: Mapping[str, str]) -> None:
        read, self._lifeline = os.pipe()  # the other end is held as long as this process lives
        with Path(log).open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *_COMMAND, str(read)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                cwd=here,
                env={**os.environ, **surroundings},
                pass_fds=(read,),
            )
        os.close(read)
        self._lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def said(self) -> list[str]:
        """Lines, once there are some; the last is how it ended."""
        try:
            found = [self._lines.get(timeout=_LOOK)]
        except Empty:
            return []
        while not self._lines.empty():
            found.append(self._lines.get())
        return found

    def write(self, line: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except (OSError, ValueError):  # it is gone, which its last line says
            return

    def end_input(self) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except OSError:
            return

    def process_ids(self) -> tuple[int, int]:
        """(of the actor, of the worker)."""
        return os.getpid(), self.process.pid

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put(json.dumps({_GONE: self.process.wait()}))


class RayWorker:
    """The study's end of a :class:`Relay`."""

    def __init__(
        self, ray: Any, relay: Any, place: int, log: Path, said: SimpleQueue[Said]
    ) -> None:
        self.place, self.log = place, repr(str(log))
        self.relay = relay
        self._ray, self._said = ray, said
        self._ready = False
        self._how = ("ended", True)
        self._ended = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def write(self, line: str) -> None:
        self.relay.write.remote(line)

    def end_input(self) -> None:
        """One that waits for a place in the cluster may wait for long, and has nothing to save."""
        if self._ready:
            self.relay.end_input.remote()
        else:
            self.kill()

    def kill(self) -> None:
        self._ray.kill(self.relay)

    def how(self) -> tuple[str, bool]:
        self._ended.wait()
        return self._how

    def _listen(self) -> None:
        try:
            while not self._ended.is_set():
                for line in self._ray.get(self.relay.said.remote()):
                    self._tell(json.loads(line))
        except Exception as error:  # Ray's own, of many kinds; or a line torn by a kill
            self._how = self._lost(error)
        self._ended.set()
        self._said.put((self, None))
        with contextlib.suppress(Exception):  # the cluster is gone with it
            self.kill()

    def _lost(self, error: Exception) -> tuple[str, bool]:
        if not self._ready and _CREATION in str(error):
            return f"was refused by a node ({last_line(error)})", True
        return f"was lost by Ray ({type(error).__name__})", False

    def _tell(self, said: Mapping[str, Any]) -> None:
        if _GONE in said:
            self._how = ending(said[_GONE])
            self._ended.set()
        else:
            self._ready = self._ready or "ready" in said
            self._said.put((self, said))
