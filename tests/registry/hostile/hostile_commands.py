"""What is done to a spoilt registry, as the command line does it, and what came of it."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from hostile_networks import CATALOG
from hostile_watch import Watch
from hostile_world import World
from zoo_cli import endings, models
from zoo_cli.pull import pull as pull_version
from zoo_cli.registry_verify import verify as verify_registry

import zoo.registry.hub.repository  # noqa: F401 (what is imported late is imported now)
from zoo.registry.config import open_for
from zoo.registry.loading import load as load_model
from zoo.registry.names import Reference
from zoo.registry.record import CARD

HANG = 60.0  # seconds after which a command is given up
FOLDER = "pulled"


@dataclass
class Outcome:
    """``value``: what the command gave, where it was not refused; ``seconds``: of the processor,
    for others may keep it busy; ``did``: what it should not have done."""

    command: str
    reference: str
    code: int = -1
    out: str = ""
    err: str = ""
    seconds: float = 0.0
    hung: bool = False
    value: Any = None
    did: list[str] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        return self.code == endings.FAILED

    @property
    def errors(self) -> list[str]:
        """One says why the command could do nothing; what ``verify`` found are many, and are its
        answer."""
        start, found = "zoo: error: ", "error: "
        said = [one.removeprefix(start) for one in self.err.split("\n") if one.startswith(start)]
        if self.command == "verify" and not said:
            lines = self.out.split("\n")
            said = [one.removeprefix(found) for one in lines if one.startswith(found)]
        return said


def show(world: World, reference: str) -> Any:
    """``zoo models show``, in both forms, and the card."""
    models.show(reference)
    with contextlib.redirect_stdout(io.StringIO()) as told:
        models.show(reference, json=True)
    parsed = Reference.parse(reference)
    opened = open_for(parsed)
    record = opened.record(parsed)
    if any(file["path"] == CARD for file in record.files):
        opened.read_file(record, CARD)
    shown = json.loads(told.getvalue())
    for key in ("registry", "digest", "versions", "aliases", "yanked"):
        shown.pop(key)
    return shown


def load(world: World, reference: str) -> Any:
    return load_model(reference, device="cpu", catalog=CATALOG)


def pull(world: World, reference: str) -> None:
    """``zoo pull``"""
    pull_version(reference, to=str(world.out / FOLDER))


def verify(world: World, reference: str) -> None:
    """``zoo registry verify``: of the registry that the reference names."""
    verify_registry(Reference.parse(reference).registry)


COMMANDS: dict[str, Callable[[World, str], Any]] = {
    "show": show, "load": load, "pull": pull, "verify": verify,
}  # fmt: skip


class HangError(BaseException):
    """It takes too long; nothing of zoo's may catch this."""


def carry_out(world: World, watch: Watch, command: str, reference: str) -> Outcome:
    made = Outcome(command, reference)

    def call() -> None:
        made.value = COMMANDS[command](world, reference)

    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("always")
        start = time.process_time()
        try:
            with watch.looking() as made.did, _given_up_after(HANG):
                made.code = endings.run(call, debug=False)
        except HangError:
            made.hung = True
        made.seconds = time.process_time() - start
    made.out, made.err = out.getvalue(), err.getvalue()
    return made


@contextlib.contextmanager
def _given_up_after(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
