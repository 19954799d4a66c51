"""The states in which a power cut may leave a disk: all that was synced, and any part of the rest.

Of the entries of a folder that are not synced each may be there or not; the bytes of a file that
are not synced may be there, lacking, cut off, or zeros in whole or in blocks.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from power_trace import Op

_BLOCK = 512


@dataclass
class _File:
    data: bytes = b""
    synced: int = 0


@dataclass
class _Folder:
    entries: dict[str, int] = field(default_factory=dict)
    pending: list[tuple[str, int | None]] = field(default_factory=list)


class State(NamedTuple):
    """``files``: content by path; ``folders``: their paths; ``said``: what was acknowledged when
    the power was cut, after ``at`` operations."""

    at: int
    folders: tuple[str, ...]
    files: dict[str, bytes]
    said: Any

    def digest(self) -> str:
        made = hashlib.sha256(repr((self.folders, self.said)).encode())
        for path in sorted(self.files):
            made.update(f"{path}:{len(self.files[path])}:".encode() + self.files[path])
        return made.hexdigest()

    def build(self, root: Path) -> None:
        for folder in self.folders:
            (root / folder).mkdir(parents=True, exist_ok=True)
        for path, data in self.files.items():
            (root / path).write_bytes(data)


# (whether a change of a folder that is not synced came through, the bytes of a file)
Fate = tuple[Callable[[], bool], Callable[[_File], bytes]]


def states(
    ops: list[Op], seed: int, draws: int, *, files_sync: bool = True, folders_sync: bool = True
) -> Iterator[State]:
    """Different ones, of a cut after each operation: the extremes, and ``draws`` at random. Without
    ``files_sync`` or ``folders_sync`` such a sync does nothing: the negative controls."""
    drawn = random.Random(seed)
    nodes: dict[int, _File | _Folder] = {}
    said: Any = None
    seen: set[str] = set()
    for at, op in enumerate(ops, 1):
        if op.kind == "said":
            said = op.data
        else:
            _happen(nodes, op, files_sync, folders_sync)
        for fate in [*_EXTREMES, *(_fate(drawn) for _ in range(draws))]:
            state = State(at, *_laid_out(nodes, fate), said)
            digest = state.digest()
            if digest not in seen:
                seen.add(digest)
                yield state


def final(ops: list[Op]) -> State:
    """What is there when everything came through."""
    nodes: dict[int, _File | _Folder] = {}
    for op in ops:
        if op.kind != "said":
            _happen(nodes, op, True, True)
    return State(len(ops), *_laid_out(nodes, _EXTREMES[1]), None)


def _happen(nodes: dict[int, Any], op: Op, files_sync: bool, folders_sync: bool) -> None:
    match op.kind:
        case "file":
            nodes[op.where] = _File()
        case "folder":
            nodes[op.where] = _Folder()
        case "write":
            nodes[op.where].data += op.data
        case "enter":
            nodes[op.where].pending.append((op.name, op.what))
        case "leave":
            nodes[op.where].pending.append((op.name, None))
        case "sync":
            node = nodes[op.where]
            if isinstance(node, _File) and files_sync:
                node.synced = len(node.data)
            elif isinstance(node, _Folder) and folders_sync:
                _apply(node.entries, node.pending, lambda: True)
                node.pending.clear()


def _apply(
    entries: dict[str, int], pending: list[tuple[str, int | None]], through: Callable[[], bool]
) -> None:
    for name, what in pending:
        if not through():
            continue
        if what is None:
            entries.pop(name, None)
        else:
            entries[name] = what


def _laid_out(nodes: dict[int, Any], fate: Fate) -> tuple[tuple[str, ...], dict[str, bytes]]:
    through, content = fate
    contents: dict[int, bytes] = {}  # a file with two names is one file
    folders: list[str] = []
    files: dict[str, bytes] = {}

    def lay(number: int, path: str) -> None:
        node = nodes[number]
        if isinstance(node, _File):
            files[path] = contents.setdefault(number, content(node))
            return
        if path:
            folders.append(path)
        entries = dict(node.entries)
        _apply(entries, node.pending, through)
        for name in sorted(entries):
            lay(entries[name], f"{path}/{name}" if path else name)

    lay(0, "")
    return tuple(folders), files


def _all(file: _File) -> bytes:
    return file.data


def _synced(file: _File) -> bytes:
    return file.data[: file.synced]


def _zeros(file: _File) -> bytes:
    return file.data[: file.synced].ljust(len(file.data), b"\0")


_EXTREMES: tuple[Fate, ...] = (
    (lambda: False, _synced),
    (lambda: True, _all),
    (lambda: True, _synced),
    (lambda: True, _zeros),
)


def _fate(drawn: random.Random) -> Fate:
    def content(file: _File) -> bytes:
        if file.synced == len(file.data):
            return file.data
        way = drawn.randrange(5)
        if way < 3:
            return (_all, _synced, _zeros)[way](file)
        if way == 3:
            return file.data[: drawn.randint(file.synced, len(file.data))]
        blocks = bytearray(file.data)
        for start in range(file.synced, len(blocks), _BLOCK):
            if drawn.random() < 0.5:
                blocks[start : start + _BLOCK] = bytes(len(blocks[start : start + _BLOCK]))
        return bytes(blocks)

    share = drawn.choice((0.2, 0.5, 0.8))
    return (lambda: drawn.random() < share), content
