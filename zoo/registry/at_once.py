"""Several jobs at once, and no more of them once one has failed."""

from __future__ import annotations

import collections
import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

_WORKERS = 4
_GRACE = 1.0  # seconds that jobs under way have to notice that they are not wanted any more
_T = TypeVar("_T")


class UnwantedError(Exception):
    """Raised inside a job, to end it: another one has failed."""


def at_once(
    jobs: Sequence[Callable[[Callable[[], None]], _T]], workers: int = _WORKERS
) -> list[_T]:
    """What the jobs give, in their order. Each is given a function to call now and then, which
    raises :class:`UnwantedError` when the job is not wanted any more. Raises what the first job to
    fail raised."""
    waiting = collections.deque(enumerate(jobs))
    over = threading.Event()
    done: queue.SimpleQueue[tuple[int, _T | None, BaseException | None]] = queue.SimpleQueue()

    def still_wanted() -> None:
        if over.is_set():
            raise UnwantedError

    def work() -> None:
        while not over.is_set():
            try:
                place, job = waiting.popleft()
            except IndexError:
                return
            try:
                done.put((place, job(still_wanted), None))
            except BaseException as error:
                done.put((place, None, error))
                over.set()

    # Not an executor, whose threads are waited for at the end, a silent server's too.
    threads = [threading.Thread(target=work, daemon=True) for _ in jobs[:workers]]
    for thread in threads:
        thread.start()
    results: dict[int, _T] = {}
    try:
        while len(results) < len(jobs):
            place, result, error = done.get()
            if error is not None:
                raise error
            results[place] = result  # type: ignore[assignment]
    finally:
        over.set()
        for thread in threads:
            thread.join(_GRACE)
    return [results[place] for place in range(len(jobs))]
