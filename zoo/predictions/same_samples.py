"""Whether several predictions are of the same samples, and how they are laid side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.errors import PredictionsError, clipped
from zoo.predictions.archive import Heading
from zoo.predictions.file import Predictions
from zoo.predictions.masks import MaskPredictions


@dataclass(frozen=True)
class Named:
    """``name``: as people call them."""

    name: str
    predictions: Predictions | MaskPredictions

    @property
    def _shown(self) -> str:
        return repr(clipped(self.name))


def aligned(several: Sequence[Named]) -> list[Named]:
    """``several`` in the order of the first one's ids. Raises :class:`PredictionsError` unless they
    are of the same task, dataset, split and samples, with the same labels and groups."""
    first = several[0]
    found = [first]
    for other in several[1:]:
        _check_heading(first, other)
        _check_ids(first, other)
        one = Named(other.name, _ordered(other, first.predictions.ids))
        _check_truth(first, one)
        found.append(one)
    for one in found:
        if not one.predictions.labelled:
            raise PredictionsError(f"{one._shown} has no labels to measure against")
    return found


def check_apart(val: Heading, reported: Heading) -> None:
    """Raise :class:`PredictionsError` where both splits hold the very same samples, as when a file
    on test is passed for one on val: nothing is chosen by what is then reported."""
    mine, theirs = ((one.fingerprint, one.content) for one in (val, reported))
    if val.fingerprint and mine == theirs and val.split != reported.split:
        raise PredictionsError(
            f"{val.split!r} and {reported.split!r} of {clipped(val.dataset)!r} hold the very same "
            f"samples: what is chosen on the one cannot be measured on the other"
        )


def _check_heading(first: Named, other: Named) -> None:
    ours, theirs = first.predictions, other.predictions
    both = f"{first._shown} and {other._shown}"
    if (ours.task.kind, ours.task.classes) != (theirs.task.kind, theirs.task.classes):
        raise PredictionsError(
            f"{both} have different classes: {_classes(ours)}; and {_classes(theirs)}"
        )
    if (ours.dataset, ours.split) != (theirs.dataset, theirs.split):
        raise PredictionsError(
            f"{both} are of different samples: {ours.split!r} of {ours.dataset!r}; and "
            f"{theirs.split!r} of {theirs.dataset!r}"
        )


def _classes(said: Predictions | MaskPredictions) -> str:
    return f"{said.task.kind} of {clipped(', '.join(said.task.classes))}"


def _check_ids(first: Named, other: Named) -> None:
    ours, theirs = first.predictions.ids, other.predictions.ids
    both = len(np.intersect1d(ours, theirs))
    if not both == len(ours) == len(theirs):
        raise PredictionsError(
            f"{first._shown} and {other._shown} are of different samples: {len(ours):,} and "
            f"{len(theirs):,}, of which {both:,} have the same id"
        )


def _ordered(other: Named, ids: np.ndarray) -> Predictions | MaskPredictions:
    said = other.predictions
    if (said.ids == ids).all():
        return said
    if isinstance(said, MaskPredictions):
        raise PredictionsError(f"{other._shown} has its images in another order")
    order = np.argsort(said.ids)[np.argsort(np.argsort(ids))]
    return replace(
        said,
        ids=said.ids[order],
        logits=said.logits[order],
        probabilities=said.probabilities[order],
        decisions=said.decisions[order],
        targets=None if said.targets is None else said.targets[order],
        groups=None if said.groups is None else said.groups[order],
    )


def _check_truth(first: Named, other: Named) -> None:
    ours, theirs = first.predictions, other.predictions
    both = f"{first._shown} and {other._shown}"
    differ = _other_labels(ours, theirs)
    if differ.any():
        example, count = clipped(str(ours.ids[differ][0])), int(differ.sum())
        samples = "sample" if count == 1 else "samples"
        raise PredictionsError(
            f"{both} have different labels of {count:,} {samples}, such as {example!r}"
        )
    groups = ours.groups, theirs.groups
    if groups[0] is not None and groups[1] is not None and (groups[0] != groups[1]).any():
        raise PredictionsError(f"{both} have different groups")


def _other_labels(
    ours: Predictions | MaskPredictions, theirs: Predictions | MaskPredictions
) -> np.ndarray:
    """Bool (N,)."""
    if isinstance(ours, MaskPredictions) and isinstance(theirs, MaskPredictions):
        return _other_masks(ours, theirs)
    if isinstance(ours, Predictions) and isinstance(theirs, Predictions):  # noqa: SIM102
        if ours.targets is not None and theirs.targets is not None:
            found: np.ndarray = (ours.targets != theirs.targets).reshape(len(ours), -1).any(1)
            return found
    return np.zeros(len(ours), bool)


def _other_masks(ours: MaskPredictions, theirs: MaskPredictions) -> np.ndarray:
    """Bool (N,): on each image's own grid where both files have that, for there the mask is the one
    on disk, however a network was shown it; else on the networks' where that is one."""
    own = ours.sizes is not None and theirs.sizes is not None
    if not (ours.labelled and theirs.labelled and (own or ours.size == theirs.size)):
        return np.zeros(len(ours), bool)
    both = zip(ours.targets(own=own), theirs.targets(own=own), strict=True)
    return np.array([not np.array_equal(*pair) for pair in both], bool)
