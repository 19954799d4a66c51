"""What pages print in fences, and the program's answer to the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from zoo_cli import main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
GENERATED = DOCS / "reference"
_FENCE = re.compile(
    r'^(?P<fence>```+)(?P<language>\w*)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^(?P=fence)$',
    re.M | re.S,
)


@dataclass(frozen=True)
class Block:
    """``title``: the file it is to be written to, or nothing. ``line``: of the fence, from 1."""

    page: Path
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> Iterator[list[str]]:
        """The words of each line of a shell block, without comments; continued lines are one."""
        for line in self.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found["language"],
              found["title"] or "", found["text"])
        for found in _FENCE.finditer(text)
    ]  # fmt: skip


def fence_lines(page: Path) -> int:
    """How many lines open or close a fence, whatever stands on them."""
    return len(re.findall(r"^\s*```", page.read_text(encoding="utf-8"), re.M))


def mentions(page: Path) -> Iterator[str]:
    """The commands named within sentences: ``zoo eval RUN --calibrate`` in single backticks."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    yield from re.findall(r"`(zoo [a-z][^`]*)`", text)


def command_of(words: list[str]) -> tuple[Any, Any, list[str]]:
    """(command, its context, what is given to it) of ``zoo WORDS``; raises click's UsageError for a
    command that is not there."""
    command: Any = typer.main.get_command(main.app)
    context: Any = command.context_class(command, info_name="zoo", resilient_parsing=False)
    while hasattr(command, "resolve_command") and words and not words[0].startswith("-"):
        _, found, words = command.resolve_command(context, words)
        context = found.context_class(found, info_name=found.name, parent=context)
        command = found
    return command, context, words


def options_of(command: Any) -> set[str]:
    own = {one for parameter in command.params for one in parameter.opts}
    return own | {one for parameter in command.params for one in parameter.secondary_opts}
