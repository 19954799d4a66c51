"""A worker: ``python -m zoo.studies.worker`` carries out one run after the other.

Each line of its input is a run as JSON, each line of its output an event or an outcome. It imports
torch once. When its input ends, whoever started it is gone: it saves and ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any, TextIO

from zoo.studies.carrying import PAUSED, Outcome, PrunedError, Work, carry_out

GO_ON, PRUNE = "go on", "prune"
_OWN_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Returns when the input ends, or after the run in which a signal came."""
    answers = _own_output()
    lines: SimpleQueue[str] = SimpleQueue()
    for number in _OWN_SIGNALS:
        signal.signal(number, _interrupt)
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        _warm_up()
        _write(answers, {"ready": os.getpid()})
        while line := lines.get():
            work = Work.of_line(line)
            begun = time.perf_counter()
            outcome = _carried_out(work, answers, lines)
            took = time.perf_counter() - begun
            said = {"status": outcome.status, "reason": outcome.reason, "seconds": took}
            _write(answers, {"key": work.key, **said})
            if outcome.status == PAUSED:
                break
    return 0


def _carried_out(work: Work, answers: TextIO, lines: SimpleQueue[str]) -> Outcome:
    def tell(event: Mapping[str, Any]) -> None:
        _write(answers, {"key": work.key, "event": event})
        if work.asks and event.get("event") == "epoch_ended":
            answer = lines.get()
            if answer.strip() == PRUNE:
                raise PrunedError
            if not answer:
                raise KeyboardInterrupt

    try:
        return carry_out(work, tell)
    except KeyboardInterrupt:
        return Outcome(PAUSED)


def _listen(lines: SimpleQueue[str]) -> None:
    """Runs and answers as they come. At the end of the input, a run that is under way saves."""
    for line in sys.stdin:
        lines.put(line)
    lines.put("")
    os.kill(os.getpid(), signal.SIGTERM)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _own_output() -> TextIO:
    """The standard output for answers alone: what libraries print goes where errors go."""
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "w", encoding="utf-8")


def _write(answers: TextIO, message: Mapping[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _warm_up() -> None:
    """Import what every run needs, before the first one is timed."""
    from zoo.plugins.catalog import catalog
    from zoo.runs import evaluate, resume, train

    del evaluate, resume, train
    catalog()


if __name__ == "__main__":
    sys.exit(main())
