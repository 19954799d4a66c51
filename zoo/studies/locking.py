"""One study at a time in a folder of results: it and its workers hold the lock until they end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from zoo.errors import StudyError
from zoo.storage import commit
from zoo.storage.failures import reported
from zoo.studies import words

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: nothing keeps a second process out there
    fcntl = None

LOCK = "study.lock"
_LEFT_OVER = 60.0  # seconds that workers whose study was killed have, to save and end
_PAUSE = 0.2


@contextmanager
def locked(out: Path) -> Iterator[int | None]:
    """Hold the folder; yields what workers have to hold too, a descriptor, or None on a system
    without locks. Raises :class:`StudyError` while another process has it."""
    commit.make_folder(out)
    path = out / LOCK
    with reported("write", path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        held = _hold(descriptor, out)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0) if hasattr(os, "pwrite") else None
        yield descriptor if held else None
    finally:
        os.close(descriptor)


def _hold(descriptor: int, out: Path) -> bool:
    if fcntl is None:
        return False
    until = time.monotonic() + _LEFT_OVER
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            # Workers of a study that was killed save what they have, and are waited for.
            if _holder_lives(out) or time.monotonic() > until:
                raise StudyError([words.in_use(out)]) from None
            time.sleep(_PAUSE)
        except OSError:  # a file system without locks
            return False


def _holder_lives(out: Path) -> bool:
    with suppress(OSError, ValueError):
        process = int(out.joinpath(LOCK).read_text())
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True
