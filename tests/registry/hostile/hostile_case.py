"""One way to spoil a registry, and what is expected of the commands that meet it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from hostile_commands import COMMANDS, carry_out
from hostile_judge import violations
from hostile_watch import Watch
from hostile_world import MODEL, World

EVERY = tuple(COMMANDS)


@dataclass(frozen=True)
class Case:
    """``refuse``: the commands that have to refuse; the others may, or take what is harmless.
    ``says``: a pattern for what each refusal says; ``large``: its memory is looked at apart;
    ``quick``: it is also tried by ``make test``, not by ``make sweep`` only."""

    name: str
    apply: Callable[[World], object]
    refuse: tuple[str, ...] = EVERY
    references: tuple[str, ...] = (MODEL,)
    commands: tuple[str, ...] = EVERY
    says: str = ""
    large: bool = False
    quick: bool = True


@dataclass
class Result:
    """``refused`` and ``taken``: commands with their references; ``wrong``: a line each;
    ``seconds``: of the processor, of the slowest command; ``largest``: file, in bytes."""

    name: str
    refused: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0
    largest: int = 0


def carry_out_case(world: World, watch: Watch, case: Case) -> Result:
    made = Result(case.name)
    world.clear()
    try:
        case.apply(world)
        before = world.picture()
        for command in case.commands:
            for reference in case.references:
                _carry_out_one(world, watch, case, command, reference, made)
        if world.picture() != before:
            made.wrong.append("something changed that is nobody's to change")
        made.largest = world.largest
    finally:
        world.restore()
    return made


def _carry_out_one(
    world: World, watch: Watch, case: Case, command: str, reference: str, made: Result
) -> None:
    outcome = carry_out(world, watch, command, reference)
    found = violations(world, outcome)
    which = f"{command} {reference}"
    (made.refused if outcome.refused else made.taken).append(which)
    made.said += outcome.errors
    made.seconds = max(made.seconds, outcome.seconds)
    if command in case.refuse and not outcome.refused:
        found.append("it was not refused")
    said = "\n".join(outcome.errors)
    if case.says and outcome.refused and not re.search(case.says, said):
        found.append(f"it did not say {case.says!r}: {said[:300]!r}")
    made.wrong += [f"{which}: {one}" for one in found]
    world.clear()
