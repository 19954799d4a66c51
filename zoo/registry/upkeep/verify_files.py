"""Look at the files that versions name: whether each is there, and is what they say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from zoo.errors import ZooError
from zoo.registry import layout
from zoo.registry.derived import RESTORE
from zoo.registry.tree import Entry, KeptTree, Tree
from zoo.registry.upkeep.findings import COLLECT, Report, several
from zoo.registry.upkeep.hashing import hash_blobs
from zoo.registry.upkeep.walking import is_plain, walk
from zoo.storage import limits

Step = Callable[[str, int, int], None]
_REMOTE_THREADS = 16


class _Wanted(NamedTuple):
    """Who names a blob first; ``users``: how often it is named; ``headed``: whether anybody says
    that it is a safetensors file."""

    path: str
    file: str
    size: int
    users: int
    headed: bool

    def __str__(self) -> str:
        more = f" and {several(self.users - 1, 'other')}" if self.users > 1 else ""
        return f"needed by {self.path} ({self.file}){more}"


def verify_blobs(
    tree: Tree,
    files: Iterable[tuple[str, str, str, int]],
    report: Report,
    *,
    fast: bool,
    step: Step,
) -> None:
    """``files``: (whose record, path, sha256, size)."""
    wanted = _wanted(files, report)
    there: dict[str, Entry] | None = None
    if isinstance(tree, KeptTree):
        there = _blobs(tree, report)
        report.spare = len(there.keys() - wanted.keys())
        right = [
            sha256 for sha256, one in wanted.items() if _is_right(tree, sha256, one, there, report)
        ]
    elif fast:
        right = _existing(tree, wanted, report)
    else:
        right = list(wanted)
    report.files = len(right)
    report.bytes = sum(wanted[sha256].size for sha256 in right)
    if not fast:
        _hash(tree, {sha256: wanted[sha256] for sha256 in right}, report, step)


def _wanted(files: Iterable[tuple[str, str, str, int]], report: Report) -> dict[str, _Wanted]:
    wanted: dict[str, _Wanted] = {}
    for path, file, sha256, size in files:
        known, headed = wanted.get(sha256), file.endswith(".safetensors")
        if known is None:
            wanted[sha256] = _Wanted(path, file, size, 1, headed)
            continue
        if known.size != size:
            what = f"{file} has {size} bytes, but {known.size} in {known.path}, and one sha256"
            report.error(path, what)
        wanted[sha256] = known._replace(users=known.users + 1, headed=known.headed or headed)
    return wanted


def _blobs(tree: KeptTree, report: Report) -> dict[str, Entry]:
    found = {}
    try:
        for one in walk(tree, layout.BLOBS):
            if one.path.count("/") == layout.BLOBS.count("/") + 2:
                found[one.entry.name] = one.entry
    except ZooError as error:
        report.error(layout.BLOBS, error)
    return found


def _is_right(
    tree: KeptTree, sha256: str, one: _Wanted, there: dict[str, Entry], report: Report
) -> bool:
    entry, path = there.get(sha256), layout.blob(sha256)
    if entry is None:
        report.error(path, f"it is missing; {one}; {_where(tree, sha256)}")
    elif not is_plain(entry):
        report.error(path, f"it is no regular file; {one}; {RESTORE}")
    elif entry.size != one.size:
        report.error(
            path, f"it has {several(entry.size or 0, 'byte')}, not {one.size}; {one}; {RESTORE}"
        )
    else:
        return True
    return False


def _where(tree: KeptTree, sha256: str) -> str:
    for folder in tree.names(layout.TRASH):
        if tree.exists(f"{layout.TRASH}/{folder}/{sha256}"):
            return f"it lies in {layout.TRASH}/{folder}; to put it back, type: {COLLECT}"
    return RESTORE


def _existing(tree: Tree, wanted: dict[str, _Wanted], report: Report) -> list[str]:
    """A place that lists nothing does not say sizes either."""

    def look(sha256: str) -> ZooError | bool:
        try:
            return tree.exists(layout.blob(sha256))
        except ZooError as error:
            return error

    right = []
    with ThreadPoolExecutor(_REMOTE_THREADS) as pool:
        for sha256, found in zip(wanted, pool.map(look, wanted), strict=True):
            if found is True:
                right.append(sha256)
            else:
                what = found or f"it is missing; {wanted[sha256]}; {RESTORE}"
                report.error(layout.blob(sha256), what)
    return right


def _hash(tree: Tree, wanted: dict[str, _Wanted], report: Report, step: Step) -> None:
    done, total, lock = 0, sum(one.size for one in wanted.values()) or 1, threading.Lock()

    def progress(more: int) -> None:
        nonlocal done
        with lock:
            done += more
            step("bytes", done, total)

    blobs = [(sha256, one.size, one.headed) for sha256, one in wanted.items()]
    for sha256, actual, size, start, problem in hash_blobs(tree, blobs, progress):
        one, path = wanted[sha256], layout.blob(sha256)
        if problem is not None:
            report.error(path, f"{problem}; {one}; {RESTORE}")
        elif size != one.size:
            more = "more than " if size > one.size else ""
            said = min(size, one.size)
            report.error(path, f"it has {more}{said} bytes, not {one.size}; {one}; {RESTORE}")
        elif actual != sha256:
            report.error(path, f"its sha256 is {actual}, so it is damaged; {one}; {RESTORE}")
        elif one.headed:
            _check_header(path, one, start, report)


def _check_header(path: str, one: _Wanted, start: bytes, report: Report) -> None:
    """Bytes may be those that were published, and yet nothing that may be read."""
    try:
        limits.check_header(start, one.file, one.size)
    except ZooError as error:
        report.error(path, f"{error}; {one}; whoever published it made it so: do not use it")
