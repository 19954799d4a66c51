"""Pieces of Markdown that every reference page is made of."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Sequence


def title(name: str, lead: str) -> str:
    made = "<!-- Written by make docs-reference from the code; do not edit. -->"
    return f"{made}\n# {name}\n\n{lead}\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """One line; a bar within it, code or not, would end the cell, and <name> would be a tag."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    parts[::2] = [part.replace("<", "&lt;") for part in parts[::2]]
    return re.sub(r"(?<!\\)\|", r"\|", "".join(parts))


def code(text: str) -> str:
    return f"`{text}`"


def prose(docstring: str | None) -> str:
    """A docstring as Markdown: its references to code become code."""
    text = inspect.cleandoc(docstring or "")
    text = re.sub(r":(?:class|func|meth|attr|data):`~?([^`]+)`", r"``\1``", text)
    return text.replace("``", "`")


def signature_block(name: str, fields: Iterable[str], returned: str = "") -> str:
    """A call, a parameter a line."""
    listed = "".join(f"    {field},\n" for field in fields)
    body = f"{name}(\n{listed})" if listed else f"{name}()"
    body += f" -> {returned}" if returned else ""
    return f"```text\n{body}\n```\n"


def dataclass_fields(owner: type) -> list[str]:
    """``name: type = default`` of each field, with the annotation as it is written."""
    fields = []
    for field in dataclasses.fields(owner):
        text = f"{field.name}: {_written(owner, field.name)}"
        if field.default is not dataclasses.MISSING:
            text += f" = {default(field.default)}"
        elif field.default_factory is not dataclasses.MISSING:
            text += f" = {field.default_factory()!r}"
        fields.append(text)
    return fields


def _written(owner: type, name: str) -> str:
    for one in owner.__mro__:
        if name in inspect.get_annotations(one):
            annotation = inspect.get_annotations(one)[name]
            written = (
                annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
            )
            return str(written)
    raise KeyError(name)


def default(value: object) -> str:
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(map(repr, value))) + "}"
    return repr(value)
