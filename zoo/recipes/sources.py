"""Where a recipe comes from: a TOML file, or nested mappings. Gives plain data and its places."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.errors import RecipeError, closest, did_you_mean, missing_path, reason
from zoo.recipes.flags import plain_flag_keys
from zoo.recipes.positions import MAX_DEPTH, MAX_KEYS, Positions, RefusedError, find_positions
from zoo.recipes.problems import Places, key_text

MAX_BYTES = 1_000_000


@dataclass
class Draft:
    """A recipe not yet checked: dicts, lists and scalars of its own, free to be changed."""

    data: dict[str, Any] = field(default_factory=dict)
    places: Places = field(default_factory=Places)


def open_source(
    source: Path | Mapping[str, Any] | None, what: str = "recipe", keys: int = MAX_KEYS
) -> Draft:
    """``what``: the word for it; ``keys``: how many it may have. Raises :class:`RecipeError` with
    one line when the source as a whole is unusable."""
    if source is None:
        return Draft(places=Places(plain=plain_flag_keys()))
    if isinstance(source, Mapping):
        return Draft(plain_copy(source))
    return _parse(source, _text(source, what), what, keys)


def plain_copy(value: Any, depth: int = 0) -> Any:
    """Mappings, lists and paths as TOML would have them; everything else as it is."""
    if depth > MAX_DEPTH:
        raise RecipeError([f"recipe: nested more than {MAX_DEPTH} deep"])
    if isinstance(value, Mapping):
        return {str(key): plain_copy(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_copy(item, depth + 1) for item in value]
    return str(value) if isinstance(value, Path) else value


def _text(path: Path, what: str) -> str:
    try:
        if not path.is_file():
            raise RecipeError([_no_file(path, what)])
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise RecipeError([f"{what} {str(path)!r} cannot be read: {reason(error)}"]) from error
    if len(content) > MAX_BYTES:
        raise RecipeError([f"{path}: more than {MAX_BYTES} bytes; expected a {what} in TOML"])
    if content.startswith(b"\xef\xbb\xbf"):
        raise RecipeError([f"{path}:1: begins with a byte-order mark; save it as UTF-8 without"])
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise RecipeError(
            [f"{path}:{line}: byte 0x{byte:02x} is not UTF-8; save it as UTF-8"]
        ) from error


def _no_file(path: Path, what: str) -> str:
    """What is wrong with ``path``, and which file may be meant."""
    if path.is_dir():
        inside = sorted(path.glob("*.toml"))
        meant = did_you_mean(str(inside[0])) if len(inside) == 1 else ""
        return f"{what} {str(path)!r}: a folder; expected a TOML file{meant}"
    if path.exists():
        return f"{what} {str(path)!r}: no regular file; expected a TOML file"
    near = closest(path.name, [one.name for one in path.parent.glob("*.toml")])
    return missing_path(what, path) + (did_you_mean(str(path.parent / near)) if near else "")


def _parse(path: Path, text: str, what: str, keys: int) -> Draft:
    try:
        positions = find_positions(text, keys)
    except RefusedError as error:
        raise RecipeError(
            [f"{path}:{error.line}: {error.what}; expected a {what} in TOML"]
        ) from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError([_syntax_problem(path, text, positions, str(error))]) from error
    # What the scanner let pass all the same; tomllib leaves these exceptions as they are.
    except (ValueError, RecursionError) as error:
        raise RecipeError([f"{path}: not TOML: {reason(error)}"]) from error
    return Draft(data, Places(str(path), positions.lines))


def _syntax_problem(path: Path, text: str, positions: Positions, said: str) -> str:
    """tomllib's words, behind the line. A key that stands twice is named."""
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", said, re.DOTALL)
    what = match[1] if match else said
    line = int(match[2]) if match and match[2] else text.rstrip().count("\n") + 1
    for repeat, key in positions.repeats:
        if repeat <= line:
            first = positions.lines[key]
            return f"{path}:{repeat}: {key_text(key)}: stands twice, first in line {first}"
    return f"{path}:{line}: not TOML: {what[:1].lower()}{what[1:]}"
