"""Which components a list shows, by name, task, size and weights; which families it cannot."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass

from zoo.errors import ZooError
from zoo.plugins.catalog import Catalog, Component, members
from zoo.plugins.facts import facts_of, has_pretrained, tasks_of
from zoo.plugins.families import Family
from zoo.plugins.loading import Plugin
from zoo.plugins.specs import Facts

_SHELL = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Wanted:
    """``pattern``: a shell pattern of the whole name, or else a part of it, whatever the case;
    ``parameters``: at most so many. None, or "", asks for nothing."""

    pattern: str = ""
    task: str | None = None
    pretrained: bool = False
    parameters: int | None = None


@dataclass(frozen=True)
class Listed:
    """A component, what is known of it, and the tasks it serves."""

    component: Component
    facts: Facts | None
    tasks: frozenset[str]


def listed(catalog: Catalog, kind: str, wanted: Wanted) -> tuple[list[Listed], int]:
    """Those of ``kind`` that are wanted, by name, and how many were left out because nobody knows
    their number of parameters."""
    named = _names(wanted.pattern)
    found, unknown = [], 0
    for component in catalog.components(kind):
        if not named(component.name):
            continue
        facts = facts_of(component)
        tasks = tasks_of(component, facts)
        if wanted.task is not None and wanted.task not in tasks:
            continue
        if wanted.pretrained and not has_pretrained(component, facts):
            continue
        if wanted.parameters is not None:
            number = None if facts is None else facts.parameters
            unknown += number is None
            if number is None or number > wanted.parameters:
                continue
        found.append(Listed(component, facts, tasks))
    return found, unknown


def family_problems(catalog: Catalog) -> dict[Plugin, list[str]]:
    """Of loaded plugins, why a family of theirs is left out of lists."""
    problems: dict[Plugin, list[str]] = {}
    for loaded in catalog.loaded:
        for spec in loaded.components:
            if isinstance(spec, Family):
                try:
                    members(Component(spec.kind, spec.prefix, spec, loaded.plugin))
                except ZooError as error:
                    problems.setdefault(loaded.plugin, []).append(str(error))
    return {plugin: list(dict.fromkeys(texts)) for plugin, texts in problems.items()}


def _names(pattern: str) -> Callable[[str], bool]:
    pattern = pattern.lower()
    if not _SHELL.search(pattern):
        return lambda name: pattern in name.lower()
    match = re.compile(fnmatch.translate(pattern)).match
    return lambda name: match(name.lower()) is not None
