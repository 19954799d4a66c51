"""Runs on a Ray cluster: an actor for each worker, which starts the same process as on one machine.

The folder of results has to be on a file system that every node sees, and zoo with its plugins
installed on each; Ray chooses the node. An actor that dies with its node is begun again elsewhere,
and its run gone on with from its checkpoint.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from zoo.errors import StudyError, reason
from zoo.runs.extras import needed
from zoo.storage import commit
from zoo.studies.executing_pool import Pool, Said
from zoo.studies.executing_processes import COMMAND

_LOOK = 0.5  # seconds that an actor waits for something to tell
_GONE = "gone"


class RayWorkers(Pool):
    """``address``: of the cluster, as ``auto`` or ``HOST:PORT``; ``cpus`` of each worker, which has
    a GPU where the cluster has some."""

    def __init__(self, count: int, address: str, logs: Path, cpus: float = 1) -> None:
        ray = needed("ray", "ray", "a study on Ray")
        try:
            if not ray.is_initialized():
                ray.init(address=address, log_to_driver=False, configure_logging=False)
        except Exception as error:
            raise StudyError(
                [f"--ray {address}: no such cluster: {reason(error)}; start one with: ray start "
                 f"--head"]
            ) from error  # fmt: skip
        commit.make_folder(logs)
        gpus = min(1, int(ray.cluster_resources().get("GPU", 0)))
        actor = ray.remote(num_cpus=cpus, num_gpus=gpus, max_concurrency=4)(Relay)
        folder = str(Path.cwd())

        def begin(place: int, said: SimpleQueue[Said]) -> RayWorker:
            log = logs / f"worker-{place + 1}.log"
            relay = actor.remote(str(log.absolute()), folder)
            return RayWorker(ray, relay, place, log, said)

        super().__init__(count, begin)


class Relay:
    """In the cluster: a worker process, and its input and output as calls."""

    def __init__(self, log: str, folder: str) -> None:
        with Path(log).open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                cwd=folder,
            )
        self._lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def said(self) -> list[str]:
        """Lines, once there are some; the last is :data:`_GONE` behind how it ended."""
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
        except (OSError, ValueError):
            return

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def process_id(self) -> int:
        return self.process.pid

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put(json.dumps({_GONE: self.process.wait()}))


class RayWorker:
    def __init__(
        self, ray: Any, relay: Any, place: int, log: Path, said: SimpleQueue[Said]
    ) -> None:
        self.place, self.log = place, repr(str(log))
        self.relay = relay
        self._ray, self._said = ray, said
        self._how = ("ended", True)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        self.relay.write.remote(line)

    def end_input(self) -> None:
        self.relay.end_input.remote()

    def kill(self) -> None:
        self._ray.kill(self.relay)

    def how(self) -> tuple[str, bool]:
        self._ended.wait()
        return self._how

    def _listen(self) -> None:
        """An actor that dies takes its process's input with it, so that the process saves."""
        try:
            while not self._ended.is_set():
                for line in self._ray.get(self.relay.said.remote()):
                    self._tell(json.loads(line))
        except Exception as error:  # Ray's own, of many kinds; or a line torn by a kill
            self._how = (f"was lost by Ray ({type(error).__name__})", False)
        self._ended.set()
        self._said.put((self, None))
        self._ray.kill(self.relay)

    def _tell(self, said: Mapping[str, Any]) -> None:
        if _GONE in said:
            code = said[_GONE]
            self._how = (f"ended with code {code}", code >= 0)
            self._ended.set()
        else:
            self._said.put((self, said))
