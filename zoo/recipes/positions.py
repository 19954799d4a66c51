"""On which line of a TOML text each key stands; tomllib does not say.

A scanner, not a parser: it accepts more than TOML and leaves refusing to tomllib, before which it
runs. It also keeps from tomllib what would cost it memory or its stack: deep nesting, keys of
thousands of parts, endless numbers.
"""

from __future__ import annotations

import bisect
import contextlib
import re
import tomllib
from dataclasses import dataclass, field

KeyPath = tuple[str | int, ...]

MAX_DEPTH = 16
MAX_KEYS = 1000
MAX_TOKEN = 128

_SPACE = re.compile(r"[ \t]*+")
_GAP = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_LINE_END = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\r?\n|\Z)")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]++")
_QUOTED_KEY = re.compile(r'"(?:[^"\\\n]++|\\.)*+"' r"|'[^'\n]*+'")
# A closing delimiter may follow one or two quotes that belong to the text.
_STRING = re.compile(
    r'"""(?:[^"\\]++|\\(?s:.)|"(?!""))*+"{3,5}'
    r"|'''(?:[^']++|'(?!''))*+'{3,5}"
    r'|"(?:[^"\\\n]++|\\.)*+"'
    r"|'[^'\n]*+'"
)
_TOKEN = re.compile(r"[^\n,\]}#]++")


class RefusedError(Exception):
    """The text asks for more than a recipe may."""

    def __init__(self, line: int, what: str) -> None:
        self.line, self.what = line, what
        super().__init__(f"line {line}: {what}")


@dataclass
class Positions:
    """``lines``: the line, from 1, of each key, table and list item; ``repeats``: (line, key) of
    what stands twice."""

    lines: dict[KeyPath, int] = field(default_factory=dict)
    repeats: list[tuple[int, KeyPath]] = field(default_factory=list)


def find_positions(text: str, most: int = MAX_KEYS) -> Positions:
    """Where the keys of ``text`` are, ``most`` of them, up to the first thing that cannot be TOML.
    Raises :class:`RefusedError` for what tomllib should not be given."""
    scanner = _Scanner(text, most)
    with contextlib.suppress(_NotTomlError):
        scanner.document()
    return scanner.found


class _NotTomlError(Exception):
    pass


class _Scanner:
    def __init__(self, text: str, most: int) -> None:
        self.text, self.most = text, most
        self.at = 0
        self.found = Positions()
        self.list_lengths: dict[KeyPath, int] = {}
        self.defined: set[KeyPath] = set()
        self.line_ends = [match.start() for match in re.finditer("\n", text)]

    def document(self) -> None:
        table: KeyPath = ()
        while True:
            self.skip(_GAP)
            if self.at == len(self.text):
                return
            if self.text.startswith("[[", self.at):
                table = self.header("]]")
            elif self.text.startswith("[", self.at):
                table = self.header("]")
            else:
                self.pair(table)
            self.take(_LINE_END)

    def header(self, closing: str) -> KeyPath:
        """``[a.b]`` or ``[[a.b]]``: the path that its keys belong to. A part that is a list means
        the list's last item."""
        line = self.line()
        self.at += len(closing)
        path: KeyPath = ()
        keys = self.key()
        for part in keys[:-1]:
            path = self.last_item((*path, part))
        path = (*path, keys[-1])
        if closing == "]]":
            index = self.list_lengths.get(path, 0)
            self.list_lengths[path] = index + 1
            path = (*path, index)
        self.record(path, line)
        self.expect(closing)
        return path

    def last_item(self, path: KeyPath) -> KeyPath:
        length = self.list_lengths.get(path, 0)
        return (*path, length - 1) if length else path

    def pair(self, table: KeyPath) -> None:
        self.skip(_SPACE)
        line = self.line()
        path = (*table, *self.key())
        self.record(path, line)
        self.expect("=")
        self.value(path)

    def key(self) -> list[str]:
        """A dotted key's parts."""
        parts = []
        while True:
            self.skip(_SPACE)
            if match := _BARE_KEY.match(self.text, self.at):
                parts.append(match[0])
            elif match := _QUOTED_KEY.match(self.text, self.at):
                parts.append(_unquoted(match[0]))
            else:
                raise _NotTomlError
            self.at = match.end()
            if len(parts) > MAX_DEPTH:
                raise RefusedError(self.line(), f"a key of more than {MAX_DEPTH} parts")
            self.skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def value(self, path: KeyPath) -> None:
        if len(path) > MAX_DEPTH:
            raise RefusedError(self.line(), f"nested more than {MAX_DEPTH} deep")
        self.skip(_SPACE)
        if self.text.startswith("[", self.at):
            self.items(path, "]")
        elif self.text.startswith("{", self.at):
            self.record(path, self.line(), again=True)
            self.items(path, "}")
        elif match := _STRING.match(self.text, self.at):
            self.at = match.end()
        else:
            token = self.take(_TOKEN).rstrip()
            if len(token) > MAX_TOKEN:
                raise RefusedError(
                    self.line(), f"a value of {len(token)} characters, without quotes"
                )

    def items(self, path: KeyPath, closing: str) -> None:
        """The values of a list, or the pairs of an inline table."""
        self.at += 1
        index = 0
        while True:
            self.skip(_GAP)
            if self.text.startswith(closing, self.at):
                self.at += 1
                return
            if closing == "]":
                self.value((*path, index))
            else:
                self.pair(path)
            index += 1
            self.skip(_GAP)
            if self.text.startswith(",", self.at):
                self.at += 1
            elif not self.text.startswith(closing, self.at):
                raise _NotTomlError

    def record(self, path: KeyPath, line: int, *, again: bool = False) -> None:
        """``again``: the value of a key already recorded."""
        if len(path) > MAX_DEPTH:
            raise RefusedError(line, f"nested more than {MAX_DEPTH} deep")
        if path in self.defined and not again:
            self.found.repeats.append((line, path))
        self.defined.add(path)
        for length in range(1, len(path) + 1):
            self.found.lines.setdefault(path[:length], line)
        if len(self.found.lines) > self.most:
            raise RefusedError(line, f"more than {self.most} keys")

    def line(self) -> int:
        return bisect.bisect_left(self.line_ends, self.at) + 1

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        assert match is not None  # these patterns match the empty text
        self.at = match.end()

    def take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _NotTomlError
        self.at = match.end()
        return match[0]

    def expect(self, mark: str) -> None:
        if not self.text.startswith(mark, self.at):
            raise _NotTomlError
        self.at += len(mark)


def _unquoted(key: str) -> str:
    try:
        return str(tomllib.loads(f"key = {key}")["key"])
    except tomllib.TOMLDecodeError as error:
        raise _NotTomlError from error
