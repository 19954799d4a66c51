"""What a server may make zoo do: the rules of addresses, redirects and headers, without a socket.

Every word of a server is a stranger's. Only a sha256 decides what bytes are; these rules keep zoo
from asking where it should not, from waiting for ever, and from taking a login page for a file.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from enum import Enum
from urllib.parse import urljoin, urlsplit

from zoo.errors import RegistryError, clipped

REDIRECTS = 5
URL_LENGTH = 4096
DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?|[0-9A-Fa-f:.]{2,45}")
_LENGTH = re.compile(r"[0-9]{1,18}")
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_PAGE = re.compile(rb"\s*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All of IPv6 that is given to the internet. The rest holds ways into IPv4 and into sites, which
# `is_global` does not all know.
_INTERNET6 = ipaddress.ip_network("2000::/3")


class Reach(Enum):
    """From where an address can be reached: whom a hop to it would let a stranger talk to."""

    PUBLIC = "public"
    PRIVATE = "private"
    LINK_LOCAL = "link-local"
    LOOPBACK = "loopback"


@dataclass(frozen=True)
class Address:
    """An http(s) URL taken apart. ``host`` is in lower case; ``target`` begins with a slash."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def netloc(self) -> str:
        """As the header Host wants it, and as people know it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"


def parse(url: str) -> Address:
    """Raises ``ValueError``, saying what is expected, for anything but a plain http(s) URL."""
    # urlsplit drops tabs and newlines without a word; browsers take "\" for "/".
    if len(url) > URL_LENGTH or not url.isascii() or not url.isprintable():
        raise ValueError(f"expected at most {URL_LENGTH} printable ascii characters")
    if "\\" in url or " " in url:
        raise ValueError("expected no blanks and no backslashes")
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError("expected an http(s) address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("expected no user or password in it")
    host = parts.hostname or ""
    if _HOST.fullmatch(host) is None:
        raise ValueError("expected the name or address of a host")
    port = parts.port if parts.port is not None else DEFAULT_PORTS[parts.scheme]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme, host, port, target)


def reach_of(address: str) -> Reach:
    """Of a numeric address. One that holds an IPv4 address (mapped, 6to4, NAT64) reaches as that
    one does."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return reach_of(str(inner))
    if ip.is_loopback or ip.is_unspecified:
        return Reach.LOOPBACK
    if ip.is_link_local:
        return Reach.LINK_LOCAL
    outside = ip.version == 6 and ip not in _INTERNET6
    return Reach.PUBLIC if ip.is_global and not ip.is_multicast and not outside else Reach.PRIVATE


def may_reach(before: Reach | None, after: Reach) -> bool:
    """Whether one who was reached at ``before`` (None: whom the user named) may send zoo to
    ``after``: to the public, or to where it is itself."""
    return before is None or after in (Reach.PUBLIC, before)


def hop(before: Address, location: str) -> Address:
    """Where a redirect of ``before`` leads. Raises :class:`RegistryError` where it may not."""
    shown = f"{str(before)!r} leads to {clipped(location, 200)!r}"
    try:
        whole = urlsplit(location).scheme  # urljoin takes "http:///x" for a path on the same host
        after = parse(location if whole else urljoin(str(before), location))
    except ValueError as error:
        raise RegistryError(f"{shown}: {error}") from error
    if before.scheme == "https" and after.scheme != "https":
        raise RegistryError(f"{shown}: expected an https address, as the one it came from")
    return after


def unreachable_hop(before: Reach, address: str, host: str) -> RegistryError:
    return RegistryError(
        f"{host!r} has the {reach_of(address).value} address {address}, to which a "
        f"{before.value} server may not send zoo"
    )


def declared_length(headers: Message, url: str) -> int | None:
    """The number of bytes a body is said to have. Raises :class:`RegistryError` for a header that
    says none, or several."""
    said = {value.strip() for value in headers.get_all("Content-Length", [])}
    if not said:
        return None
    value = said.pop()
    if said or not _LENGTH.fullmatch(value):
        raise RegistryError(f"{url!r}: the server says no one length of its answer")
    return int(value)


def check_encoding(headers: Message, url: str) -> None:
    """Raise :class:`RegistryError` for a body that is packed: nobody asked for that, and one that
    unpacks to terabytes is small."""
    for name in ("Content-Encoding", "Transfer-Encoding"):
        said = str(headers.get(name, "identity")).strip().lower()
        if said not in ("identity", "chunked" if name.startswith("T") else ""):
            raise RegistryError(
                f"{url!r}: the server sent it as {clipped(said, 40)!r}, unasked; expected the "
                f"bytes as they are; switch compression off there"
            )


def is_page(headers: Mapping[str, str] | Message, beginning: bytes) -> bool:
    """Whether a body is a web page: a login form, or an error told with status 200."""
    html = str(headers.get("Content-Type", "")).lower().startswith("text/html")
    return _PAGE.match(beginning.removeprefix(b"\xef\xbb\xbf")) is not None or (
        html and beginning.lstrip()[:1] != b"{"
    )


def web_page(url: str) -> RegistryError:
    return RegistryError(
        f"{url!r} is a web page, no file of a registry: the address is that of a site for people, "
        f"or asks for a login; correct the url, or name a token_env, in registry.toml"
    )


def content_range(headers: Message) -> tuple[int, int, int | None] | None:
    """(first byte, end, bytes in all where told) of a part; None where that is not said."""
    match = _RANGE.fullmatch(str(headers.get("Content-Range", "")).strip())
    if match is None:
        return None
    total = None if match[3] == "*" else int(match[3])
    return int(match[1]), int(match[2]) + 1, total


def retry_after(headers: Message, now: datetime | None = None) -> float | None:
    """The seconds after which a server wants to be asked again; None where it does not say."""
    said = str(headers.get("Retry-After", "")).strip()
    if re.fullmatch(r"[0-9]{1,9}", said):
        return float(said)
    try:
        date = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
