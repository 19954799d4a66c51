"""The networks of a cross-validation as one member: what each says of the fold that it was not
trained on, joined by id, and of other samples the mean of what all say.

Wolpert 1992 (doi:10.1016/S0893-6080(05)80023-1) fits what combines models to such out-of-fold
answers: nobody was trained on what it answers there, and every sample for training has an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zoo.data.splits import VAL, fingerprint_of_ids
from zoo.errors import PredictionsError, clipped
from zoo.predictions.archive import TrainedOn
from zoo.predictions.combining import results
from zoo.predictions.combining.alike import common_task
from zoo.predictions.combining.answers import Answers
from zoo.predictions.combining.rules import Mean
from zoo.predictions.file import Predictions
from zoo.predictions.same_samples import Named


def as_one(name: str, folds: Sequence[Named], trained_on: TrainedOn | None = None) -> Named:
    """``folds``: what each network says of its own val split, or all of another one, of which
    ``trained_on`` says what they were trained on together."""
    if folds[0].predictions.split == VAL:
        return Named(name, _joined(name, folds))
    return Named(name, replace(_averaged(name, folds), trained_on=trained_on))


def _joined(name: str, folds: Sequence[Named]) -> Predictions:
    """Raises :class:`PredictionsError` for masks, other classes, and a sample in two folds."""
    several = _classes(name, folds)
    first, task = several[0], common_task([one.task for one in several])
    for one, other in zip(folds, several, strict=True):
        mine, theirs = ((a.dataset, a.split, a.task.kind, a.task.classes, a.task.positive)
                        for a in (first, other))  # fmt: skip
        if mine != theirs or not other.labelled:
            raise PredictionsError(
                f"{clipped(folds[0].name)!r} and {clipped(one.name)!r} are no folds of the same "
                f"labelled samples"
            )
    ids = np.concatenate([one.ids for one in several])
    names, often = np.unique(ids, return_counts=True)
    if len(names) < len(ids):
        twice = names[often > 1]
        some = "1 sample is" if len(twice) == 1 else f"{len(twice):,} samples are"
        raise PredictionsError(
            f"member {clipped(name)!r}: {some} in the {VAL} split of several folds, such as "
            f"{clipped(str(twice[0]))!r}; each may be in one"
        )
    groups = [one.groups for one in several if one.groups is not None]
    return replace(
        first,
        task=task,
        ids=ids,
        fingerprint=fingerprint_of_ids(ids.tolist()),
        content="",
        source=name,
        source_digest="",
        temperature=None,
        trained_on=None,
        logits=np.concatenate([one.logits for one in several]),
        probabilities=np.concatenate([one.probabilities for one in several]),
        decisions=np.concatenate([one.decisions for one in several]),
        targets=np.concatenate([one.targets for one in several if one.targets is not None]),
        groups=np.concatenate(groups) if len(groups) == len(several) else None,
    )


def _averaged(name: str, folds: Sequence[Named]) -> Predictions:
    several = _classes(name, folds)
    answers = Answers.of([one.name for one in folds], several)
    said = Mean.of(len(several)).combined(answers.said)
    ordered = replace(several[0], content="")
    return results.of_classes(answers, ordered, said, {"source": name, "source_digest": ""})


def _classes(name: str, folds: Sequence[Named]) -> list[Predictions]:
    found = [one.predictions for one in folds if isinstance(one.predictions, Predictions)]
    if len(found) < len(folds):
        raise PredictionsError(
            f"member {clipped(name)!r}: folds are taken together of classes, not of masks; give "
            f"the run of one fold"
        )
    return found
