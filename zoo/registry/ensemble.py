"""Several networks that answer as one: each with its own preprocessing, combined by a rule.

Shapes: N images, O outputs, H by W pixels of the first member's input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import PredictionsError, RegistryError
from zoo.predictions.combining import methods, questions
from zoo.predictions.combining.grids import check_frames, resized
from zoo.predictions.combining.rules import Rule
from zoo.predictions.views import Views
from zoo.registry.model import Model, Predictor, Prepared
from zoo.registry.record import Draft, Record
from zoo.tasks import SEGMENTATION, Task

RULE = "combination.safetensors"  # what a rule keeps beside its options
TTA = "tta"


@dataclass(frozen=True)
class PreparedForEach(Prepared):
    """``parts``: the image as each member will see it; ``pixels``: as the first."""

    parts: tuple[Prepared, ...]


class Combined(Predictor):
    """``members``: each on ``device`` already. Its preprocessing is the first member's: masks have
    that size."""

    def __init__(
        self,
        task: Task,
        members: Sequence[Predictor],
        rule: Rule,
        what: str,
        device: torch.device | str = "cpu",
    ) -> None:
        """Raises :class:`RegistryError`, naming ``what``, when the members do not fit together."""
        networks = _Members([one.network for one in members], what)
        Predictor.__init__(self, task, members[0].preprocessing, networks, device)
        self.members, self.rule, self._what = tuple(members), rule, what
        _check_members(task, members, what)

    @property
    def together(self) -> int:
        return min(one.together for one in self.members)

    def on(self, device: torch.device) -> Combined:
        """The same, on ``device``."""
        members = [
            one.on(device)
            if isinstance(one, Combined)
            else Predictor(one.task, one.preprocessing, one.network, device)
            for one in self.members
        ]
        return Combined(self.task, members, self.rule, self._what, device)

    def prepared(self, image: Any, where: str) -> Prepared:
        known: dict[Preprocessing, Prepared] = {}
        parts = []
        for member in self.members:
            if isinstance(member, Combined):
                parts.append(member.prepared(image, where))
                continue
            seen_by = member.preprocessing
            if seen_by not in known:
                known[seen_by] = member.prepared(image, where)
            parts.append(known[seen_by])
        return PreparedForEach(parts[0].pixels, parts[0].size, tuple(parts))

    def logits(self, images: Sequence[Prepared]) -> Tensor:
        """Those of which the rule's answer are the probabilities."""
        said = []
        for place, member in enumerate(self.members):
            parts = [one.parts[place] for one in images if isinstance(one, PreparedForEach)]
            said.append(member.logits(parts).numpy())
        return torch.from_numpy(combined(self.task, self.rule, said))


class Ensemble(Combined, Model):
    """A version that is an ensemble. ``digest``: of its record."""

    def __init__(
        self,
        record: Record,
        digest: str,
        members: Sequence[Predictor],
        rule: Rule,
        device: torch.device | str = "cpu",
    ) -> None:
        Combined.__init__(self, record.task, members, rule, str(record), device)
        self.record, self.digest = record, digest


def combined(task: Task, rule: Rule, logits: Sequence[np.ndarray]) -> np.ndarray:
    """float32 (N, O, ...), of each member's; masks are of the first one's size."""
    first = logits[0]
    if task.kind != SEGMENTATION:
        said = [questions.of_logits(task, one.astype(np.float64)) for one in logits]
        return questions.to_logits(task, rule.combined(said), first.shape)
    grid = (first.shape[2], first.shape[3])
    said = [_on_grid(task, one, grid) for one in logits]
    return questions.to_logits(task, rule.combined(said), first.shape)


def rule_of(
    draft: Draft, arrays: Mapping[str, Tensor], members: Sequence[Predictor], what: str
) -> Rule:
    """The rule that a record names, for its ``members``; ``arrays``: those of its file
    :data:`RULE`, empty where it has none. Raises :class:`RegistryError`, naming ``what``."""
    assert draft.ensemble is not None
    plain = {name: _array(one) for name, one in arrays.items()}
    tasks = [one.task for one in members]
    _check_members(draft.task, members, what)
    try:
        return methods.read(
            draft.ensemble["method"], draft.ensemble["options"], plain, draft.task, tasks
        )
    except PredictionsError as error:
        raise RegistryError(f"{what}: {error}") from error


def _array(tensor: Tensor) -> np.ndarray:
    """NumPy has no halves and eighths of some kinds; they are no rule's anyway."""
    try:
        return tensor.numpy()
    except TypeError:
        return tensor.float().numpy()


def with_views(predictor: Predictor, draft: Draft, what: str) -> Predictor:
    """A member as the ensemble in ``draft`` asks it: about several views of each image where its
    options say so. Raises :class:`RegistryError`, naming ``what``, where that is not possible."""
    assert draft.ensemble is not None
    name = draft.ensemble["options"].get(TTA)
    if name is None:
        return predictor
    if isinstance(predictor, Combined):
        raise RegistryError(f"{what}: {TTA} of a member that is an ensemble itself")
    try:
        network = Views(predictor.network, predictor.task, str(name), predictor.preprocessing.size)
    except PredictionsError as error:
        raise RegistryError(f"{what}: {error}") from error
    return Predictor(predictor.task, predictor.preprocessing, network, predictor.device)


class _Members(nn.ModuleList):
    """Their networks, to be moved together."""

    def __init__(self, networks: Sequence[nn.Module], what: str) -> None:
        super().__init__(networks)
        self._what = what

    def forward(self, *_: object) -> NoReturn:
        raise RegistryError(f"{self._what} is an ensemble, and has no network of its own")


def _check_members(task: Task, members: Sequence[Predictor], what: str) -> None:
    for one in members:
        if (one.task.kind, one.task.classes, one.task.positive) != (
            task.kind, task.classes, task.positive,
        ):  # fmt: skip
            raise RegistryError(f"{what}: its members have other classes than it says")
    if task.kind == SEGMENTATION:
        names = [f"member {number}" for number in range(1, len(members) + 1)]
        try:
            check_frames(names, [one.preprocessing for one in members])
        except PredictionsError as error:
            raise RegistryError(f"{what}: {error}") from error


def _on_grid(task: Task, logits: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    if logits.shape[2:] == grid:
        return questions.of_logits(task, logits)
    chances = task.probabilities(torch.from_numpy(logits))
    if task.positive is not None:
        chances = chances[:, task.positive_index].unsqueeze(1)
    return questions.of_planes(task, resized(chances.numpy(), grid))
