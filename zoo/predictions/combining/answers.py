"""Members' answers to the same questions, and those on val, which alone may decide anything.

Shapes: M members, N samples, S questions, C choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.data.splits import VAL
from zoo.errors import PredictionsError, clipped
from zoo.predictions.archive import Heading
from zoo.predictions.combining import questions
from zoo.predictions.combining.alike import alike, common_task
from zoo.predictions.file import Predictions
from zoo.tasks import IGNORE, Task


@dataclass(frozen=True)
class Answers:
    """``said``: M of (S, C), in the order of ``names``; ``truth``: int64 (S,), 255 where a pixel
    counts for nothing, None without labels; ``samples``: N, each having S / N questions, in order;
    ``groups``: text (N,), or None. ``heading``: the first member's, with the common task;
    ``tasks``: of each member, with the threshold by which it decides."""

    heading: Heading
    names: tuple[str, ...]
    tasks: tuple[Task, ...]
    said: tuple[np.ndarray, ...]
    truth: np.ndarray | None
    samples: int
    groups: np.ndarray | None = None

    @classmethod
    def of(cls, names: Sequence[str], members: Sequence[Predictions]) -> Answers:
        """Raises :class:`PredictionsError` unless they are :func:`alike.alike`."""
        first, task = members[0], common_task([one.task for one in members])
        ordered = [one for one in alike(names, members) if isinstance(one, Predictions)]
        assert len(ordered) == len(members)
        said = [questions.of_logits(task, one.logits.astype(np.float64)) for one in ordered]
        return cls(
            heading=Heading(**{**first.heading(), "task": task, "temperature": None}),
            names=tuple(names),
            tasks=tuple(one.task for one in ordered),
            said=tuple(said),
            truth=None if first.targets is None else questions.truth(first.targets),
            samples=len(first),
            groups=first.groups,
        )

    def part(self, samples: np.ndarray) -> Answers:
        """Those to ``samples``, bool (N,) or indices."""
        rows = np.arange(len(self.said[0])).reshape(self.samples, -1)[samples].reshape(-1)
        return replace(
            self,
            said=tuple(one[rows] for one in self.said),
            truth=None if self.truth is None else self.truth[rows],
            samples=len(np.arange(self.samples)[samples]),
            groups=None if self.groups is None else self.groups[samples],
        )


@dataclass(frozen=True)
class Validation:
    """Answers on which weights, members and methods may be chosen. There is none of any other split
    than val: what chooses takes nothing else, so nothing is ever chosen on test."""

    answers: Answers

    def __post_init__(self) -> None:
        heading = self.answers.heading
        if heading.split != VAL:
            raise PredictionsError(
                f"split {clipped(heading.split)!r} of {clipped(heading.dataset)!r}: an ensemble is "
                f"chosen on {VAL!r} and on nothing else"
            )
        if self.answers.truth is None:
            raise PredictionsError(
                f"{VAL!r} of {clipped(heading.dataset)!r} has no labels to choose by"
            )

    @property
    def truth(self) -> np.ndarray:
        assert self.answers.truth is not None
        return self.answers.truth

    @property
    def members(self) -> int:
        return len(self.answers.names)

    def known(self) -> tuple[list[np.ndarray], np.ndarray]:
        """(said, truth) of the questions that count."""
        counts = self.truth != IGNORE
        return [one[counts] for one in self.answers.said], self.truth[counts]

    def part(self, samples: np.ndarray) -> Validation:
        return Validation(self.answers.part(samples))
