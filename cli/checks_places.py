"""What ``zoo doctor`` says of registries, caches and folders."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError, missing_path, reason

if TYPE_CHECKING:
    from zoo.registry.config import Place, Registries

    from .checks import Finding

LOW_DISK = 2**30  # bytes: a run with its checkpoints and a published copy of it fit in one GiB
ANSWER_SECONDS = 3.0  # for all registries together
_WALK_SECONDS = 0.5  # for all caches together
GIB = 2**30


class Asked:
    """The registries, each asked in a thread of its own, which nothing waits for longer than
    ``ANSWER_SECONDS``."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._answers: dict[str, int | str] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._error: ZooError | None = None
        self._named: Registries | None = None
        try:
            from zoo.registry.config import registries

            self._named = registries()
        except ZooError as error:
            self._error = error
            return
        for name in self._named.places:
            thread = threading.Thread(target=self._ask, args=(self._named, name), daemon=True)
            self._threads[name] = thread
            thread.start()

    def _ask(self, named: Registries, name: str) -> None:
        try:
            self._answers[name] = len(named.open(name).models())
        except ZooError as error:
            self._answers[name] = str(error)
        except Exception as error:
            self._answers[name] = reason(error)

    def registries(self, findings: list[Finding]) -> list[dict[str, Any]]:
        """Every registry that can be named from here, and whether it can be read and written."""
        from .checks import Finding

        if self._named is None:
            findings.append(Finding(str(self._error), "correct the file"))
            return []
        for thread in self._threads.values():
            thread.join(max(0.0, self._began + ANSWER_SECONDS - time.monotonic()))
        rows = []
        for name, place in self._named.places.items():
            answer = self._answers.get(name, f"no answer within {ANSWER_SECONDS:g} s")
            if isinstance(answer, str):
                do = "look at its address in registry.toml and at the network; other registries "
                do += "work without it"
                findings.append(Finding(f"registry {name!r}: {answer}", do))
            rows.append(
                {
                    "name": name,
                    "default": name == self._named.default,
                    "url": str(place.folder or place.url),
                    "reachable": not isinstance(answer, str),
                    "models": None if isinstance(answer, str) else answer,
                    "writable": place.writable,
                    "free_gib": _free(place, name, findings),
                    "from": str(self._named.source) if self._named.source else "built in",
                }
            )
        return rows


def _free(place: Place, name: str, findings: list[Finding]) -> float | None:
    from .checks import Finding

    if place.folder is None:
        return None
    if not place.writable:
        what = f"registry {name!r}: {str(place.folder)!r} cannot be written"
        findings.append(Finding(what, "chmod, or read only"))
    return room(place.folder, f"for registry {name!r}", findings)


def room(folder: Path, what: str, findings: list[Finding]) -> float:
    """GiB free where ``folder`` is, or will be."""
    from .checks import Finding

    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < LOW_DISK:
        said = f"{free / GIB:.2f} GiB free {what} in {str(folder)!r}"
        findings.append(Finding(said, "make room"))
    return round(free / GIB, 1)


def caches(findings: list[Finding]) -> list[dict[str, Any]]:
    """What can be made or fetched again, and how to be rid of it."""
    from zoo.storage.cache_folder import cache_folder

    from .checks import Finding

    mine = cache_folder()
    user = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    hub = (
        os.environ.get("HF_HUB_CACHE") or f"{os.environ.get('HF_HOME') or user / 'huggingface'}/hub"
    )
    torch = os.environ.get("TORCH_HOME") or user / "torch"
    until = time.monotonic() + _WALK_SECONDS
    rows = []
    for what, folder, clear in (
        ("decoded images", mine / "stores", "zoo data cache --clear"),
        ("pulled versions", mine / "registry", "zoo registry cache --clear"),
        ("published weights", mine / "weights", "remove its files"),
        ("the Hub's", Path(hub).expanduser(), "hf cache rm"),
        ("torch's", Path(torch).expanduser() / "hub", "remove its files"),
    ):
        size, whole = _size(folder, until)
        text = f"{size / GIB:.2f}"
        rows.append(
            {
                "cache": what,
                "folder": str(folder),
                "gib": float(text),
                "counted": "all" if whole else "in part",
                "clear": clear if size else "",
            }
        )
    there = next(path for path in (mine, *mine.absolute().parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        what = f"the cache {str(mine)!r} cannot be written"
        findings.append(Finding(what, "set ZOO_CACHE to a folder of yours"))
    room(mine, "for the cache", findings)
    return rows


def _size(folder: Path, until: float) -> tuple[int, bool]:
    """Bytes below it, and whether time was enough to count them all."""
    total, left = 0, [str(folder)]
    while left:
        if time.monotonic() > until:
            return total, False
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:  # not there, or not ours to read
            continue
    return total, True


def folders(findings: list[Finding]) -> dict[str, Any]:
    """Where data is looked for and runs are written, and the room there."""
    from .checks import Finding

    for name in ("ZOO_DATA", "ZOO_WEIGHTS"):
        given = os.environ.get(name)
        if given and not Path(given).expanduser().is_dir():
            what = missing_path(f"${name}", Path(given))
            findings.append(Finding(what, f"make the folder, or unset {name}"))
    here = Path.cwd()
    if not os.access(here, os.W_OK):
        what = f"{str(here)!r} cannot be written"
        findings.append(Finding(what, "work in a folder of yours, or use --run"))
    return {
        "data": os.environ.get("ZOO_DATA"),
        "working_folder": str(here),
        "free_gib": room(here, "for runs", findings),
    }
