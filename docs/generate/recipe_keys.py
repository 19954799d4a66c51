"""Every key of a recipe: type and default from the schema, the meaning from docs/recipes.md."""

from __future__ import annotations

import re
import tomllib
import typing
from pathlib import Path
from typing import Any

import markdown

from zoo.plugins import options
from zoo.plugins.specs import PLURALS
from zoo.recipes import schema
from zoo.recipes.flags import PLAIN_FLAGS

BY_HAND = Path(__file__).parents[1] / "recipes.md"
LEAD = """\
Every key a recipe can have, in the order in which zoo writes them out. [Recipes](../recipes.md) shows them in one file and says how they
work together. Any key can be set from the command line, `--set training.epochs=5`; those with a flag of their own name it.

A section that names a component (`[architecture]`, `[loss]`, …) takes, beside `name`, the options of that component: `zoo components show NAME`
lists them with their types and defaults. An unknown key is an error that names the nearest one.
"""
_TAKEN = {"root": "a folder", "pretrained": "true, or a tag"}
_FLAG_OF = {key: f"--{flag.replace('_', '-')}" for flag, key in PLAIN_FLAGS.items()}


def page() -> str:
    meanings = _meanings()
    parts = [markdown.title("Recipe keys", LEAD)]
    for name in schema.Recipe.model_fields:
        if name in schema.PLAIN:
            parts.append(_plain(name, meanings))
        elif name == schema.COPIES:
            parts.append(_copies())
        else:
            parts.append(_chosen(name, meanings))
    return "\n".join(parts)


def _meanings() -> dict[str, str]:
    """By key: the comment behind it in the recipe that docs/recipes.md shows."""
    shown = re.findall(r"```toml[^\n]*\n(.*?)```", BY_HAND.read_text(encoding="utf-8"), re.S)
    block = max(shown, key=len)
    tomllib.loads(block)
    found, section = {}, ""
    for line in block.splitlines():
        if header := re.match(r"\[+(\w+)\]+", line):
            section = header[1]
        elif key := re.match(r"#? ?(\w+) = [^#]*(?:#\s*(.*))?$", line):
            found[f"{section}.{key[1]}"] = key[2] or ""
    return found


def _plain(name: str, meanings: dict[str, str]) -> str:
    section = schema.PLAIN[name]
    rows = [_row(section, f"{name}.{key}", key, meanings) for key in section.model_fields]
    return f"## `[{name}]`\n\n" + markdown.table(("key", "type", "default", "meaning"), rows)


def _row(section: Any, full: str, key: str, meanings: dict[str, str]) -> tuple[str, ...]:
    field = section.model_fields[key]
    hints = typing.get_type_hints(section, include_extras=True)
    kind = field.description or options.type_text(hints[key])
    value = field.get_default()
    shown = _toml(list(value) if isinstance(value, tuple) else value)
    return f"`{key}`", _words(kind), f"`{shown}`", _meaning(full, meanings)


def _words(kind: str) -> str:
    names = {"float": "number", "int": "integer", "str": "text", "bool": "boolean"}
    text = re.sub(r"StringConstraints\(.*\)", "", kind)
    return re.sub(r"\b(float|int|str|bool)\b", lambda found: names[found[0]], text)


def _meaning(full: str, meanings: dict[str, str]) -> str:
    if not meanings.get(full):
        raise SystemExit(f"docs/recipes.md: {full} has no comment that says what it means")
    named = re.match(r"(--[\w-]+)[;,:]?\s*", meanings[full])
    flag = _FLAG_OF.get(full) or (named[1] if named else None)
    text = meanings[full][named.end() :] if named else meanings[full]
    if not re.match(r"\S*\.\S", text):  # a name such as torch.compile stays as it is
        text = text[:1].upper() + text[1:]
    flagged = f"`{flag}`" if flag else ""
    return ". ".join(part.rstrip(".") for part in (text, flagged) if part)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return str(value)


def _chosen(name: str, meanings: dict[str, str]) -> str:
    kind = schema.LISTS.get(name, name)
    several = name in schema.LISTS
    title = f"## `[[{name}]]`" if several else f"## `[{name}]`"
    a_name = f"the name of {'an' if kind[0] in 'aeiou' else 'a'} {kind}"
    default = schema.DEFAULT_NAMES.get(kind)
    shown = f'`"{default}"`' if default else ("" if several else "required")
    meaning = f"See: `zoo components list {PLURALS[kind]}`"
    flag = _FLAG_OF[name if several else f"{name}.name"]
    rows = [("`name`", a_name, shown, f"{meaning}. `{flag}`")]
    for key in schema.RESERVED.get(kind, ())[1:]:
        taken = _TAKEN.get(key, "text")
        rows.append((f"`{key}`", taken, "", _meaning(f"{name}.{key}", meanings)))
    rows.append(("others", "", "", f"The {kind}'s own options"))
    lead = "One table each, applied in this order.\n\n" if name == "augmentations" else ""
    return f"{title}\n\n{lead}" + markdown.table(("key", "type", "default", "meaning"), rows)


_COPY = {
    "fixed": "Augmented once and for all; false: drawn afresh in every epoch",
    "size": 'Its resolution, stored and given to the network; `"same"`: `data.size`',
    "augmentations": "A list of tables, as `[[augmentations]]`, which then has to be empty",
}


def _copies() -> str:
    rows = []
    for key in schema.CopySection.model_fields:
        full = f"{schema.COPIES}.{key}"
        row = _row(schema.CopySection, full, key, {full: _COPY[key]})
        rows.append(row if key != "augmentations" else (row[0], "tables", row[2], row[3]))
    lead = "An enlarged training set: a table for each copy of the training split.\n\n"
    return f"## `[[{schema.COPIES}]]`\n\n{lead}" + markdown.table(
        ("key", "type", "default", "meaning"), rows
    )
