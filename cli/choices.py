"""Arguments that are one word of a fixed set; another word is a usage error with the nearest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

import typer

from zoo.errors import nearest

_COUNT = re.compile(r"(\d{1,15}(?:\.\d{1,15})?) ?([kKmMgG]?)", re.ASCII)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
_SIZE = re.compile(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", re.ASCII)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def kind_named(text: str) -> str:
    """The kind, such as ``loss``, that ``text`` names in the singular or the plural."""
    from zoo.plugins.specs import PLURALS

    kinds = {plural: kind for kind, plural in PLURALS.items()}
    return text if text in PLURALS else kinds[_one_of("kind", text, kinds)]


def task_named(text: str | None) -> str | None:
    from zoo.tasks import KINDS

    return None if text is None else _one_of("task", text, KINDS)


def _one_of(what: str, text: str, known: Iterable[str]) -> str:
    names = list(known)
    if text not in names:
        raise typer.BadParameter(
            f"{text!r}{nearest(text, names)}; expected one of {', '.join(names)}",
            param_hint=what,
        )
    return text


def positive_number(option: str, text: str) -> int:
    """Taken as a word, for converting it by typer takes as long as all the rest of a list."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise typer.BadParameter(f"{text!r}: expected a whole number from 1 on", param_hint=option)
    return int(text)


def count_named(option: str, text: str) -> int:
    """A number with a unit: ``300K``, ``5M``, ``1.2G``."""
    match = _COUNT.fullmatch(text)
    if match is None:
        raise typer.BadParameter(
            f"{text!r}: expected a number such as 300K, 5M or 1.2G", param_hint=option
        )
    return round(float(match[1]) * _UNITS[match[2].upper()])


def size_named(option: str, text: str) -> tuple[int, int]:
    """(height, width) in pixels: ``224`` or ``160x224``."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise typer.BadParameter(
            f"{text!r}: expected pixels, such as 224 or 160x224", param_hint=option
        )
    return int(match[1]), int(match[2] or match[1])


def number_or_word(text: str | None) -> int | str | None:
    """A whole number as one, so that what is left is judged where the words are known."""
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return text
