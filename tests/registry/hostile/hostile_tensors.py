"""Hostile safetensors files, for a version's weights, under a digest that fits."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from typing import Any

from hostile_case import Case
from hostile_world import World

READ = ("load", "pull", "verify")  # ``show`` opens no weights
F32 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
_NONE = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
_MB = 1 << 20


def header_of(file: bytes) -> tuple[dict[str, Any], bytes]:
    """(header, data) of a safetensors file."""
    length = int.from_bytes(file[:8], "little")
    return json.loads(file[8 : 8 + length]), file[8 + length :]


def file_of(header: bytes | dict[str, Any], data: bytes = b"", length: int | None = None) -> bytes:
    """``length``: what the file says of its header, where that is a lie."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def _tensor(**changes: object) -> bytes:
    return file_of({"a": {**F32, **changes}}, bytes(4))


def _empty(shape: object, size: int = 0) -> bytes:
    return file_of({"a": {**F32, "shape": shape, "data_offsets": [0, size]}}, bytes(size))


def _text(text: bytes, data: bytes = b"") -> bytes:
    return file_of(text, data)


def _filled(before: bytes, unit: bytes, after: bytes, size: int) -> bytes:
    return file_of(before + unit * ((size - len(before) - len(after)) // len(unit)) + after)


def _names(count: int) -> bytes:
    """A legal header of so many empty tensors."""
    header = bytearray(b"{")
    for i in range(count):
        header += b'"%x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},' % i
    header[-1:] = b"}"
    return file_of(bytes(header))


_SHAPE = b'{"a":{"dtype":"F32","data_offsets":[0,0],"shape":['
_ENTRY = b'{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
# What no reader of zoo's may take.
FILES: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "seven bytes": lambda: bytes(7),
    "nothing but a length": lambda: bytes(8),
    "length 2^64 - 1": lambda: file_of(b"{}", length=2**64 - 1),
    "length 2^63": lambda: file_of(b"{}", length=2**63),
    "length past the end": lambda: file_of(b"{}", length=3),
    "length one short": lambda: file_of({"a": F32}, bytes(4), length=60),
    "a list": lambda: _text(b"[]"),
    "null": lambda: _text(b"null"),
    "a number": lambda: _text(b"1"),
    "a text": lambda: _text(b'"{}"'),
    "space in front": lambda: _text(b" " + json.dumps({"a": F32}).encode(), bytes(4)),
    "nulls behind": lambda: _text(json.dumps({"a": F32}).encode() + bytes(8), bytes(4)),
    "half a header": lambda: _text(b'{"a":{"dtype":"F32","shape":[1]'),
    "bytes that are no UTF-8": lambda: _text(b'{"\xff\xfe":' + _ENTRY + b"}", bytes(4)),
    "UTF-16": lambda: _text(json.dumps({"a": F32}).encode("utf-16"), bytes(4)),
    "a byte order mark": lambda: _text(b"\xef\xbb\xbf" + b'{"a":' + _ENTRY + b"}", bytes(4)),
    "half a character": lambda: _text(b'{"\\ud800":' + _ENTRY + b"}", bytes(4)),
    "a name twice": lambda: _text(b'{"a":' + _ENTRY + b',"a":' + _ENTRY + b"}", bytes(4)),
    "metadata twice": lambda: _text(b'{"__metadata__":{},"__metadata__":{}}'),
    "a key twice": lambda: _text(b'{"a":{"dtype":"F32",' + _ENTRY[1:] + b"}", bytes(4)),
    "metadata as list": lambda: file_of({"__metadata__": []}),
    "metadata as null": lambda: file_of({"__metadata__": None}),
    "metadata with numbers": lambda: file_of({"__metadata__": {"a": 1}}),
    "metadata with tables": lambda: file_of({"__metadata__": {"a": {"b": "c"}}}),
    "much metadata": lambda: file_of({"__metadata__": {"a": "x" * _MB}}),
    "a field more": lambda: _tensor(evil=1),
    "no dtype": lambda: file_of({"a": {"shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    "no shape": lambda: file_of({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, bytes(4)),
    "no offsets": lambda: file_of({"a": {"dtype": "F32", "shape": [1]}}, bytes(4)),
    "an entry as list": lambda: file_of({"a": ["F32", [1], [0, 4]]}, bytes(4)),
    "an entry as null": lambda: file_of({"a": None}),
    "unknown dtype": lambda: _tensor(dtype="F128"),
    "dtype of half bytes": lambda: file_of({"a": {**F32, "dtype": "F4"}}, bytes(4)),
    "dtype in small letters": lambda: _tensor(dtype="f32"),
    "dtype as number": lambda: _tensor(dtype=1),
    "dtype as list": lambda: _tensor(dtype=["F32"]),
    "dtype with an escape": lambda: _tensor(dtype="\x1b[2J"),
    "dtype of a megabyte": lambda: _tensor(dtype="F" * _MB),
    "many dtypes": lambda: _tensor(dtype=["F32"] * 100_000),
    "negative size": lambda: _tensor(shape=[-1]),
    "two negative sizes": lambda: _tensor(shape=[-1, -1]),
    "size as float": lambda: _tensor(shape=[1.0]),
    "size as text": lambda: _tensor(shape=["1"]),
    "size as boolean": lambda: _tensor(shape=[True]),
    "size as null": lambda: _tensor(shape=[None]),
    "shape as number": lambda: _tensor(shape=1),
    "shape as table": lambda: _tensor(shape={"0": 1}),
    "shape in shape": lambda: _tensor(shape=[[1]]),
    "nine dimensions": lambda: _tensor(shape=[1] * 9),
    "100,000 dimensions": lambda: _tensor(shape=[1] * 100_000),
    "none of 2^62, twice": lambda: _empty([0, 2**62, 2**62]),
    "none of 2^62, thrice": lambda: _empty([2**62, 2**62, 0]),
    "none, and many of 2^31": lambda: _empty([1, 0, 2**31, 2**40]),
    "size 2^63": lambda: _empty([0, 2**63]),
    "size of 4,301 digits": lambda: _text(_SHAPE + b"9" * 4301 + b"]}}"),
    "product beyond 64 bits": lambda: _tensor(shape=[2**32, 2**32, 2**32]),
    "product that wraps to 1": lambda: _tensor(shape=[2**63 - 1, 2, 2]),
    "offsets upside down": lambda: _tensor(data_offsets=[4, 0]),
    "negative offset": lambda: _tensor(data_offsets=[-4, 0]),
    "offsets as floats": lambda: _tensor(data_offsets=[0.0, 4.0]),
    "offsets as booleans": lambda: file_of(
        {"a": {"dtype": "U8", "shape": [1], "data_offsets": [False, True]}}, bytes(1)
    ),
    "three offsets": lambda: _tensor(data_offsets=[0, 4, 4]),
    "one offset": lambda: _tensor(data_offsets=[0]),
    "past the end": lambda: _tensor(data_offsets=[4, 8]),
    "far past the end": lambda: _tensor(data_offsets=[2**62, 2**62 + 4]),
    "shape that does not fit": lambda: _tensor(shape=[2]),
    "overlap": lambda: file_of({"a": F32, "b": F32}, bytes(4)),
    "part of an overlap": lambda: file_of(
        {"a": F32, "b": {**F32, "data_offsets": [2, 6]}}, bytes(6)
    ),
    "a hole": lambda: file_of({"a": F32, "b": {**F32, "data_offsets": [8, 12]}}, bytes(12)),
    "a hole in front": lambda: file_of({"a": {**F32, "data_offsets": [4, 8]}}, bytes(8)),
    "trailing bytes": lambda: file_of({"a": F32}, bytes(5)),
    "a zip behind": lambda: file_of({"a": F32}, bytes(4) + b"PK\x03\x04evil"),
    "a byte less": lambda: file_of({"a": F32}, bytes(3)),
    "a name of 513 letters": lambda: file_of({"a" * 513: F32}, bytes(4)),
    "an empty name": lambda: file_of({"": F32}, bytes(4)),
    "a name with an escape": lambda: file_of({"a\x1b[2J": F32}, bytes(4)),
    "a name with a null": lambda: file_of({"a\0": F32}, bytes(4)),
    "a name that turns around": lambda: file_of({"a\u202e": F32}, bytes(4)),
    "100,001 tensors": lambda: _names(100_001),
    "nested 100,000 deep": lambda: _text(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "lists 100,000 deep": lambda: _text(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "nested 40 deep": lambda: _text(b'{"a":' * 40 + b"1" + b"}" * 40),
    "NaN as size": lambda: _text(_SHAPE + b"NaN]}}"),
    "infinite size": lambda: _text(_SHAPE + b"1e999]}}"),
    "a full header of numbers": lambda: _filled(_SHAPE, b"1,", b"1]}}", 16 * _MB),
    "a full header of floats": lambda: _filled(_SHAPE, b"1.5,", b"1]}}", 16 * _MB),
    "a full header of texts": lambda: _filled(_SHAPE, b'"ab",', b"1]}}", 16 * _MB),
    "a full header of tables": lambda: _filled(b'{"a":[', b"{},", b"{}]}", 16 * _MB),
    "a full header of keys": lambda: _filled(b'{"a":{', b'"":0,', b'"":0}}', 16 * _MB),
    "a full header of spaces": lambda: _filled(b"{", b" ", b"", 16 * _MB),
    "a full header of one name": lambda: _filled(b'{"', b"a", b'":1}', 16 * _MB),
    "a header of 16 MB and a byte": lambda: _filled(b"{", b" ", b"}", 16 * _MB + 1),
    "a pickle": lambda: b"\x80\x04cos\nsystem\n(S'touch outside/secret'\ntR.",
    "an old pickle": lambda: b"cos\nsystem\n(S'touch outside/secret'\ntR.",
    "a zip": lambda: b"PK\x03\x04" + bytes(100),
    "HDF5": lambda: b"\x89HDF\r\n\x1a\n" + bytes(100),
    "gzip": lambda: b"\x1f\x8b\x08" + bytes(100),
    "a page": lambda: b"<!doctype html><title>log in</title>",
    "a pointer": lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    "a program": lambda: b"\x7fELF" + bytes(100),
    "zeros": lambda: bytes(1000),
    "boolean 2": lambda: file_of(
        {"a": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}, b"\1\2"
    ),
}  # fmt: skip
LARGE: dict[str, Callable[[], bytes]] = {
    "a legal header of 90 MB": lambda: _names(1_560_000),
    "100,000 empty tensors": lambda: _names(100_000),
}
# Files in order, but not the network's: only who builds one can tell.
FOREIGN = {
    "no tensors": lambda: file_of({}),
    "another tensor": lambda: file_of({"a": F32}, bytes(4)),
    "none of 2^62": lambda: _empty([0, 2**62]),
    "parent folders in a name": lambda: file_of({"../../x": F32}, bytes(4)),
}


def _changed(change: Callable[[dict[str, Any]], object]) -> Callable[[World], object]:
    def apply(world: World) -> None:
        header, data = header_of(world.weights())
        change(header)
        end = max((one["data_offsets"][1] for key, one in header.items() if key[0] != "_"))
        world.put_file(file_of(header, data[:end] + bytes(max(0, end - len(data)))))

    return apply


def _reshape(header: dict[str, Any]) -> None:
    one = header["3.weight"]
    one["shape"] = [math.prod(one["shape"])]


def _same_bits(dtype: str) -> Callable[[dict[str, Any]], object]:
    return lambda header: header["3.bias"].update(dtype=dtype)


FITTING = {
    "another shape of the same size": _reshape,
    "integers for floats": _same_bits("I32"),
    "unsigned integers for floats": _same_bits("U32"),
    "a tensor less": lambda header: header.update(__metadata__=header.pop("3.bias") and {}),
}


def _filled_with(*values: bytes) -> Callable[[World], object]:
    """Numbers in place of the network's own."""

    def apply(world: World) -> None:
        header, data = header_of(world.weights())
        changed = bytearray(data)
        for value, name in zip(values, ("3.bias", "0.weight", "1.running_var"), strict=False):
            start = header[name]["data_offsets"][0]
            changed[start : start + 4] = value
        world.put_file(file_of(header, bytes(changed)))

    return apply


_NAN, _INFINITE = b"\0\0\xc0\x7f", b"\0\0\x80\x7f"
NUMBERS = {
    "NaN": (_NAN,),
    "NaN that says something": (b"\xad\xde\xc0\x7f",),
    "a NaN that signals": (b"\1\0\x80\x7f",),
    "infinity": (_INFINITE,),
    "minus infinity": (b"\0\0\x80\xff",),
    "infinities that cancel": (_INFINITE, b"\0\0\x80\xff"),
    "NaN in a running variance": (bytes(4), bytes(4), _NAN),
}


def cases() -> Iterator[Case]:
    for what, values in NUMBERS.items():
        yield Case(f"weights: {what}", _filled_with(*values), ("load",))
    for what, make in FILES.items():
        yield Case(
            f"weights: {what}", lambda world, make=make: world.put_file(make()), _refusing(what)
        )
    for what, make in LARGE.items():
        refuse = READ if "90" in what else ("load",)
        yield Case(
            f"weights: {what}",
            lambda world, make=make: world.put_file(make()),
            refuse,
            large=True,
            quick="90" in what,
        )
    for what, make in FOREIGN.items():
        yield Case(f"weights: {what}", lambda world, make=make: world.put_file(make()), ("load",))
    for what, change in FITTING.items():
        yield Case(f"weights: {what}", _changed(change), ("load",))
    yield Case("weights: other bytes", _other_bytes, READ)
    for what, keep in {"empty": 0, "its header": 60, "half": None, "a byte less": -1}.items():
        yield Case(
            f"weights cut to {what} once opened",
            lambda world, keep=keep: _cut_once_opened(world, keep), ("load",),
        )  # fmt: skip


def _refusing(what: str) -> tuple[str, ...]:
    return ("load",) if what == "boolean 2" else READ  # values are looked at when they are used


def _other_bytes(world: World) -> None:
    """As many, in order, and not those of the digest."""
    data = world.weights()
    world.put(world.blob(), data[:-4] + bytes(4))


def _cut_once_opened(world: World, keep: int | None) -> None:
    data = world.weights()
    world.put(world.blob(), data)
    left = len(data) // 2 if keep is None else keep % len(data)
    world.when_opened(
        world.root / world.blob(), lambda: os.truncate(world.root / world.blob(), left)
    )
