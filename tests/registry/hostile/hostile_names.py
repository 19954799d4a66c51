"""Hostile names, in every place where a registry has a name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hostile_case import EVERY, Case
from hostile_tensors import file_of, header_of
from hostile_world import BOTH, MODEL, World

from zoo.registry import layout

NAMES = {
    "parent": "../x", "inner parent": "a/../../x", "dots": "..", "dot": ".", "empty": "",
    "absolute": "/etc/passwd", "drive": "C:x", "drive root": "C:\\x", "share": "\\\\host\\share\\x",
    "backslash": "..\\x", "percent": "%2e%2e%2fx", "twice percent": "%252e%252e", "null": "a\0b",
    "newline": "a\nb", "return": "a\rb", "escape": "a\x1b[31mb\x1b[2J", "bell": "a\x07b",
    "right to left": "a\u202etxt.exe", "zero width": "a\u200bb", "line separator": "a\u2028b",
    "byte order mark": "\ufeffa", "device": "con", "device with suffix": "nul.txt",
    "device with digit": "lpt1", "superscript device": "COM\u00b9", "stream": "a:b",
    "cyrillic": "d\u0456gits-tiny", "case twin": "Digits-Tiny", "mark twin": "digits_tiny",
    "decomposed": "e\u0301", "full width": "a\uff0fb", "trailing dot": "a.",
    "trailing space": "a ", "leading dash": "-rf", "long": "a" * 300, "very long": "b" * 100_000,
    "two dashes": "a--b", "hash": "a#b", "question": "a?b", "star": "a*", "home": "~root",
    "variable": "$HOME", "command": "x;id", "substitution": "$(touch outside/secret)",
    "markup": "<script>alert(1)</script>", "rich markup": "[link=file:///etc/passwd]x[/]",
    "format": "{0.__class__}%s%n", "address": "https://evil.example/x", "file address": "file:/etc",
    "module": "os:system",
}  # fmt: skip
# For places that only say something: nobody opens or types what stands there.
_FEW = (
    "parent", "empty", "null", "newline", "escape", "right to left", "very long", "substitution",
    "rich markup", "line separator", "markup",
)  # fmt: skip
_ALL_QUICK = ("model asked for", "model of a record", "path of a file")  # else in the sweep
_NAME = re.compile(r"(?!(con|nul|lpt1)(\..*)?$)[a-z][a-z0-9]*([-_.][a-z0-9]+)*")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,99}")


def _never(name: str) -> bool:
    return False


def _is_name(name: str) -> bool:
    return len(name) <= 64 and _NAME.fullmatch(name) is not None


def _is_line(name: str) -> bool:
    return 0 < len(name) <= 500 and not set(name) & set("\r\n")


def _is_file(name: str) -> bool:
    return len(name) <= 200 and re.fullmatch(_NAME.pattern, name.lower()) is not None


def _is_distribution(name: str) -> bool:
    return _DISTRIBUTION.fullmatch(name) is not None


def _is_text(name: str) -> bool:
    return name != ""


def _anything(name: str) -> bool:
    return True


@dataclass(frozen=True)
class Place:
    """``valid``: the names that may stand there; ``refuse``: the commands that refuse the others;
    ``refuse_valid``: those that refuse even valid ones; ``every``: try all names, not some only."""

    put: Callable[[World, str], object]
    valid: Callable[[str], bool] = _never
    refuse: tuple[str, ...] = EVERY
    refuse_valid: tuple[str, ...] = ()
    every: bool = False
    reference: Callable[[str], str] = lambda name: MODEL
    commands: tuple[str, ...] = EVERY


def _in_record(*keys: str | int) -> Callable[[World, str], object]:
    """Put the name where ``keys`` lead; None stands for the key of a table itself."""

    def put(world: World, name: str) -> None:
        def change(record: dict[str, Any]) -> None:
            held: Any = record
            for key in keys[:-1]:
                held = held[key]
            held[keys[-1]] = name

        world.change_record(change)

    return put


def _as_key(*keys: str, value: object) -> Callable[[World, str], object]:
    def put(world: World, name: str) -> None:
        def change(record: dict[str, Any]) -> None:
            held: Any = record
            for key in keys:
                held = held[key]
            held[name] = value

        world.change_record(change)

    return put


def _member(world: World, name: str) -> None:
    def change(record: dict[str, Any]) -> None:
        record["ensemble"]["members"][0]["model"] = name

    world.change_record(change, 1, BOTH)


def _parent(world: World, name: str) -> None:
    def change(record: dict[str, Any]) -> None:
        one = {"kind": "initialized_from", "model": name, "version": 1, "digest": "a" * 64}
        record["parents"] = [one]

    world.change_record(change)


def _in_state(change: Callable[[dict[str, Any], str], object]) -> Callable[[World, str], object]:
    def put(world: World, name: str) -> None:
        def changed(state: dict[str, Any]) -> None:
            change(state, name)

        world.change(layout.state(MODEL, 2), changed)

    return put


def _head(world: World, name: str) -> None:
    world.change(layout.head(MODEL), lambda head: {**head, "model": name})


def _page(world: World, name: str) -> None:
    world.change(layout.page(MODEL, 1), lambda page: {**page, "model": name})


def _catalog(world: World, name: str) -> None:
    path = layout.shard(MODEL)
    world.change(path, lambda shard: {**shard, "models": [*shard["models"], name]})


def _folder(world: World, name: str) -> None:
    for path, data in world.files.items():
        if path.startswith(f"models/{MODEL}/"):
            world.put(f"models/{name}/{path.removeprefix(f'models/{MODEL}/')}", data)


def _tensor(world: World, name: str) -> None:
    header, data = header_of(world.weights())
    header[name] = header.pop("0.bias")
    world.put_file(file_of(json.dumps(header).encode(), data))


def _toml(world: World, name: str) -> None:
    quoted = json.dumps(name)
    world.put_toml(f'[registry.local]\nurl = "registry"\n[registry.{quoted}]\nurl = "registry"\n')


def _nothing(world: World, name: str) -> None:
    pass


_ON_WEB = ("show", "load", "pull", "verify")
_READERS = ("show", "load", "pull")
PLACES = {
    "model asked for": Place(_nothing, reference=lambda name: name, commands=_READERS, every=True),
    "model asked for by number": Place(_nothing, reference=lambda name: f"{name}@1"),
    "alias asked for": Place(
        _nothing, reference=lambda name: f"{MODEL}@{name}", commands=_READERS, every=True),
    "registry asked for": Place(_nothing, reference=lambda name: f"{name}:{MODEL}"),
    "asked for on the Hub": Place(
        _nothing, reference=lambda name: f"hf://{name}", commands=_READERS
    ),
    "registry in registry.toml": Place(_toml, _is_name, every=True),
    "model of a record": Place(_in_record("model"), every=True),
    "path of a file": Place(_in_record("files", 0, "path"), _is_file, every=True),
    "digest of a file": Place(_in_record("files", 0, "sha256")),
    "record before": Place(_in_record("prev")),
    "date": Place(_in_record("created")),
    "class": Place(_in_record("task", "classes", 0), _is_text, every=True),
    "positive class": Place(_in_record("task", "positive")),
    "kind of task": Place(_in_record("task", "kind")),
    "kind of weights": Place(_in_record("weights")),
    "architecture": Place(
        _in_record("architecture", "name"), _is_line, refuse_valid=("load",), every=True),
    "option": Place(
        _as_key("architecture", "options", value=1), _anything, refuse_valid=("load",)
    ),
    "value of an option": Place(
        _in_record("architecture", "options", "hidden"), _anything, refuse_valid=("load",)
    ),
    "resize rule": Place(
        _in_record("preprocessing", "resize"), _anything, refuse_valid=("load",)
    ),
    "fit rule": Place(
        _in_record("preprocessing", "fit"), _anything, refuse_valid=("load",)
    ),
    "entry of a plugin": Place(_in_record("plugin", "entry"), _is_line),
    "distribution of a plugin": Place(
        _in_record("plugin", "distribution"), _is_distribution, every=True
    ),
    "version of a plugin": Place(
        _in_record("plugin", "version"), lambda name: bool(_RELEASE.fullmatch(name))
    ),
    "library": Place(
        _as_key("plugin", "libraries", value="1"), _is_distribution
    ),
    "dataset": Place(_in_record("data", "dataset"), _is_line),
    "split": Place(
        _as_key("data", "splits", value={"samples": 1, "fingerprint": "x"}), _is_line
    ),
    "split of figures": Place(_as_key("metrics", value={"accuracy": 1.0}), _is_line),
    "figure": Place(_as_key("metrics", "test", value=1.0), _anything),
    "licence": Place(_in_record("licence"), _is_line),
    "licence of the data": Place(
        _in_record("data", "licence"), lambda name: len(name) <= 5000
    ),
    "environment": Place(_as_key("environment", value="x"), _is_line),
    "recipe": Place(_as_key("recipe", value={"root": "/etc"}), _anything),
    "path in a recipe": Place(
        _in_record("recipe", "dataset", "root"), _anything
    ),
    "member": Place(
        _member, _is_name, refuse_valid=("pull", "verify"), reference=lambda name: BOTH
    ),
    "parent's model": Place(_parent, _is_name),
    "model of a head": Place(
        _head, refuse=_ON_WEB, reference=lambda name: f"web:{MODEL}", every=True),
    "model of a page": Place(
        _page, refuse=_ON_WEB, reference=lambda name: f"web:{MODEL}"
    ),
    "model in the catalog": Place(_catalog, _is_name, refuse=("verify",)),
    "folder of a model": Place(_folder, refuse=("verify",), every=True),
    "model of a state": Place(
        _in_state(lambda state, name: state.update(model=name)), refuse=("verify",),
    ),
    "alias in a state": Place(
        _in_state(lambda state, name: state["aliases"].update({name: 1})),
        _is_name, refuse=("verify",), refuse_valid=("verify",),
    ),
    "alias that changed": Place(
        _in_state(lambda state, name: state["change"].update(alias=name)),
        refuse=("verify",),
    ),
    "reason of a yank": Place(
        _in_state(lambda state, name: state["yanked"].update({"1": name})), _never,
        refuse=("verify",),
    ),
    "tensor": Place(_tensor, refuse=("load",), every=True),
}  # fmt: skip


def cases() -> Iterator[Case]:
    for where, place in PLACES.items():
        for what, name in NAMES.items():
            if not place.every and what not in _FEW:
                continue
            if place.put is _folder and not _makes_a_folder(name):
                continue
            valid = place.valid(name)
            yield Case(
                f"{where}: {what}",
                lambda world, put=place.put, name=name: put(world, name),  # type: ignore[misc]
                place.refuse_valid if valid else place.refuse,
                (place.reference(name),),
                place.commands,
                quick=what in _FEW or where in _ALL_QUICK,
            )


def _makes_a_folder(name: str) -> bool:
    return name not in ("", ".", "..") and not set(name) & {"/", "\0"} and len(name) < 256
