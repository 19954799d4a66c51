"""A connection to where an address leads: looked up, judged, made and watched in bounded time.

The name is looked up once; the numeric address that was judged is the one connected to, so a name
server that answers otherwise the second time changes nothing. http.client's own connecting is
switched off for that.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zoo.errors import RegistryError, reason
from zoo.registry.places.http_rules import Address, Reach, may_reach, reach_of, unreachable_hop
from zoo.registry.tree import UnreachableError

CONNECT_SECONDS = 3.0  # to look the name up, connect and agree on keys, all together
STALL_SECONDS = 30.0  # for the answer to begin, and for each block of it
_ADDRESSES = 8  # of one name that are tried


def look_up(host: str, port: int) -> list[str]:
    """The numeric addresses of a name, the preferred first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def connect(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


@functools.cache  # reading the trusted certificates takes longer than a small file
def trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


@dataclass(frozen=True)
class Wire:
    """How zoo meets the network; tests put in their own. ``resolve``: the addresses of a name;
    ``connect``: (numeric address, port, seconds) to a socket; ``tls``: what judges certificates."""

    resolve: Callable[[str, int], Sequence[str]] = look_up
    connect: Callable[[str, int, float], socket.socket] = connect
    tls: Callable[[], ssl.SSLContext] = trusted
    sleep: Callable[[float], None] = time.sleep


class Link:
    """An open connection. ``reach``: of the address that it goes to; ``used``: whether it served
    before, so that the server may have left meanwhile."""

    def __init__(self, address: Address, sock: socket.socket, reach: Reach) -> None:
        self.address = address
        self.sock = sock
        self.reach = reach
        self.used = False
        self.http = http.client.HTTPConnection(address.host, address.port)
        self.http.sock = sock
        self.http.auto_open = 0  # never connects by itself: nobody would judge the address

    def close(self) -> None:
        self.http.close()


class Watch:
    """Shuts a socket down, so that whoever waits for it wakes up, unless :meth:`beat` comes every
    :data:`STALL_SECONDS`. A limit on each call to the system would not end a server that drips."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self.expired = False
        self._sock, self._seconds = sock, seconds
        self._until = time.monotonic() + seconds
        self._over = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def beat(self) -> None:
        self._until = time.monotonic() + self._seconds

    def end(self) -> None:
        self._over.set()

    def _run(self) -> None:
        while (left := self._until - time.monotonic()) > 0:
            if self._over.wait(left):
                return
        self.expired = True
        with contextlib.suppress(OSError):
            # Not SSLSocket's own, which would take its state away under the reader's feet.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)


def open_link(address: Address, wire: Wire, before: Reach | None) -> Link:
    """``before``: where the server was reached that sent zoo here, None where the user did. Raises
    :class:`UnreachableError` within :data:`CONNECT_SECONDS`, :class:`RegistryError` when ``before``
    may not lead there, or the certificate is not one to trust."""
    deadline = time.monotonic() + CONNECT_SECONDS
    addresses = _addresses(address, wire, deadline)
    allowed = [one for one in addresses if may_reach(before, reach_of(one))]
    if not allowed and before is not None:
        raise unreachable_hop(before, addresses[0], address.host)
    why: Exception = TimeoutError()
    for place, one in enumerate(allowed):
        # One that swallows everything (IPv6 that leads nowhere) leaves time for the others.
        share = (deadline - time.monotonic()) / (len(allowed) - place)
        if share <= 0:
            break
        try:
            sock = wire.connect(one, address.port, share)
        except OSError as error:
            why = error
            continue
        return _secured(Link(address, sock, reach_of(one)), wire, deadline)
    raise unreachable(address, why)


def unreachable(address: Address, why: Exception | None = None) -> UnreachableError:
    if why is None or isinstance(why, TimeoutError):
        said = f"no connection within {CONNECT_SECONDS:g} s"
    else:
        said = reason(why)
    return UnreachableError(f"{address.netloc!r} cannot be reached: {said}")


def _addresses(address: Address, wire: Wire, deadline: float) -> list[str]:
    with contextlib.suppress(ValueError):
        return [str(ipaddress.ip_address(address.host))]
    answer: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(wire.resolve(address.host, address.port))
        except Exception as error:  # gaierror, UnicodeError
            answer.put(error)

    # In a thread, for nothing else ends a look-up that never answers.
    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answer.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise unreachable(address) from None
    if isinstance(found, Exception):
        raise unreachable(address, found) from found
    if not found:
        raise unreachable(address, OSError("the name has no address"))
    return list(found)[:_ADDRESSES]


def _secured(link: Link, wire: Wire, deadline: float) -> Link:
    if link.address.scheme == "http":
        link.sock.settimeout(STALL_SECONDS)
        return link
    watch = None
    try:
        left = max(0.001, deadline - time.monotonic())
        link.sock.settimeout(left)
        link.sock = wire.tls().wrap_socket(
            link.sock, server_hostname=link.address.host, do_handshake_on_connect=False
        )
        link.http.sock = link.sock
        watch = Watch(link.sock, left)
        link.sock.do_handshake()
        link.sock.settimeout(STALL_SECONDS)
        return link
    except ssl.SSLCertVerificationError as error:
        link.close()
        raise RegistryError(
            f"{link.address.netloc!r} cannot prove that it is {link.address.host!r}: "
            f"{error.verify_message}"
        ) from error
    except OSError as error:
        link.close()
        late = watch is not None and watch.expired
        raise unreachable(link.address, None if late else error) from error
    finally:
        if watch is not None:
            watch.end()
