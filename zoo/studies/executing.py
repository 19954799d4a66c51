"""Who carries out runs: the interface that local processes, Ray and Slurm fill in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from zoo.studies.carrying import Outcome, Work

MOST_DEATHS = 2  # of a run's worker: it is gone on with once


@dataclass(frozen=True)
class Told:
    """An event of a run, as ``events.jsonl`` has it; ``begun`` when a worker takes it up."""

    key: str
    event: Mapping[str, Any]


@dataclass(frozen=True)
class Ended:
    key: str
    outcome: Outcome


Message = Told | Ended
BEGUN = "begun"


class Executor(Protocol):
    """Runs are taken up in the order in which they are submitted. Every submitted one ends with one
    :class:`Ended`, whatever becomes of who carries it out."""

    def submit(self, work: Work) -> None: ...

    def messages(self, timeout: float) -> list[Message]:
        """What there is; waits up to ``timeout`` seconds for the first."""

    def answer(self, key: str, *, go_on: bool) -> None:
        """To a run that asks after an epoch."""

    def pause(self) -> None:
        """Have the runs under way save and end; none is begun any more."""

    def close(self) -> None:
        """End what is still there, without waiting for it to save."""


def died(how: str) -> Outcome:
    from zoo.studies.carrying import FAILED

    return Outcome(
        FAILED,
        f"its process {how}, and again when it was gone on with: is there enough memory? zoo study "
        f"again goes on from the last checkpoint",
    )
