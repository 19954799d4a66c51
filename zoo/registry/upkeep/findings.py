"""What was found wrong with a registry's files: a line each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from zoo.errors import ZooError, printable

REPAIR, COLLECT = "zoo registry repair", "zoo registry gc --apply"
Severity = Literal["error", "notice"]


@dataclass(frozen=True)
class Finding:
    """``path``: in the registry; ``what``: is wrong there, and what mends it. An ``error``: what is
    read may be wrong or missing. A ``notice``: all versions are whole, something is left to do."""

    path: str
    what: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return printable(f"{self.severity}: {self.path}: {self.what}")


@dataclass
class Report:
    """``models`` to ``bytes``: how much was looked at; ``spare``: files that no version names."""

    models: int = 0
    versions: int = 0
    states: int = 0
    files: int = 0
    bytes: int = 0
    spare: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        return [one for one in self.findings if one.severity == "error"]

    @property
    def notices(self) -> list[Finding]:
        return [one for one in self.findings if one.severity == "notice"]

    def error(self, path: str, what: str | ZooError) -> None:
        self.findings.append(Finding(path, str(what)))

    def notice(self, path: str, what: str) -> None:
        self.findings.append(Finding(path, what, "notice"))

    def summary(self, *, fast: bool) -> str:
        looked = [
            several(self.models, "model"),
            several(self.versions, "version"),
            several(self.states, "state"),
            several(self.files, "file")
            + f" of {several(self.bytes, 'byte')}"
            + (", not hashed" if fast else ""),
        ]
        spare = f"; {several(self.spare, 'file')} that no version names" if self.spare else ""
        ending = f"{several(len(self.errors), 'error')}, {several(len(self.notices), 'notice')}"
        return f"{', '.join(looked)}{spare}; {ending}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def several(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
