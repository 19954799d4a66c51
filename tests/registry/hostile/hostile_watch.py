"""What a command did besides answering: every file written, program started and code run, as
Python's own audit hook tells it."""

# ruff: noqa: PTH100, PTH115, PTH117, PTH118

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Each event's arguments that are paths, and where it says in which folder they are.
_CHANGES = {
    "os.remove": ((0, 1),), "os.rename": ((0, 2), (1, 3)), "os.mkdir": ((0, 2),),
    "os.rmdir": ((0, 1),), "os.link": ((0, 2), (1, 3)), "os.symlink": ((1, 2),),
    "os.chmod": ((0, 2),), "os.chown": ((0, 3),), "os.truncate": ((0, None),),
    "os.utime": ((0, 3),), "os.setxattr": ((0, None),), "os.removexattr": ((0, None),),
    "os.chflags": ((0, None),),
}  # fmt: skip
_NEVER = {
    "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.putenv",
    "os.unsetenv", "os.chdir", "subprocess.Popen", "pickle.find_class", "ctypes.dlopen",
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "webbrowser.open",
    "ensurepip.bootstrap", "urllib.Request", "code.__new__", "mmap.__new__", "sqlite3.connect",
}  # fmt: skip


class Watch:
    """:meth:`looking` gives a list that fills with what was done, but for writing below
    ``allowed`` and to ``moving``, and reading anything but ``secret``. A hook stays as long as its
    process."""

    def __init__(self, allowed: tuple[str, ...], secret: str, moving: set[str]) -> None:
        self._allowed, self._secret = tuple(f"{one}/" for one in allowed), secret
        self._moving = moving
        self._found: list[str] | None = None
        self._importing = 0
        sys.addaudithook(self._hear)

    @contextlib.contextmanager
    def looking(self) -> Iterator[list[str]]:
        found: list[str] = []
        self._found = found
        try:
            yield found
        finally:
            self._found = None

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._found is None:
            return
        if event == "open":
            self._opened(*arguments)
        elif event in _CHANGES:
            for place, folder in _CHANGES[event]:
                within = arguments[folder] if folder is not None else -1
                self._changed(event, arguments[place], within)
        elif event in _NEVER:
            self._found.append(f"{event} {str(arguments)[:200]}")
        elif event in ("exec", "compile"):
            self._ran(event, arguments)

    def _opened(self, path: Any, mode: Any, flags: int) -> None:
        if isinstance(path, int):
            return  # a descriptor, told when it was opened
        if flags & _WRITE:
            self._changed("open", path, -1)
        elif os.path.abspath(os.fsdecode(path)) == self._secret:
            self._note(f"read {self._secret}")

    def _changed(self, event: str, path: Any, folder: int) -> None:
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        path = os.fsdecode(path)
        if folder >= 0:
            path = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), path)
        path = os.path.abspath(path)
        fine = path == os.devnull or path in self._moving or path.startswith(self._allowed)
        if not fine:
            self._note(f"{event} {path}")

    def _ran(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Code of installed modules runs when they are imported; nothing else is to be run."""
        what = arguments[0] if event == "exec" else arguments[1]
        name = str(getattr(what, "co_filename", what))
        if not (name.endswith(".py") and os.path.isabs(name)) and not name.startswith("<frozen "):
            self._note(f"{event} {name[:200]} {str(arguments[0])[:200]!r}")

    def _note(self, what: str) -> None:
        if self._found is not None:
            self._found.append(what)
