"""What a registry's calls to the system do to a disk, as a list, in order.

Files and folders are numbers. ``enter`` and ``leave`` change a folder, ``write`` a file; ``sync``
of one makes durable what happened to it before, and nothing else. A rename is an ``enter`` and a
``leave`` that may come apart, which is worse than file systems with a journal are.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from os_calls import CHANGING, intercepted


class Op(NamedTuple):
    """``name`` in folder ``where`` is ``what`` (enter), or is no more (leave); ``data`` comes at
    the end of file ``where`` (write); ``said``: all that is acknowledged by now is in ``data``."""

    kind: Literal["file", "folder", "enter", "leave", "write", "sync", "said"]
    where: int = 0
    name: str = ""
    what: int = 0
    data: Any = None


class Killed(BaseException):
    """The process is no more: nothing it does on its way out reaches the disk."""


class Disk:
    """What happens below ``root``, which has number 0. Before call number ``killed_at`` of a
    ``traced`` block the process dies."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.killed_at: int | None = None
        self.ops = [Op("folder", 0)]
        self._numbers = {str(root): 0}
        self._open: dict[int, int] = {}
        self._next = 1

    @contextlib.contextmanager
    def traced(self) -> Iterator[None]:
        with intercepted(self._stand, CHANGING):
            yield

    def say(self, acknowledged: Any) -> None:
        self.ops.append(Op("said", data=acknowledged))

    def _stand(self, count: int, name: str, args: tuple[Any, ...], call: Any) -> Any:
        if self.killed_at is not None and count >= self.killed_at:
            if name == "close":
                call()  # as the system does for a dead process: its locks go
            raise Killed
        first = args[0] if isinstance(args[0], int) else str(args[0])
        if isinstance(first, int):
            result = call()
            self._on_open(name, first, args, result)
        elif f"{first}/".startswith(f"{self.root}/"):
            new = not os.path.lexists(first)
            result = call()
            self._on_path(name, first, args, result, new)
        else:
            result = call()
        return result

    def _on_open(self, name: str, descriptor: int, args: tuple[Any, ...], result: Any) -> None:
        if descriptor in self._open:
            number = self._open[descriptor]
            if name == "write":
                self.ops.append(Op("write", number, data=bytes(args[1])[:result]))
            elif name == "fsync":
                self.ops.append(Op("sync", number))
            elif name == "close":
                del self._open[descriptor]

    def _on_path(self, name: str, path: str, args: tuple[Any, ...], result: Any, new: bool) -> None:
        if name == "open":
            if new:
                self._make("file", path)
            if path in self._numbers:  # not what lay there before
                self._open[result] = self._numbers[path]
        elif name == "mkdir":
            self._make("folder", path)
        elif name in ("link", "replace"):
            self._enter(str(args[1]), self._numbers[path])
        if name in ("unlink", "rmdir", "replace"):
            self._leave(path)

    def _make(self, kind: Literal["file", "folder"], path: str) -> None:
        number, self._next = self._next, self._next + 1
        self.ops.append(Op(kind, number))
        self._enter(path, number)

    def _enter(self, path: str, what: int) -> None:
        parent, _, name = path.rpartition("/")
        self._numbers[path] = what
        self.ops.append(Op("enter", self._numbers[parent], name, what))

    def _leave(self, path: str) -> None:
        parent, _, name = path.rpartition("/")
        del self._numbers[path]
        self.ops.append(Op("leave", self._numbers[parent], name))
