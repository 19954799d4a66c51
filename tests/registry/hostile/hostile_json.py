"""Hostile JSON, in place of each of a registry's small files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hostile_case import EVERY, Case
from hostile_world import MODEL, World

from zoo.registry import layout

_MB = 1 << 20
_DEEP = 100_000


def _plus(text: bytes) -> Callable[[bytes], bytes]:
    """The file, and one key more, or the same once more."""
    return lambda data: data.rstrip()[:-1] + b"," + text + b"}"


def _key(value: bytes) -> Callable[[bytes], bytes]:
    return _plus(b'"recipe2":' + value)


def _keys(count: int) -> bytes:
    return b"{" + b",".join(b'"%x":0' % i for i in range(count)) + b"}"


# What no reader may take, in place of any of the files. Given: what is there.
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda data: b"",
    "blanks": lambda data: b" \n\t",
    "null": lambda data: b"null",
    "a list": lambda data: b"[]",
    "a list of itself": lambda data: b"[" + data + b"]",
    "a number": lambda data: b"0",
    "a text": lambda data: json.dumps(data.decode()).encode(),
    "true": lambda data: b"true",
    "an empty table": lambda data: b"{}",
    "half of it": lambda data: data[: len(data) // 2],
    "all but the end": lambda data: data.rstrip()[:-1],
    "twice": lambda data: data + data,
    "something behind": lambda data: data + b"x",
    "a null behind": lambda data: data + b"\0",
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "UTF-16 without a mark": lambda data: data.decode().encode("utf-16-be"),
    "UTF-32": lambda data: data.decode().encode("utf-32"),
    "a byte that is no UTF-8": lambda data: data.replace(b"a", b"\xff", 1),
    "an overlong character": lambda data: data.replace(b"a", b"\xc1\xa1", 1),
    "a half character": _key(b'"\\ud800"'),
    "a half character as key": _plus(b'"\\udc00":1'),
    "a raw line break in a text": _key(b'"a\nb"'),
    "a raw null in a text": _key(b'"a\0b"'),
    "a key twice": lambda data: data.rstrip()[:-1] + b',"format":1}',
    "a key twice, deep inside": _key(b'{"a":[{"b":1,"b":2}]}'),
    "a key twice, escaped": lambda data: data.rstrip()[:-1] + b',"form\\u0061t":1}',
    "a key more": _key(b"1"),
    "NaN": _key(b"NaN"),
    "infinity": _key(b"Infinity"),
    "minus infinity": _key(b"-Infinity"),
    "a float too large": _key(b"1e400"),
    "a float of a megabyte": _key(b"1." + b"1" * 900_000),
    "an integer of 65 bits": _key(b"18446744073709551616"),
    "an integer of 20 digits": _key(b"99999999999999999999"),
    "an integer of 4,301 digits": _key(b"9" * 4301),
    "an integer of 100,000 digits": _key(b"9" * 100_000),
    "an integer with a plus": _key(b"+1"),
    "an octal": _key(b"01"),
    "a hexadecimal": _key(b"0x1"),
    "half a float": _key(b".5"),
    "a comma too much": lambda data: data.rstrip()[:-1] + b",}",
    "a comment": lambda data: b"/* */" + data,
    "a comment behind": lambda data: data + b"// x",
    "single quotes": lambda data: data.replace(b'"', b"'"),
    "Python's words": _key(b"True"),
    "lists 100,000 deep": lambda data: b"[" * _DEEP + b"]" * _DEEP,
    "tables 100,000 deep": lambda data: b'{"a":' * _DEEP + b"1" + b"}" * _DEEP,
    "lists without an end": lambda data: b"[" * 900_000,
    "a key 100,000 deep": _key(b"[" * _DEEP + b"]" * _DEEP),
    "a key 33 deep": _key(b"[" * 33 + b"]" * 33),
    "keys by the hundred thousand": lambda data: _keys(100_000),
    "a key with keys": _key(_keys(70_000)),
    "a list of numbers": _key(b"[" + b"1," * 400_000 + b"1]"),
    "a list of tables": _key(b"[" + b"{}," * 300_000 + b"{}]"),
    "a list of texts": _key(b"[" + b'"ab",' * 150_000 + b'"ab"]'),
    "a key of a megabyte": _plus(b'"' + b"k" * 900_000 + b'":1'),
    "a text of a megabyte": _key(b'"' + b"v" * 900_000 + b'"'),
    "a pickle": lambda data: b"\x80\x04cos\nsystem\n(S'touch outside/secret'\ntR.",
    "a page": lambda data: b"<!doctype html><title>log in</title>",
    "a program in YAML": lambda data: b"!!python/object/apply:os.system ['touch outside/secret']",
}  # fmt: skip
LARGE: dict[str, Callable[[bytes], bytes]] = {
    "50 MB of blanks": lambda data: data + b" " * (50 * _MB),
    "50 MB of text": _key(b'"' + b"x" * (50 * _MB) + b'"'),
    "a million keys": lambda data: _keys(1_000_000),
    "a megabyte of blanks and one": lambda data: data + b" " * (_MB - len(data) + 1),
}


@dataclass(frozen=True)
class File:
    """``refuse``: the commands that cannot do without it; ``derived``: it can be made anew, so one
    that is no more than empty or missing is not told as damaged."""

    path: str
    refuse: tuple[str, ...] = EVERY
    reference: str = MODEL
    record: bool = False
    commands: tuple[str, ...] = EVERY

    def is_quick(self, what: str) -> bool:
        """Heads, pages and catalogs go through one reader, and floods are slow."""
        if self.record or what in _OF_OTHERS:
            return True
        return self.path == layout.state(MODEL, 2) and what not in LARGE and " of " not in what


_HINT = ("show", "verify")  # in a folder, others read it as show does
# Tried by `make test`, too.
_OF_OTHERS = (
    "nothing", "null", "a list", "half of it", "twice", "UTF-16", "a byte order mark",
    "a half character", "a key twice", "a key more", "NaN", "an integer of 4,301 digits",
    "lists 100,000 deep", "a key of a megabyte", "a pickle",
)  # fmt: skip
FILES = {
    "record": File(layout.version(MODEL, 2), record=True),
    "state": File(layout.state(MODEL, 2)),
    "marker": File(layout.MARKER),
    "head": File(layout.head(MODEL), ("verify",), commands=_HINT),
    "head on the web": File(layout.head(MODEL), reference=f"web:{MODEL}"),
    "page": File(layout.page(MODEL, 1), ("verify",), commands=_HINT),
    "page on the web": File(layout.page(MODEL, 1), reference=f"web:{MODEL}"),
    "catalog": File(layout.shard(MODEL), ("verify",), commands=_HINT),
    "catalog's table": File(layout.SHARDS, ("verify",), commands=_HINT),
    "registry.toml": File(""),
}


def cases() -> Iterator[Case]:
    for where, file in FILES.items():
        for forms, large in ((FORMS, False), (LARGE, True)):
            for what, form in forms.items():
                yield Case(
                    f"{where}: {what}",
                    lambda world, file=file, form=form: _put(world, file, form),
                    file.refuse,
                    (file.reference,),
                    file.commands,
                    large=large,
                    quick=file.is_quick(what),
                )


def _put(world: World, file: File, form: Callable[[bytes], bytes]) -> None:
    if not file.path:
        world.put_toml(form(json.dumps({"format": 1, "default": "local"}).encode()))
    elif file.record:
        world.put_record(form(world.files[file.path]))
    else:
        world.put(file.path, form(world.files[file.path]))
