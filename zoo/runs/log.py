"""``events.jsonl``: every event of the loop as it came, and the lock on a run being trained."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from zoo.errors import RunError
from zoo.storage import commit
from zoo.training.events import Event
from zoo.training.position import Position

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: nothing keeps a second process out there
    fcntl = None


@contextmanager
def event_log(path: Path, position: Position) -> Iterator[TextIO]:
    """The log to write into, after what it says of the time before ``position``. Raises
    :class:`RunError` while another process trains this run."""
    path.touch()
    with path.open("a", encoding="utf-8") as lock:
        _lock(lock, path.parent)
        if position.step:
            kept = [line for line in _lines(path) if _is_before(json.loads(line), position)]
            text = "".join(kept).encode()
            # The same file, not a new one in its place: the lock is on this one.
            os.truncate(path, 0)
            os.write(lock.fileno(), text)
            commit.sync_folder(path.parent)
        yield lock


def write(log: TextIO, event: Event) -> None:
    log.write(json.dumps(event.as_json(), allow_nan=False) + "\n")
    log.flush()


def _lock(log: TextIO, run: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(log.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunError(f"run {str(run)!r} is being trained by another process") from None
    except OSError:  # a file system without locks
        return


def _lines(path: Path) -> Iterator[str]:
    """Whole lines: a kill may have torn the last one."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            try:
                whole = isinstance(json.loads(line), dict)
            except ValueError:
                whole = False
            if whole and line.endswith("\n"):
                yield line


def _is_before(event: dict[str, Any], position: Position) -> bool:
    """Whether an event is of the time before, and not to come again."""
    epoch, steps = event.get("epoch"), event.get("steps", 0)
    if event.get("event") == "training_ended":
        return False
    if not isinstance(epoch, int) or event.get("event") == "resumed":
        return True
    if event.get("event") == "epoch_ended":
        return epoch < position.epoch
    return epoch < position.epoch or (epoch == position.epoch and steps <= position.done)
