"""Stand before every call to the system that a registry makes: count it, fail it, or die.

``zoo.storage.commit`` and ``folder_tree`` call through the module ``os`` by name for this.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

CHANGING = (
    "open",
    "write",
    "chmod",
    "fsync",
    "close",
    "mkdir",
    "link",
    "replace",
    "unlink",
    "rmdir",
)
READING = ("read", "stat", "lstat", "fstat", "listdir", "scandir")
# Given how many calls there were with this one, its name, its arguments and the real one: what it
# returns.
Stand = Callable[[int, str, tuple[Any, ...], Callable[..., Any]], Any]


@contextlib.contextmanager
def intercepted(stand: Stand, names: tuple[str, ...] = CHANGING) -> Iterator[None]:
    """No disk is waited for: what a call does to other processes is the same without it."""
    count = 0
    real = {name: getattr(os, name) for name in names}

    def wrap(name: str) -> Callable[..., Any]:
        does = (lambda descriptor: None) if name == "fsync" else real[name]

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            return stand(count, name, args, lambda *given: does(*(given or args), **kwargs))

        return call

    try:
        for name in names:
            setattr(os, name, wrap(name))
        yield
    finally:
        for name, one in real.items():
            setattr(os, name, one)
