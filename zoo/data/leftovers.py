"""Stores on disk that were begun and never finished."""

from __future__ import annotations

import os
import time
from pathlib import Path

from zoo.data.caching import ABOUT
from zoo.storage import commit
from zoo.storage.cache_folder import cache_folder

STALE = 3600.0  # seconds after which an unfinished store counts as given up


def leftovers() -> list[Path]:
    """Folders of stores that nobody is about to finish: touched by no one for :data:`STALE`, and by
    no process of this machine that still runs. Others may share the cache."""
    found = []
    for folder in (cache_folder() / "stores").glob("*"):
        if not folder.is_dir() or (folder / ABOUT).exists():
            continue
        paths = list(folder.iterdir())
        pids = [one.name.removeprefix(commit.TEMPORARY_PREFIX).partition("-")[0] for one in paths]
        touched = max(path.stat().st_mtime for path in (folder, *paths))
        running = any(pid.isdigit() and _runs(int(pid)) for pid in pids)
        if not running and time.time() - touched > STALE:
            found.append(folder)
    return found


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is somebody else's
    return True
