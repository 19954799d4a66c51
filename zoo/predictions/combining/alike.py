"""Whether several predictions may be combined: of the same samples, classes and truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zoo.errors import PredictionsError, clipped
from zoo.predictions.file import Predictions
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.same_samples import Named, aligned
from zoo.tasks import Task

Said = Predictions | MaskPredictions
DECIDING = 0.5


def alike(names: Sequence[str], said: Sequence[Said]) -> list[Said]:
    """``said``, in the order of the first one's ids. Raises :class:`PredictionsError`, naming two
    members, unless they are of the same split, with labels, and there are some samples."""
    first = said[0]
    if len(first) == 0:
        raise PredictionsError(
            f"{clipped(names[0])!r}: split {clipped(first.split)!r} of {clipped(first.dataset)!r} "
            f"is empty"
        )
    several = [Named(*pair) for pair in zip(names, said, strict=True)]
    ordered = [one.predictions for one in aligned(several)]
    for name, other in zip(names[1:], said[1:], strict=True):
        both = f"{clipped(names[0])!r} and {clipped(name)!r}"
        if first.task.positive != other.task.positive:
            raise PredictionsError(
                f"{both} have different positive classes: {first.task.positive!r} and "
                f"{other.task.positive!r}"
            )
        if first.fingerprint != other.fingerprint:
            raise PredictionsError(
                f"{both} are of different splits, of which samples were left out: their "
                f"fingerprints are {first.fingerprint[:12]!r} and {other.fingerprint[:12]!r}"
            )
    return ordered


def common_task(tasks: Sequence[Task]) -> Task:
    """Of members with the same classes: with the threshold that all have, or else with 0.5."""
    thresholds = {one.threshold for one in tasks}
    return tasks[0] if len(thresholds) == 1 else replace(tasks[0], threshold=DECIDING)
