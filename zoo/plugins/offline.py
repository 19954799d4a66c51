"""Building without a network: whoever connects to something is refused, and named."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from zoo.errors import PluginError

_REFUSED = (
    "a network is built without connections, and this opens one to {to!r}; weights that a plugin "
    "fetches come by its 'pretrained'"
)


class _Refusal:
    """One block of :func:`refused`: in ``thread`` only, or (None) in all."""

    def __init__(self, thread: int | None) -> None:
        self.thread = thread
        self.attempts: list[str] = []


_refusals: list[_Refusal] = []
_changing = threading.Lock()
_CALLS = {socket.socket: ("connect", "connect_ex"), socket: ("getaddrinfo", "gethostbyname")}
_originals: dict[tuple[Any, str], Any] = {}


@contextlib.contextmanager
def refused(*, every_thread: bool = False) -> Iterator[list[str]]:
    """Inside, looking up a host and connecting to one raise :class:`PluginError`, in this thread or
    in all. Yields the hosts that were tried, also where that error was caught. What is not done by
    Python's own sockets is not seen: this holds plugins to their word, and jails nobody."""
    refusal = _Refusal(None if every_thread else threading.get_ident())
    with _changing:
        if not _refusals:
            _install()
        _refusals.append(refusal)
    try:
        yield refusal.attempts
    finally:
        with _changing:
            _refusals.remove(refusal)
            if not _refusals:
                _uninstall()


def require_network(to: str) -> None:
    """Raise :class:`PluginError` inside :func:`refused`: for what connects from another thread."""
    ours = [one for one in tuple(_refusals) if one.thread in (None, threading.get_ident())]
    for one in ours:
        one.attempts.append(to)
    if ours:
        raise PluginError(_REFUSED.format(to=to))


def _install() -> None:
    for owner, names in _CALLS.items():
        for name in names:
            _originals[owner, name] = vars(owner).get(name)
            setattr(owner, name, _watched(owner, name))


def _uninstall() -> None:
    for (owner, name), own in _originals.items():
        if own is None:  # it was inherited
            delattr(owner, name)
        else:
            setattr(owner, name, own)
    _originals.clear()


def _watched(owner: Any, name: str) -> Any:
    original = getattr(owner, name)

    def call(*given: Any, **named: Any) -> Any:
        where = given[1] if owner is socket.socket and len(given) > 1 else given[:1]
        if not isinstance(where, str | bytes):  # a path: a socket of this machine
            require_network(str(where[0]) if where else "")
        return original(*given, **named)

    return call
