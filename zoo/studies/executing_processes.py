"""Runs on this machine: worker processes, each of which carries out one run after the other."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue

from zoo.storage import commit
from zoo.studies.executing_pool import Pool, Said

COMMAND = ("-P", "-m", "zoo.studies.worker")
VISIBLE = "CUDA_VISIBLE_DEVICES"
_GRACE = 5.0  # seconds to end after being told to


class Processes(Pool):
    """``count`` worker processes, their errors in ``logs``. Each holds ``lock``; ``gpus``: given to
    them in turn, none to see them all."""

    def __init__(
        self, count: int, logs: Path, lock: int | None = None, gpus: Sequence[str] = ()
    ) -> None:
        commit.make_folder(logs)

        def begin(place: int, said: SimpleQueue[Said]) -> Process:
            gpu = gpus[place % len(gpus)] if gpus else None
            return Process(place, logs / f"worker-{place + 1}.log", said, lock, gpu)

        super().__init__(count, begin)


class Process:
    """``gpu``: the only one that it sees, where it is to see one."""

    def __init__(
        self, place: int, log: Path, said: SimpleQueue[Said], lock: int | None, gpu: str | None
    ) -> None:
        self.place, self.log = place, repr(str(log))
        self._said = said
        environment = dict(os.environ)
        if gpu is not None:
            environment[VISIBLE] = gpu
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *COMMAND],
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

    def write(self, line: str) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.close()

    def kill(self) -> None:
        self.process.kill()

    def how(self) -> tuple[str, bool]:
        self.end_input()
        try:
            code = self.process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        return ending(code)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines, contextlib.suppress(ValueError):
            for line in lines:  # one torn by a kill is its last
                self._said.put((self, json.loads(line)))
        self._said.put((self, None))


def ending(code: int) -> tuple[str, bool]:
    """(how a process with this exit status ended, whether by itself)."""
    if code >= 0:
        return f"ended with code {code}", True
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}", False
    return f"was ended by signal {-code}", False


def visible_gpus() -> list[str]:
    """What CUDA would call the devices that this process may use; none without CUDA."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    named = os.environ.get(VISIBLE)
    if named:
        return [one.strip() for one in named.split(",") if one.strip()][:count]
    return [str(place) for place in range(count)]
