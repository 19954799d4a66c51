"""What is wrong with a recipe's keys, and where: one wording for each failure, all of it here.

A problem becomes ``file:line: key: what``, or ``--flag: what``, whichever set the key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import nearest
from zoo.plugins.specs import PLURALS
from zoo.recipes.positions import KeyPath

LONGEST = 600
EMPTY_PART = "expected names joined by single dots, as in optimizer.lr"


@dataclass(frozen=True)
class Problem:
    """``at``: the key to blame, where it is another one (an option is missing: the name)."""

    key: KeyPath
    what: str
    at: KeyPath | None = None


@dataclass
class Places:
    """Who set each key. ``file``: as the user named it, empty when there is none; ``flags``: the
    flags that set a key, in order; ``plain``: the flags that a missing key can be given by."""

    file: str = ""
    lines: dict[KeyPath, int] = field(default_factory=dict)
    flags: dict[KeyPath, tuple[int, str]] = field(default_factory=dict)
    plain: Mapping[KeyPath, str] = field(default_factory=dict)
    _given: int = 0

    def set_by_flag(self, key: KeyPath, origin: str) -> None:
        """From now on ``key``, and what is below it, is the flag's."""
        for known in (self.lines, self.flags):
            for below in [one for one in known if one[: len(key)] == key]:
                del known[below]
        self._given += 1
        self.flags[key] = (self._given, origin)

    def line(self, problem: Problem) -> tuple[tuple[int, int], str]:
        """(what to sort by, the problem as people read it). File first, flags after."""
        key, what = key_text(problem.key), problem.what
        blamed = problem.key if problem.at is None else problem.at
        for length in range(len(blamed), 0, -1):
            part = blamed[:length]
            if part in self.flags:
                order, origin = self.flags[part]
                says_key = part == problem.key and _is_plain(origin)
                return (2, order), f"{origin}: {what}" if says_key else f"{origin}: {key}: {what}"
            if part in self.lines:
                return (0, self.lines[part]), f"{self.file}:{self.lines[part]}: {key}: {what}"
        # A section that is not known has no place of its own, only its keys have.
        for below, (order, origin) in self.flags.items():
            if below[: len(blamed)] == blamed:
                return (2, order), f"{origin}: {key}: {what}"
        if self.file:
            return (1, 0), f"{self.file}: {key}: {what}"
        flag = self.plain.get(problem.key)
        return (1, 0), f"{flag or key}: {what}"


def problem_lines(problems: Iterable[Problem], places: Places) -> list[str]:
    """Each key's first problem, one line of bounded length; by line of the file, then by flag."""
    firsts: dict[KeyPath, Problem] = {}
    for problem in problems:
        firsts.setdefault(problem.key, problem)
    lines = sorted(map(places.line, firsts.values()), key=lambda one: one[0])
    return [_clipped(text) for _, text in lines]


def key_text(key: KeyPath) -> str:
    """``augmentations.0.degrees``; a part that TOML would quote stands in quotes."""
    parts = (str(part) for part in key)
    return ".".join(
        part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part, ensure_ascii=False)
        for part in parts
    )


def unknown_section(name: str, known: Iterable[str]) -> str:
    known = list(known)
    return f"unknown section{nearest(name, known)}; expected one of {', '.join(known)}"


def unknown_key(name: str, known: Iterable[str], elsewhere: Mapping[str, str]) -> str:
    """``elsewhere``: the keys of other sections, by their last part."""
    known = list(known)
    hint = f" (did you mean {elsewhere[name]!r}?)" if name in elsewhere else nearest(name, known)
    return f"unknown key{hint}; expected one of {', '.join(known)}"


def wrong_value(value: Any, expected: str) -> str:
    return f"{value!r}: expected {expected}"


def no_effect(value: Any, why: str, instead: str) -> str:
    return f"{value!r} has no effect: {why}; {instead}"


def not_a_table(value: Any, header: str) -> str:
    return wrong_value(value, f"a table, {header}")


def not_tables(value: Any, section: str) -> str:
    return wrong_value(value, f"a list of tables, [[{section}]]")


def missing_name(kind: str) -> str:
    return f"missing; expected {a_name(kind)}; see: zoo components list {PLURALS[kind]}"


def a_name(kind: str) -> str:
    return f"the name of {'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def option_of_auto(option: str) -> str:
    return (
        f"loss 'auto' takes no options; name the loss that has {option!r}; "
        f"see: zoo components list losses"
    )


def both_copies_and_augmentations() -> str:
    return "copies name their own augmentations; put these into each [[copies]] that wants them"


def reserved_option(kind: str, name: str, option: str) -> str:
    return f"{kind} {name!r} has an option {option!r}, which recipes keep for themselves"


def wrong_channels(numbers: int, channels: int) -> str:
    return f"{numbers} numbers for {channels} channels; expected one a channel"


def nothing_to_normalize_as() -> str:
    return wrong_value(
        "pretrained", "transfer.init to name a model that was trained, a run, or 'pretrained'"
    )


def two_inits(pretrained: object, init: str) -> str:
    return (
        f"{pretrained!r}: transfer.init is {init!r}, and the first weights come from one place; "
        f"leave out one of the two"
    )


def no_normalization(init: str) -> str:
    return (
        f"'pretrained': {init!r} does not say how its images were normalized; expected 'dataset', "
        f"'imagenet', 'none' or numbers"
    )


def wrong_task(
    kind: str, name: str, served: Iterable[str], *, dataset: str, task: str, serving: Sequence[str]
) -> str:
    """``serving``: the components that would do."""
    see = f"see: zoo components list {PLURALS[kind]}"
    if 0 < len(serving) <= 8:
        see = f"expected one of {', '.join(serving)}"
    return (
        f"{kind} {name!r} serves {', '.join(sorted(served))}; dataset {dataset!r} is {task}; {see}"
    )


def no_such_figure(monitor: str, figures: Sequence[str], *, dataset: str, task: str) -> str:
    """``figures``: what a task has beside the loss."""
    known = ", ".join(("loss", *figures))
    return wrong_value(
        monitor, f"a figure of dataset {dataset!r}, which is {task}: train/ or val/ and {known}"
    )


def no_table(key: KeyPath, value: Any) -> str:
    return f"{key_text(key)} is {value!r}, which holds no keys"


def wrong_index(given: str, length: int) -> str:
    if not length:
        return wrong_value(given, "0, to add the first item")
    return wrong_value(
        given, f"the number of one of {length} items, from 0, or {length} to add one"
    )


def not_a_setting(text: str) -> str:
    return f"--set {text}: expected key=value, as in --set optimizer.lr=1e-3"


def _is_plain(origin: str) -> bool:
    return origin.startswith("--") and not origin.startswith("--set ")


def _clipped(text: str) -> str:
    """Both ends are kept: where it is, and what was expected."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} … {text[-half:]}"
