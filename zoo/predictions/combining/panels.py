"""What members say on val, by which an ensemble is chosen, and on the split that is reported: of
classes and of masks, with the same questions to ask of either.

A member's answer is that to the images as they are (``plain``), by which the best member is found;
what is combined may be its answer to several views of each (``asked``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from zoo.data.splits import VAL
from zoo.errors import PredictionsError
from zoo.predictions.archive import Heading
from zoo.predictions.combining import folds, methods, results
from zoo.predictions.combining.answers import Answers, Validation
from zoo.predictions.combining.masks import MaskMembers
from zoo.predictions.combining.methods import Method
from zoo.predictions.combining.rules import Rule
from zoo.predictions.combining.scoring import LOWER, Score
from zoo.predictions.file import Predictions
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.same_samples import Named, check_apart
from zoo.tasks import SEGMENTATION, Task

BySplit = Mapping[str, Sequence[Named]]


class Panel(Protocol):
    @property
    def task(self) -> Task: ...

    def heading(self, split: str) -> Heading: ...

    def best(self, score: Score) -> int:
        """Which member, by its plain answers on val."""
        ...

    def choose(self, method: Method) -> Rule:
        """On val."""
        ...

    def values(self, split: str, score: Score, *, plain: bool) -> list[float | None]:
        """The figure of each member; None where undefined."""
        ...

    def write(
        self, split: str, method: Method, rule: Rule, path: Path, source: Mapping[str, Any]
    ) -> Predictions | MaskPredictions | None:
        """What the ensemble says; of val, where something was learnt there, what it says of each
        fold when it learns on the others. None where that is not known."""
        ...

    def diversity(self, split: str) -> dict[str, Any]: ...


def panel_of(plain: BySplit, asked: BySplit) -> Panel:
    """Raises :class:`PredictionsError` unless all members are of the same samples, split by split,
    and of others on each."""
    first = plain[VAL][0].predictions
    for several in plain.values():
        check_apart(first, several[0].predictions)
    kind: type[_Classes | _Masks] = _Masks if first.task.kind == SEGMENTATION else _Classes
    return kind.of(plain, asked)


@dataclass(frozen=True)
class _Classes:
    plain: Mapping[str, Answers]
    asked: Mapping[str, Answers]
    first: Mapping[str, Predictions]

    @classmethod
    def of(cls, plain: BySplit, asked: BySplit) -> _Classes:
        first = {split: _classes(several)[0] for split, several in asked.items()}
        known = {split: _answers(several) for split, several in plain.items()}
        if asked is plain:
            return cls(known, known, first)
        return cls(known, {split: _answers(several) for split, several in asked.items()}, first)

    @property
    def task(self) -> Task:
        return self.asked[VAL].heading.task

    def heading(self, split: str) -> Heading:
        return self.asked[split].heading

    def best(self, score: Score) -> int:
        answers = Validation(self.plain[VAL]).answers
        assert answers.truth is not None
        return score.best(answers.tasks, answers.said, answers.truth)

    def choose(self, method: Method) -> Rule:
        return method.choose(Validation(self.asked[VAL]))

    def values(self, split: str, score: Score, *, plain: bool) -> list[float | None]:
        answers = (self.plain if plain else self.asked)[split]
        assert answers.truth is not None
        return [
            _number(replace(score, task=task).value(one, answers.truth))
            for task, one in zip(answers.tasks, answers.said, strict=True)
        ]

    def write(
        self, split: str, method: Method, rule: Rule, path: Path, source: Mapping[str, Any]
    ) -> Predictions:
        answers = self.asked[split]
        if split == VAL and method.name in methods.FITTED:
            said = folds.out_of_fold(Validation(answers), method.choose)
        else:
            said = rule.combined(answers.said)
        predictions = results.of_classes(answers, self.first[split], said, source)
        predictions.save(path)
        return predictions

    def diversity(self, split: str) -> dict[str, Any]:
        return results.diversity(self.asked[split])


@dataclass(frozen=True)
class _Masks:
    plain: Mapping[str, MaskMembers]
    asked: Mapping[str, MaskMembers]

    @classmethod
    def of(cls, plain: BySplit, asked: BySplit) -> _Masks:
        known = {split: _mask_members(several) for split, several in plain.items()}
        if asked is plain:
            return cls(known, known)
        return cls(known, {split: _mask_members(several) for split, several in asked.items()})

    @property
    def task(self) -> Task:
        return self.asked[VAL].task

    def heading(self, split: str) -> Heading:
        return self.asked[split].heading

    def best(self, score: Score) -> int:
        found = self.values(VAL, score, plain=True)
        sign = -1.0 if score.name in LOWER else 1.0
        ranks = [-np.inf if one is None else sign * one for one in found]
        return ranks.index(max(ranks))

    def choose(self, method: Method) -> Rule:
        if method.name not in methods.FITTED:
            tasks = [one.task for one in self.asked[VAL].files]
            return methods.unfitted(method, self.task, tasks)
        return method.choose(Validation(self.asked[VAL].sampled()))

    def values(self, split: str, score: Score, *, plain: bool) -> list[float | None]:
        members = (self.plain if plain else self.asked)[split]
        return [results.headline(one, score.name) for one in members.files]

    def write(
        self, split: str, method: Method, rule: Rule, path: Path, source: Mapping[str, Any]
    ) -> MaskPredictions | None:
        if split == VAL and method.name in methods.FITTED:
            return None
        return results.of_masks(self.asked[split], rule, path, source)

    def diversity(self, split: str) -> dict[str, Any]:
        return results.diversity_of_masks(self.asked[split])


def _answers(several: Sequence[Named]) -> Answers:
    return Answers.of([one.name for one in several], _classes(several))


def _classes(several: Sequence[Named]) -> list[Predictions]:
    found = [one.predictions for one in several if isinstance(one.predictions, Predictions)]
    if len(found) < len(several):
        raise _mixed(several)
    return found


def _mask_members(several: Sequence[Named]) -> MaskMembers:
    found = [one.predictions for one in several if isinstance(one.predictions, MaskPredictions)]
    if len(found) < len(several):
        raise _mixed(several)
    return MaskMembers.of([one.name for one in several], found)


def _mixed(several: Sequence[Named]) -> PredictionsError:
    kinds = {one.predictions.task.kind: one.name for one in several}
    shown = " and ".join(f"{kind} ({name!r})" for kind, name in kinds.items())
    return PredictionsError(f"members have different tasks: {shown}")


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
