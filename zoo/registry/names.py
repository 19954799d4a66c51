"""Names that are safe in a path, a URL and a terminal; and references, which name a version."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from zoo.errors import RegistryError

NAME_LENGTH = 64
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*")
_FILE_PART = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")
# Of a version or a state. What believes a number may count up to it, so it has an end.
NUMBERS, NUMBER = 999_999, r"[1-9][0-9]{0,5}"
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Windows opens these as devices, whatever their suffix.
DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_FORMS = "name, name@3, name@alias, name@sha256:<64 hex> or registry:name@…"


def is_name(name: str) -> bool:
    """Whether ``name`` may name a model, a registry or an alias."""
    return (
        len(name) <= NAME_LENGTH
        and _NAME.fullmatch(name) is not None
        and DEVICES.fullmatch(name) is None
    )


def check_name(what: str, name: str) -> str:
    """``name`` itself. Raises :class:`RegistryError` unless :func:`is_name`."""
    if not is_name(name):
        raise RegistryError(
            f"{what} {name[:200]!r}: expected at most {NAME_LENGTH} lower-case letters and digits, "
            f"beginning with a letter, joined by single '-', '_' or '.', and no Windows device"
        )
    return name


def fold(name: str) -> str:
    """Two model names that fold to the same text may not stand in one registry."""
    return re.sub(r"[-_.]", "-", name)


def check_files(paths: Iterable[str]) -> None:
    """Raise :class:`RegistryError` unless each is a plain relative path of at most two parts, and
    all can lie side by side also where the file system ignores case."""
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        parts = path.split("/")
        plain = all(_FILE_PART.fullmatch(part) and not DEVICES.fullmatch(part) for part in parts)
        if not plain or len(parts) > 2 or len(path) > 200:
            raise RegistryError(
                f"file {path[:200]!r}: expected letters and digits joined by single '-', '_' or "
                f"'.', in at most one folder, such as 'metrics/test.json'"
            )
        other = seen.setdefault(path.casefold(), path)
        if other != path:
            raise RegistryError(f"files {other!r} and {path!r} differ only in case")
        if len(parts) == 2:
            other = folders.setdefault(parts[0].casefold(), parts[0])
            if other != parts[0]:
                raise RegistryError(f"folders {other!r} and {parts[0]!r} differ only in case")
    for one in seen.keys() & folders.keys():
        raise RegistryError(f"file {seen[one]!r} has the name of a folder of other files")


@dataclass(frozen=True)
class Reference:
    """Which version is meant. At most one of ``version``, ``alias`` and ``digest`` is set; none
    means the latest."""

    name: str
    version: int | None = None
    alias: str | None = None
    digest: str | None = None
    registry: str | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Raises :class:`RegistryError` saying which part is wrong."""
        head, at, pin = text.partition("@")
        prefix, colon, name = head.rpartition(":")
        registry = check_name("registry name", prefix) if colon else None
        check_name("model name", name)
        if not at:
            return cls(name, registry=registry)
        if re.fullmatch(NUMBER, pin):
            return cls(name, version=int(pin), registry=registry)
        if pin.startswith("sha256:") and _DIGEST.fullmatch(pin[7:]):
            return cls(name, digest=pin[7:], registry=registry)
        if is_name(pin):
            return cls(name, alias=pin, registry=registry)
        raise RegistryError(f"reference {text[:200]!r}: expected {_FORMS}")

    def __str__(self) -> str:
        head = f"{self.registry}:{self.name}" if self.registry else self.name
        pin = self.version or self.alias or (self.digest and f"sha256:{self.digest}")
        return f"{head}@{pin}" if pin else head
