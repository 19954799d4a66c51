"""``events.jsonl``: every event of the loop as it came, and the lock on a run being trained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from zoo.errors import RunError
from zoo.storage import commit
from zoo.storage.failures import reported
from zoo.training.events import Event
from zoo.training.position import Position

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: nothing keeps a second process out there
    fcntl = None


@contextmanager
def event_log(path: Path) -> Iterator[EventLog]:
    """The log to write into; as long as it is open, the run is this process's. Raises
    :class:`RunError` while another process trains it."""
    with ExitStack() as stack:
        yield EventLog(path, stack)


class EventLog:
    """Lines of JSON, on disk as soon as they are written."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._path = path
        self._stack = stack
        self._stream = self._open()

    def write(self, event: Event) -> None:
        with reported("write", self._path):
            self._stream.write(json.dumps(event.as_json(), allow_nan=False) + "\n")
            self._stream.flush()

    def rewind(self, position: Position) -> None:
        """Keep what it says of the time before ``position``: what comes after it comes again."""
        kept = [line for line, event in _lines(self._path) if _is_before(event, position)]
        if fcntl is None:
            self._stream.close()  # Windows replaces no open file
        # The old file stays locked until the end: who opened it before this is refused as well.
        commit.write(self._path, "".join(kept).encode())
        self._stream = self._open()

    def _open(self) -> TextIO:
        with reported("write", self._path):
            stream = self._stack.enter_context(self._path.open("a", encoding="utf-8"))
        _lock(stream, self._path.parent)
        return stream


def _lock(log: TextIO, run: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(log.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunError(f"run {str(run)!r} is being trained by another process") from None
    except OSError:  # a file system without locks
        return


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Whole lines: a kill may have torn the last one, and a stranger may have written any."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict) and line.endswith("\n"):
                yield line, event


def _is_before(event: dict[str, Any], position: Position) -> bool:
    """Whether an event is of the time before, and not to come again."""
    epoch, steps = event.get("epoch"), event.get("steps", 0)
    if event.get("event") == "training_ended":
        return False
    if type(epoch) is not int or event.get("event") == "resumed":
        return True
    if event.get("event") == "epoch_ended" or type(steps) is not int:
        return epoch < position.epoch
    return epoch < position.epoch or (epoch == position.epoch and steps <= position.done)
