"""Put flags over a file: flags win, and a replaced component takes its options with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from zoo.recipes import problems as words
from zoo.recipes.flags import Override
from zoo.recipes.positions import KeyPath
from zoo.recipes.problems import Problem
from zoo.recipes.schema import COMPONENTS, DEFAULT_NAMES, LISTS
from zoo.recipes.sources import Draft, plain_copy


def merge(draft: Draft, overrides: Sequence[Override]) -> list[Problem]:
    """Change ``draft`` in place. A key that cannot be set is a problem, and is left out."""
    renamed = {one.key: one.value for one in overrides if _names_component(one.key)}
    for key, name in renamed.items():
        _drop_options(draft, key, name)
    problems = []
    for one in overrides:
        path, what = _set(draft.data, one.key.split("."), plain_copy(one.value))
        draft.places.set_by_flag(path, one.origin)
        if what:
            problems.append(Problem(path, what))
    return problems


def _names_component(key: str) -> bool:
    section, _, rest = key.partition(".")
    if section in LISTS:
        return bool(re.fullmatch(r"\d{1,4}\.name", rest, re.ASCII))
    return section in COMPONENTS and rest == "name"


def _drop_options(draft: Draft, key: str, name: object) -> None:
    """Another component has other options: forget the file's."""
    section, *rest = key.split(".")
    table = draft.data.get(section)
    if section in LISTS:
        index = int(rest[0])
        table = table[index] if isinstance(table, list) and index < len(table) else None
    if not isinstance(table, dict):
        return
    before = table.get("name", DEFAULT_NAMES.get(section))
    if before is not None and before != name:
        table.clear()


def _set(data: dict[str, Any], parts: list[str], value: Any) -> tuple[KeyPath, str]:
    """Set one key, making the tables on the way: (the key as it is in the data, what is wrong)."""
    if not all(parts):
        return tuple(parts), words.EMPTY_PART
    node: Any = data
    key: KeyPath = ()
    for depth, part in enumerate(parts):
        step: str | int = part
        if isinstance(node, list):
            if not re.fullmatch(r"\d{1,4}", part, re.ASCII) or int(part) > len(node):
                return (*key, *parts[depth:]), words.wrong_index(part, len(node))
            step = int(part)
            if step == len(node):
                node.append({})
        elif not isinstance(node, dict):
            return (*key, *parts[depth:]), words.no_table(key, node)
        key = (*key, step)
        if depth == len(parts) - 1:
            node[step] = value
        elif isinstance(node, dict):
            node = node.setdefault(part, [] if key[0] in LISTS and depth == 0 else {})
        else:
            node = node[int(step)]
    return key, ""
