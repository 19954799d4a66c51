"""What an ensemble says, as a predictions file like any other; and what it gained over its best
member.

Shapes: M members, S questions, C choices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.predictions import metrics
from zoo.predictions.archive import Heading, TrainedOn
from zoo.predictions.combining import questions
from zoo.predictions.combining.answers import Answers
from zoo.predictions.combining.masks import MaskMembers
from zoo.predictions.combining.rules import Rule
from zoo.predictions.combining.tables import Tables
from zoo.predictions.comparison import NEITHER, Difference, Together
from zoo.predictions.drawn import BY_CLASS, OVERALL, PER_IMAGE, PER_IMAGE_BY_CLASS, Key
from zoo.predictions.file import Predictions
from zoo.predictions.intervals import Plan
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.same_samples import Named
from zoo.tasks import MULTILABEL

Said = Predictions | MaskPredictions


def common_training(headings: Sequence[Heading]) -> TrainedOn | None:
    """What all members were trained on; None where that is not the same, or nobody knows."""
    first = headings[0].trained_on
    return first if all(one.trained_on == first for one in headings) else None


def of_classes(
    answers: Answers, first: Predictions, said: np.ndarray, source: Mapping[str, Any]
) -> Predictions:
    """``said``: (S, C), what was combined; ``first``: the first member's predictions; ``source``:
    the fields of a heading that say who speaks."""
    task = answers.heading.task
    logits = questions.to_logits(task, said, (answers.samples, task.outputs))
    chances, decisions = np.exp(said), questions.decided(task, said)
    if task.kind == MULTILABEL:
        shape = (answers.samples, len(task.classes))
        chances, decisions = chances[:, 1].reshape(shape), decisions.reshape(shape)
    return Predictions(
        **{**answers.heading.heading(), **source},
        ids=first.ids,
        logits=logits,
        probabilities=chances.astype(np.float32),
        targets=first.targets,
        decisions=decisions,
        groups=first.groups,
    )


def of_masks(
    members: MaskMembers, rule: Rule, path: Path, source: Mapping[str, Any]
) -> MaskPredictions:
    """Written to ``path`` as they come."""
    first = members.files[0]
    return MaskPredictions.write(
        path,
        Heading(**{**members.heading.heading(), **source}),
        first.ids.tolist(),
        members.combined(rule),
        groups=None if first.groups is None else first.groups.tolist(),
        preprocessing=first.preprocessing,
    )


def diversity(answers: Answers) -> dict[str, Any]:
    """See :meth:`zoo.predictions.combining.tables.Tables.as_json`."""
    tables = Tables(len(answers.names))
    assert answers.truth is not None
    pairs = zip(answers.tasks, answers.said, strict=True)
    tables.add([questions.decided(task, one) for task, one in pairs], answers.truth)
    return tables.as_json()


def diversity_of_masks(members: MaskMembers) -> dict[str, Any]:
    """Of pixels, on the first member's grid."""
    tables = Tables(len(members.names))
    for piece in members.pieces():
        assert piece.targets is not None
        pairs = zip(members.files, piece.said, strict=True)
        decisions = [questions.decided(file.task, one) for file, one in pairs]
        tables.add(decisions, questions.truth(piece.targets))
    return tables.as_json()


def gain(best: Named, ensemble: Named, plan: Plan) -> dict[str, Any]:
    """The ensemble's figures less the best member's, on the same samples: ``figures`` by name,
    ``per_class`` (and of masks, whose figures are of each image's own size where both have that,
    ``per_image`` and ``per_image_by_class``), each ``{value, low, high, method, p, shown}``;
    ``shown`` is ``better`` or ``worse``, or ``no difference``."""
    pair = Together([best, ensemble], plan).pairs()[0]
    found = pair.differences
    classes = ensemble.predictions.task.classes
    rows = {
        scope: [
            {"class": name, **_of(found, scope, plan.level, label)}
            for label, name in enumerate(classes)
        ]
        for scope in (BY_CLASS, PER_IMAGE_BY_CLASS)
    }
    masks = {PER_IMAGE: _of(found, PER_IMAGE, plan.level)}
    masks |= {PER_IMAGE_BY_CLASS: rows[PER_IMAGE_BY_CLASS]}  # type: ignore[dict-item]
    return {
        "over": best.name,
        "level": plan.level,
        "figures": _of(found, OVERALL, plan.level),
        "per_class": rows[BY_CLASS],
        **(masks if isinstance(ensemble.predictions, MaskPredictions) else {}),
    }


def headline(said: Said, name: str) -> float | None:
    """One figure of predictions: of masks the mean over images, of their own size where the file
    has that."""
    found = metrics.evaluate(said)
    if isinstance(said, MaskPredictions):
        found = found.get("own_size", found)[PER_IMAGE]
    value: float | None = found[name]
    return value


def _of(
    found: Mapping[Key, Difference], scope: str, level: float, label: int = -1
) -> dict[str, Any]:
    return {
        key.name: _plain(one, level)
        for key, one in found.items()
        if (key.scope, key.label) == (scope, label)
    }


def _plain(one: Difference, level: float) -> dict[str, Any]:
    better = one.better(level)
    shown = "no difference" if better == NEITHER else {"first": "worse"}.get(better, "better")
    return {
        "value": _number(one.value),
        "low": _number(one.interval.low),
        "high": _number(one.interval.high),
        "method": one.interval.method,
        "p": _number(one.p),
        "shown": shown,
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
