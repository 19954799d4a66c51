"""Runs as jobs of a Slurm cluster, by submitit: one job a run, gone on with when it is preempted.

The folder of results has to be on a file system that every node sees. A job that is cancelled, out
of time or preempted saves first; one that is lost is submitted once more. What a job comes to is
a JSON file: the pickle that submitit leaves beside it is never read here.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.errors import StudyError, reason
from zoo.runs.extras import needed
from zoo.storage import commit, strict_json
from zoo.studies.carrying import PAUSED, Outcome, Work, carry_out
from zoo.studies.executing import BEGUN, MOST_DEATHS, Ended, Message, Told, died

_OUTCOME_BYTES = 1 << 20
_LOOK = 0.5  # seconds between two looks at the jobs
SLURM, LOCAL = "slurm", "local"
TIMES_OUT = "slurm_max_num_timeout"
# submitit's own are 5 minutes and 3 times: a training would be given up after a quarter of an hour.
DEFAULTS: Mapping[str, Any] = {"timeout_min": 240, TIMES_OUT: 100}


class Carry:
    """What a job does; submitit calls ``checkpoint`` when its time is over or it is preempted."""

    def __call__(self, line: str, path: str) -> None:
        """Leave the outcome at ``path``; none where the job is to be queued again."""
        begun = time.perf_counter()
        with _saving_first() as ask_submitit:
            try:
                outcome = carry_out(Work.of_line(line), lambda event: None)
            except KeyboardInterrupt:
                outcome = Outcome(PAUSED)
                ask_submitit()
        took = time.perf_counter() - begun
        said = {"status": outcome.status, "reason": outcome.reason, "seconds": took}
        commit.write(Path(path), strict_json.dumps(said))

    def checkpoint(self, line: str, path: str) -> Any:
        submitit = needed("submitit", "slurm", "a study on Slurm")
        return submitit.helpers.DelayedSubmission(self, line, path)


@contextmanager
def _saving_first() -> Iterator[Callable[[], None]]:
    """What Slurm sends before a job's time is over becomes a SIGTERM, upon which a training saves.
    Yields what then tells submitit of it, which queues the job again; it does nothing where no such
    signal came."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    over = signal.SIGUSR2  # as submitit has it
    submitit, nobody = signal.getsignal(over), signal.getsignal(signal.SIGTERM)
    came = False

    def heard(number: int, frame: Any) -> None:
        nonlocal came
        if signal.getsignal(signal.SIGTERM) != nobody:
            came = True
            os.kill(os.getpid(), signal.SIGTERM)
        elif callable(submitit):  # nothing is trained now
            submitit(number, frame)

    def ask_submitit() -> None:
        if came and callable(submitit):
            submitit(over, None)

    signal.signal(over, heard)
    try:
        yield ask_submitit
    finally:
        signal.signal(over, submitit)


class SlurmJobs:
    """At most ``count`` jobs at once. ``options``: as ``submitit.AutoExecutor.update_parameters``
    takes them (``slurm_partition``, ``timeout_min``, ``gpus_per_node``, ...), and how often a job
    whose time is over is queued again (``slurm_max_num_timeout``), both over :data:`DEFAULTS`;
    ``cluster``: slurm, or local for processes of this machine."""

    def __init__(
        self, count: int, folder: Path, options: Mapping[str, Any], cluster: str = SLURM
    ) -> None:
        submitit = needed("submitit", "slurm", "a study on Slurm")
        try:
            asked = {**DEFAULTS, **options}
            again = {TIMES_OUT: asked.pop(TIMES_OUT)}
            self._executor = submitit.AutoExecutor(folder=str(folder), cluster=cluster, **again)
            self._executor.update_parameters(**asked)
        except Exception as error:  # of many kinds: no such cluster, no such option
            raise StudyError([f"--slurm: {reason(error)}"]) from error
        self.count, self._folder = count, folder
        self._waiting: list[Work] = []
        self._jobs: dict[str, tuple[Work, Any]] = {}
        self._deaths: dict[str, int] = {}
        self._paused = False

    def submit(self, work: Work) -> None:
        if work.asks:
            raise StudyError(
                ["a search that prunes has to hear from its trials, which jobs of Slurm do not "
                 "allow: set pruner = \"none\", or run it with --workers or --ray"]
            )  # fmt: skip
        self._waiting.append(work)

    def messages(self, timeout: float) -> list[Message]:
        until = time.monotonic() + timeout
        while True:
            found = [*self._begin(), *self._ended()]
            if found or time.monotonic() > until:
                return found
            time.sleep(min(_LOOK, max(until - time.monotonic(), 0)))

    def answer(self, key: str, *, go_on: bool) -> None:
        """Nobody asks."""

    def pause(self) -> None:
        self._paused = True
        for _, job in self._jobs.values():
            job.cancel()  # a SIGTERM, upon which a training saves

    def close(self) -> None:
        self.pause()

    def _begin(self) -> list[Message]:
        found: list[Message] = []
        while self._waiting and (self._paused or len(self._jobs) < self.count):
            work = self._waiting.pop(0)
            if self._paused:
                found.append(Ended(work.key, Outcome(PAUSED)))
                continue
            path = self._path(work.key)
            path.unlink(missing_ok=True)  # of an earlier study
            job = self._executor.submit(Carry(), work.as_line(), str(path))
            self._jobs[work.key] = (work, job)
            found.append(Told(work.key, {"event": BEGUN}))
        return found

    def _ended(self) -> list[Message]:
        found: list[Message] = []
        for key, (work, job) in list(self._jobs.items()):
            if not job.done():
                continue
            del self._jobs[key]
            path = self._path(key)
            if path.is_file():
                data = path.read_bytes()
                said = strict_json.loads(data, f"outcome {str(path)!r}", _OUTCOME_BYTES)
                found.append(Ended(key, Outcome(**said)))
            elif self._paused:
                found.append(Ended(key, Outcome(PAUSED)))
            else:
                self._deaths[key] = self._deaths.get(key, 0) + 1
                if self._deaths[key] >= MOST_DEATHS:
                    found.append(Ended(key, died("was lost by Slurm")))
                else:
                    self._waiting.insert(0, work)
        return found

    def _path(self, key: str) -> Path:
        """Where a job leaves what it came to."""
        return self._folder / f"{key}.outcome.json"
