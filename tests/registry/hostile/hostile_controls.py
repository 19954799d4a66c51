"""Negative controls: guards taken away, and commands that misbehave. What watches and judges has to
say so each time, else it would see nothing elsewhere either."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import hostile_commands
import hostile_judge
from hostile_case import Case
from hostile_world import MODEL, OTHER, World

from zoo import errors
from zoo.registry import formats, layout, names
from zoo.storage import commit, limits, reading, strict_json


class Control(NamedTuple):
    """``spoil``: takes the guard away; ``cases``: the named ones that have to fail then; ``says``:
    what is said of each."""

    spoil: Callable[[], object]
    cases: tuple[str, ...]
    says: str = "it was not refused"


def _put(owner: Any, name: str, value: object) -> Callable[[], object]:
    return lambda: setattr(owner, name, value)


def _no_header_limit() -> None:
    limits.HEADER_BYTES = 1 << 30


def _no_size_cap() -> None:
    for name in ("RECORD_BYTES", "HEADER_BYTES"):
        setattr(limits, name, 1 << 30)


def _no_depth() -> None:
    strict_json._check = lambda value: None  # type: ignore[attr-defined]


def _no_links_refused() -> None:
    commit._SOURCE = os.O_RDONLY
    commit._check_source = lambda *given: None


def _no_names() -> None:
    names.is_name = lambda name: True
    names.check_files = lambda paths: None


GUARDS = {
    "header limit": Control(_no_header_limit, ("weights: a header of 16 MB and a byte",)),
    "duplicates": Control(
        _put(strict_json, "_object", dict),
        ("record: a key twice", "weights: a name twice", "state: a key twice"),
    ),
    "names": Control(_no_names, ("parent's model: parent", "registry in registry.toml: escape")),
    "names of files": Control(
        _put(names, "check_files", lambda paths: None), ("path of a file: parent",)
    ),
    "size cap": Control(_no_size_cap, ("record: of a megabyte and a byte",)),
    "links": Control(_no_links_refused, ("weights: a link to a copy",)),
    "depth": Control(_no_depth, ("record: a recipe too deep",)),
    "digests": Control(
        _put(reading, "_require", lambda *given: None), ("weights: other bytes",)
    ),
    "format": Control(_put(formats, "is_ours", lambda plain: True), ("record: format as true",)),
    "escaping": Control(
        _put(hostile_commands.models, "show_fields", lambda fields: print(*fields.values())),
        ("licence: escape",),
        "it printed",
    ),
    "end of a message": Control(
        _put(errors, "LINE", 10**9), ("record: 90,000 classes, one twice",), "a line has"
    ),
}  # fmt: skip


def _write_out(world: World) -> None:
    world.secret.with_name("new").write_bytes(b"x")


def _remove_out(world: World) -> None:
    world.secret.rename(world.secret.with_name("gone"))


def _print_escape(world: World) -> None:
    print("a\x1b[2J")


def _fail(error: BaseException) -> Callable[[World], object]:
    def command(world: World) -> None:
        raise error

    return command


def in_a_second() -> None:
    """So that a command that takes too long need not take so long."""
    hostile_judge.SECONDS = 1.0


def _work(world: World) -> None:
    until = time.process_time() + 1.1
    while time.process_time() < until:
        pass


def _take_memory(world: World) -> None:
    bytearray(b"x" * (300 << 20)).find(b"y")


def _two_errors(world: World) -> None:
    print("zoo: error: one", file=sys.stderr)
    raise errors.RegistryError("two")


def _leave_a_part(world: World) -> None:
    (world.out / "part").write_bytes(b"x")
    raise errors.RegistryError("no")


def _pull_more(world: World) -> Any:
    hostile_commands.pull(world, MODEL)
    (world.out / hostile_commands.FOLDER / "more").write_bytes(b"x")


def _other_weights(world: World) -> Any:
    model = hostile_commands.load_model(MODEL, catalog=hostile_commands.CATALOG)
    for parameter in model.network.parameters():
        parameter.requires_grad_(False).copy_(parameter * 2)
    return model


# (the command in whose place it stands, what it does, what has to be said of it)
MISBEHAVING: dict[str, tuple[str, Callable[[World], Any], str]] = {
    "writes outside": ("load", _write_out, "it did: open "),
    "moves what is outside": ("load", _remove_out, "it did: os.rename "),
    "reads what is outside": ("load", lambda world: world.secret.read_bytes(), "it did: read "),
    "starts a program": ("load", lambda world: os.system("true"), "it did: os.system"),
    "starts a process": (
        "load", lambda world: subprocess.run(["true"], check=True), "it did: subprocess.Popen"
    ),
    "runs code": ("load", lambda world: eval("1 + 1"), "it did: compile <string>"),
    "prints an escape": ("show", _print_escape, "it printed"),
    "fails in its own words": ("show", _fail(ValueError("x")), "this is a bug"),
    "fails with an error of the system": (
        "show", _fail(OSError(errno.EIO, "x")), "this is a bug"
    ),
    "says two errors": ("show", _two_errors, "2 errors and code 1"),
    "says many lines": ("show", _fail(errors.RecipeError(["a", "b"])), "it said on stderr"),
    "works too long": ("load", _work, "it took 1.1 s"),
    "leaves a part": ("pull", _leave_a_part, "it was refused, and left"),
    "pulls more": ("pull", _pull_more, "were pulled, which no record names"),
    "loads other weights": ("load", _other_weights, "is not what the file holds"),
    "shows another record": (
        "show", lambda world: {**world.json(layout.version(OTHER, 1)), "model": MODEL},
        "is not the record that is there",
    ),
    "finds nothing wrong": ("verify", lambda world: None, "and is believed"),
}  # fmt: skip
# So that what a process takes is looked at, too.
GREEDY = Case("takes 300 MB", lambda world: _replaced(world, "load", _take_memory), ())
# As it happens when a mapped file is cut.
DYING = Case(
    "dies of a signal",
    lambda world: _replaced(world, "load", lambda given: os.kill(os.getpid(), signal.SIGBUS)),
    (),
)


def misbehaving() -> list[Case]:
    """Each command in its place, once."""
    return [
        Case(what, lambda world, c=command, a=act: _replaced(world, c, a), (), commands=(command,))
        for what, (command, act, _) in MISBEHAVING.items()
    ]


def _replaced(world: World, command: str, act: Callable[[World], Any]) -> None:
    if command == "verify":  # for which there has to be something
        world.change(layout.state(MODEL, 2), lambda state: {**state, "prev": "0" * 64})
    hostile_commands.COMMANDS[command] = lambda given, reference: act(given)
