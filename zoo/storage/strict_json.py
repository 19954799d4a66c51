"""JSON from strangers, and JSON for digests: one text for one value, nothing ambiguous."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from zoo.errors import StorageError

DEPTH = 32
KEYS = 20_000  # in all tables together: each that is wrong costs a checker far more than its bytes
_DIGITS = 19  # of an integer: what int64 holds


def dumps(value: Any) -> bytes:
    """Canonical: sorted keys, no spaces, UTF-8, a final newline. Raises :class:`StorageError` for
    what JSON cannot say: NaN, infinity, other types."""
    try:
        text = json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return f"{text}\n".encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise StorageError(f"cannot be written as JSON: {error}") from error


def loads(data: bytes, what: str, limit: int, keys: int = KEYS) -> Any:
    """Parse UTF-8 JSON of at most ``limit`` bytes and ``keys`` keys. Raises :class:`StorageError`,
    naming ``what``, for more, bad syntax, a key that stands twice, NaN, numbers beyond 64 bits,
    deep nesting."""
    if len(data) > limit:
        raise StorageError(f"{what} is longer than {limit} bytes")
    left = keys

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal left
        left -= len(pairs)
        if left < 0:
            raise ValueError(f"it has more than {keys} keys")
        return _object(pairs)

    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=table,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
        )
        _check(value)
    except RecursionError:
        raise StorageError(f"{what} is nested deeper than {DEPTH}") from None
    except ValueError as error:
        raise StorageError(f"{what} is not the JSON expected: {error}") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"key {twice[:80]!r} stands twice")
    return made


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > _DIGITS or not -(1 << 63) <= int(text) < 1 << 63:
        raise ValueError(f"integer {text[:20]}… has more than 64 bits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"number {text[:20]!r} is not finite")
    return value


def _constant(text: str) -> None:
    raise ValueError(f"{text} is not a number of JSON")


def _check(value: Any) -> None:
    """No deep nesting; no half characters, which cannot be printed or hashed."""
    level = [value]
    for _ in range(DEPTH):
        for one in level:
            if isinstance(one, str):
                one.encode()
            elif isinstance(one, dict):
                "".join(one).encode()
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise ValueError(f"nested deeper than {DEPTH}")


def differences(kept: Any, found: Any, key: str = "") -> list[tuple[str, Any, Any]]:
    """(key, one, other) of what differs in two tables of JSON."""
    if isinstance(kept, Mapping) and isinstance(found, Mapping):
        return [
            one
            for name in {**kept, **found}
            for one in differences(
                kept.get(name), found.get(name), f"{key}.{name}" if key else str(name)
            )
        ]
    if isinstance(kept, list | tuple) and isinstance(found, list | tuple):
        if len(kept) == len(found):
            return [
                one
                for i, (a, b) in enumerate(zip(kept, found, strict=True))
                for one in differences(a, b, f"{key}.{i}")
            ]
        return [(key, kept, found)]
    return [] if kept == found else [(key, kept, found)]
