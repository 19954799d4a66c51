"""Every exception zoo raises on purpose, and the wording they share.

A message is one lower-case line: what was given (its ``repr``), what was expected, who is
responsible, what to type next. The command line prints it behind ``zoo: error:`` and exits 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

LINE = 3000  # letters of a message; a stranger's text in it may have a million


class ZooError(Exception):
    """The root: something zoo expected to be able to go wrong, said in one line."""

    def __str__(self) -> str:
        return clipped(super().__str__(), LINE)


class ZooWarning(UserWarning):
    """Something to know that stops nothing. The command line prints it behind ``zoo: warning:``."""


class PluginError(ZooError):
    """A plugin breaks its contract, or its code failed."""


class ProblemsError(ZooError):
    """Several things are wrong at once: each stands on a line of its own."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))

    def __str__(self) -> str:
        return "\n".join(clipped(problem, LINE) for problem in self.problems)


class ContractError(ProblemsError, PluginError):
    """A plugin breaks its contract; a line for each problem of each component."""


class ComponentError(ZooError):
    """A component's name is unknown, or two distributions provide it."""


class RecipeError(ProblemsError):
    """A recipe cannot be carried out; a line for each problem found."""


class StudyError(ProblemsError):
    """A study cannot be carried out; a line for each problem found."""


class DataError(ZooError):
    """Images, labels or splits are missing or wrong."""


class TrainingError(ZooError):
    """Training cannot start or cannot go on."""


class DivergedError(TrainingError):
    """Loss, gradients or weights are not finite any more; the last good checkpoint is kept."""


class ToldError(TrainingError):
    """One of several processes ends, and another one says why: the command line is silent."""


class PausedError(KeyboardInterrupt):
    """A signal came; training saved and ended. A KeyboardInterrupt, so that code which lets that
    one through lets this. ``text``: empty where another process says it."""

    def __init__(self, text: str, signal: int) -> None:
        super().__init__(text)
        self.signal = signal


class RunError(ZooError):
    """A run's folder is missing, taken, incomplete or damaged."""


class PredictionsError(ZooError):
    """A predictions file is damaged, or does not fit what is asked of it."""


class ReportError(ZooError):
    """A report cannot be made of what is there, or written where it is to go."""


class StorageError(ZooError):
    """Bytes cannot be read, written or trusted."""


class RegistryError(ZooError):
    """A registry, a reference or a record cannot be used."""


class ExportError(ZooError):
    """A network cannot be written in another format, or what was written answers differently."""


class MissingError(ZooError):
    """An optional library is not installed."""


def printable(text: str) -> str:
    """``text`` with control and direction-changing characters escaped, so that foreign names
    cannot move the cursor or reorder a line."""
    if text.isprintable():  # a list has thousands of cells
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def clipped(text: str, most: int = 60) -> str:
    """Printable, and both ends of it where it is long: a stranger's text may have any length."""
    half = most // 2 - 2
    if len(text) <= most:  # else it need not all be looked at
        text = printable(text)
    if len(text) <= most:
        return text
    return f"{printable(text[:half])[:half]} … {printable(text[-half:])[-half:]}"


_BEGINNING = 3  # letters of a name that are enough to know it by


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is near ``name``, or begins with it; None when there is none."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if not close and len(name) >= _BEGINNING:
        close = sorted(
            (one for one in names if one.startswith(name)), key=lambda one: (len(one), one)
        )
    return close[0] if close else None


def nearest(name: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)``, or nothing when no known name is near."""
    close = closest(name, known)
    return "" if close is None else did_you_mean(close)


def did_you_mean(name: str) -> str:
    return f" (did you mean {name!r}?)"


def missing_path(what: str, path: Path) -> str:
    """The one wording for a path that is not there."""
    return f"{what} {str(path)!r}: no such file or folder"


def reason(error: BaseException) -> str:
    """A foreign exception as ``Type: first line``, for use inside a message."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
