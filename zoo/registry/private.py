"""What no record may hold: paths and names of this machine and its user, and secrets.

A record is copied to strangers and never changed again, so it is looked through before it is there.
Names are judged where they tell something, in paths, addresses and the environment, for a user may
well be called as an optimizer is.
"""

from __future__ import annotations

import contextlib
import functools
import getpass
import os
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import RegistryError, clipped

_ABSOLUTE = re.compile(
    r"/|\\\\|~(?:[A-Za-z_][\w.-]*)?(?:[/\\]|$)|[A-Za-z]:[/\\]|file:", re.IGNORECASE
)
# Within a longer text only what can hardly be anything else; the colon of an address is none.
_HOMES = "home|Users|root|mnt|media|tmp|var|opt|srv|scratch|private"
_INNER = re.compile(
    rf"(?<![\w/:.~])/(?:{_HOMES})/[\w.-]|(?<!\w)[A-Za-z]:\\[A-Za-z]{{2}}|(?<!\w)~/\w|\bfile:/",
    re.IGNORECASE,
)
_SECRETS = (
    (r"hf_[A-Za-z0-9]{20,}", "a Hugging Face token"),
    (r"(?:AKIA|ASIA)[0-9A-Z]{16}", "an AWS access key"),
    (r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}", "a GitHub token"),
    (r"glpat-[A-Za-z0-9_-]{20,}", "a GitLab token"),
    (r"xox[abeprs]-[A-Za-z0-9-]{10,}", "a Slack token"),
    (r"sk-(?:proj-|ant-)?[A-Za-z0-9]{20,}", "an API key"),
    (r"AIza[0-9A-Za-z_-]{35}", "a Google API key"),
    (r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.", "a signed token"),
    (r"-----BEGIN [A-Z ]*PRIVATE KEY", "a private key"),
    (r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@", "an address with a password"),
    (r"[A-Za-z][A-Za-z0-9+.-]*://(?!git@)[^/\s@]+@", "an address with a user's name"),
)
_QUERY = r"[?&](?:[\w-]*(?:token|secret|password|signature)|sig|(?:api|access)[_-]?key)=[^&\s]{6,}"
_SECRET = [
    *((re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})"), what) for pattern, what in _SECRETS),
    (re.compile(_QUERY, re.IGNORECASE), "an address with a secret"),
]
_SECRET_KEY = re.compile(
    r"(?:^|[_.-])(?:password|passwd|secret|token|(?:api|access)[_-]?key)$", re.IGNORECASE
)
# Names that many machines have in common say nothing of whose they are.
_NOBODY = {
    "", "admin", "app", "debian", "docker", "ec2-user", "guest", "home", "jovyan", "localhost",
    "nobody", "root", "runner", "test", "ubuntu", "user", "users", "vscode", "work", "zoo",
}  # fmt: skip
_PUBLIC_KEYS = {"environment.device", "environment.platform", "environment.python"}


@dataclass(frozen=True)
class Found:
    """``where``: the key, dotted; ``shown``: the text, or the beginning of a secret."""

    where: str
    shown: str
    what: str

    def __str__(self) -> str:
        return f"{self.where or 'a key'}: {self.shown!r} is {self.what}"


@dataclass(frozen=True)
class Identity:
    """Whose machine this is: names of the user and of the host, and the user's folder."""

    users: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    home: str = ""


@functools.cache
def this_machine() -> Identity:
    users = {os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")}
    home = ""
    with contextlib.suppress(KeyError, OSError, ImportError):  # a user without an entry
        users.add(getpass.getuser())
    with contextlib.suppress(RuntimeError, KeyError):
        home = str(Path.home())
        users.add(Path(home).name)
    hosts = {platform.node(), platform.node().partition(".")[0]}
    return Identity(
        frozenset(users - _NOBODY), frozenset(hosts - _NOBODY), home if len(home) > 1 else ""
    )


def require_public(draft: Mapping[str, Any], who: Identity | None = None) -> None:
    """Raise :class:`RegistryError` naming the first text of a record that is private. ``draft``: as
    plain data."""
    who = who or this_machine()
    ours = {key: draft.get(key) for key in ("recipe", "environment", "architecture", "plugin")}
    ours["data"] = {"dataset": draft.get("data", {}).get("dataset")}
    found = find_secret(draft, who.home) or find_path(ours) or _find_name(ours, who)
    if found is not None:
        then = "; change it in the run's recipe.toml" if found.where.startswith("recipe.") else ""
        raise RegistryError(f"{found}, which no record may hold{then}")


def find_path(value: object) -> Found | None:
    """The first text in ``value`` that is, or holds, a path of some machine."""
    for where, text in _texts(value):
        if _ABSOLUTE.match(text) or _INNER.search(text):
            return Found(where, clipped(text), "a path of this machine")
    return None


def find_secret(value: object, home: str = "") -> Found | None:
    """The first text in ``value`` that is, or holds, a secret or the user's folder ``home``."""
    for where, text in _texts(value):
        for pattern, what in _SECRET:
            if match := pattern.search(text):
                return Found(where, f"{match[0][:4]}…", what)
        if text and _SECRET_KEY.search(where):
            return Found(where, f"{text[:2]}…", "a secret, by its key")
        if home and home in text:
            return Found(where, clipped(text), "a path of this machine")
    return None


def _find_name(value: object, who: Identity) -> Found | None:
    kinds = ((who.users, "the name of this machine's user"), (who.hosts, "the name of this host"))
    for where, text in _texts(value):
        prose = where.startswith("recipe.card.")  # what its authors want to be read, names too
        component = where.endswith(".name") or where.startswith("plugin.")
        if prose or component or where in _PUBLIC_KEYS:
            continue
        for names, what in kinds:
            if any(_tells(text, name, where) for name in names):
                return Found(where, clipped(text), f"or holds {what}")
    return None


def _tells(text: str, name: str, where: str) -> bool:
    """Whether ``text`` holds ``name`` as a part of a path or address; as a word in the
    environment."""
    quoted = re.escape(name)
    if where.startswith("environment."):
        return re.search(rf"(?<![\w-]){quoted}(?![\w-])", text) is not None
    inner = re.search(rf"(?:^|[/\\@:=\s]){quoted}(?:$|[/\\@:.\s])", text)
    return inner is not None and re.search(r"[/\\@]", text) is not None


def _texts(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """(key, text) of every text in ``value``; the names of keys are texts, too, with the key ""."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield "", str(name)
            yield from _texts(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from _texts(inner, f"{key}.{i}")
