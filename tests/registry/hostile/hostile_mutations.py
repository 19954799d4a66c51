"""Seeded changes of what is in order: of records, heads, pages, states, catalogs, markers and
headers of weights, in their bytes and in their values."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from hostile_case import Case
from hostile_tensors import file_of
from hostile_world import BOTH, MODEL, World

from zoo.registry import layout

_TEXTS = [
    "", "..", "../x", "/etc/passwd", "C:x", "a\0b", "a\nb", "\x1b[2J", "\u202e", "con", "a" * 600,
    "sha256:" + "0" * 64, "0" * 64, "2026-01-02T03:04:05Z", "1", "true", "null", "other", "tiny",
    "deep", "hollow", "model.safetensors", "README.md", "F32", "BF16", "BOOL", "$(id)", "\ud7ff",
    "digits-tiny", "digits_tiny", "best", "latest", "initialized_from", "multilabel", "binary",
]  # fmt: skip
_NUMBERS = [
    0, -1, 1, 2, 3, 4, 5, 7, 255, 1000, 1001, 65536, 10**6, 999_999, 2**31, 2**53, 2**62, 2**63 - 1,
    -(2**63), 2**63, 2**64, 10**30, 0.0, -0.0, 1.0, 0.5, 1e-300, 1e308, 3.999999999999999,
]  # fmt: skip
_OTHERS = [None, True, False, [], {}, [[]], [{}], {"": {}}, ["x"], [1, 2]]
_BYTES = b'{}[]:,"\\0123456789eE+-.truefalsnul \n\t\0\x1b\xff\xc3'


def mutations(seed: int, start: int, count: int) -> Iterator[Case]:
    """Number ``start`` to ``start + count`` of the endless row that ``seed`` begins."""
    for number in range(start, start + count):
        yield Case(
            f"mutation {seed}/{number}",
            lambda world, number=number: _apply(world, random.Random(f"{seed}/{number}")),
            (),
            _references(random.Random(f"{seed}/{number}")),
        )


def _references(chance: random.Random) -> tuple[str, ...]:
    return (_targets(chance)[1],)


def _targets(chance: random.Random) -> tuple[Callable[..., None], str]:
    """(what is changed, how it is read): the first choice of every mutation."""
    return chance.choices(
        [
            (_record, f"{MODEL}@2"), (_record, f"web:{MODEL}"), (_record_alone, f"{MODEL}@2"),
            (_first_record, f"{MODEL}@1"), (_ensemble, BOTH), (_head, f"web:{MODEL}"),
            (_head, MODEL), (_page, f"web:{MODEL}"), (_page, MODEL), (_state, MODEL),
            (_state, f"{MODEL}@best"), (_state, f"web:{MODEL}@best"), (_catalog, MODEL),
            (_marker, MODEL), (_header, f"{MODEL}@2"),
        ],
        [5, 2, 1, 1, 2, 2, 1, 2, 1, 1, 1, 1, 1, 1, 8],
    )[0]  # fmt: skip


def _apply(world: World, chance: random.Random) -> None:
    change, _ = _targets(chance)
    change(world, chance)


def _record(world: World, chance: random.Random) -> None:
    world.put_record(_mutated(world.files[layout.version(MODEL, 2)], chance))


def _record_alone(world: World, chance: random.Random) -> None:
    """The index still has the digest of the right one."""
    path = layout.version(MODEL, 2)
    world.put(path, _mutated(world.files[path], chance))


def _first_record(world: World, chance: random.Random) -> None:
    world.put_record(_mutated(world.files[layout.version(MODEL, 1)], chance), 1)


def _ensemble(world: World, chance: random.Random) -> None:
    world.put_record(_mutated(world.files[layout.version(BOTH, 1)], chance), 1, BOTH)


def _put(path: str) -> Callable[[World, random.Random], None]:
    return lambda world, chance: world.put(path, _mutated(world.files[path], chance))


_head, _page = _put(layout.head(MODEL)), _put(layout.page(MODEL, 1))
_marker, _second_state = _put(layout.MARKER), _put(layout.state(MODEL, 2))


def _state(world: World, chance: random.Random) -> None:
    (_second_state if chance.random() < 0.8 else _put(layout.state(MODEL, 1)))(world, chance)


def _catalog(world: World, chance: random.Random) -> None:
    _put(chance.choice([layout.shard(MODEL), layout.SHARDS]))(world, chance)


def _header(world: World, chance: random.Random) -> None:
    """Weights under a digest that fits; the record and the index know it."""
    file = world.weights()
    length = int.from_bytes(file[:8], "little")
    header, data = file[8 : 8 + length], file[8 + length :]
    kind = chance.random()
    if kind < 0.8:
        world.put_file(file_of(_mutated(header, chance), data))
    elif kind < 0.9:
        world.put_file(file_of(header, data, chance.choice([0, 1, length - 1, length + 1, 2**63,
                                                           chance.randrange(2**64)])))  # fmt: skip
    else:
        cut = chance.randrange(len(file))
        world.put_file(chance.choice([file[:cut], file + file[:cut], file[cut:]]))


def _mutated(data: bytes, chance: random.Random) -> bytes:
    """One to three changes: of values mostly, and then of bytes, or the other way round."""
    if chance.random() < 0.3:
        return _of_bytes(data, chance)
    plain = json.loads(data)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        plain = _of_values(plain, chance)
    written = json.dumps(plain, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    return _of_bytes(written, chance) if chance.random() < 0.1 else written


def _of_bytes(data: bytes, chance: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        place = chance.randrange(len(made)) if made else 0
        kind = chance.randrange(6)
        if kind == 0:
            made[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            made[place : place + 1] = bytes([chance.choice(_BYTES)])
        elif kind == 2:
            made[place:place] = bytes([chance.choice(_BYTES)])
        elif kind == 3:
            del made[place : place + chance.choice([1, 1, 2, 10])]
        elif kind == 4:
            made[place:place] = made[place : place + chance.randrange(1, 60)]
        elif made:
            made[place] ^= 1 << chance.randrange(8)
    return bytes(made)


def _of_values(plain: Any, chance: random.Random) -> Any:
    """``plain`` with one place changed."""
    plain = copy.deepcopy(plain)
    places = list(_places(plain))
    if not places:
        return chance.choice(_OTHERS)
    held, key = chance.choice(places)
    kind = chance.randrange(7)
    if kind == 0:
        del held[key]
    elif kind == 1 and isinstance(held, list):
        held.insert(chance.randrange(len(held) + 1), copy.deepcopy(held[key]))
    elif kind == 1:
        held[chance.choice(_TEXTS)] = held[key]
    elif kind == 2:
        other, inner = chance.choice(places)
        held[key], other[inner] = copy.deepcopy(other[inner]), copy.deepcopy(held[key])
    elif kind == 3:
        held[key] = copy.deepcopy(chance.choice(_OTHERS))
    else:
        held[key] = _like(held[key], chance)
    return plain


def _like(value: Any, chance: random.Random) -> Any:
    """Of the same kind, mostly, and yet another."""
    if isinstance(value, str) and value and chance.random() < 0.4:
        place = chance.randrange(len(value))
        return (
            value[:place] + chance.choice(["", "0", "a", "A", "\x1b", "/", value]) + value[place:]
        )
    if isinstance(value, str):
        return chance.choice(_TEXTS)
    if isinstance(value, bool | int | float):
        return chance.choice([*_NUMBERS, value + 1, value - 1, -value, str(value)])
    return chance.choice([*_TEXTS, *_NUMBERS, *copy.deepcopy(_OTHERS)])


def _places(plain: Any) -> Iterator[tuple[Any, Any]]:
    """(table or list, key or index) of every value."""
    keys = plain if isinstance(plain, dict) else range(len(plain))
    for key in keys:
        yield plain, key
        if isinstance(plain[key], dict | list):
            yield from _places(plain[key])
