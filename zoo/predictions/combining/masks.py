"""Masks of several members, chunk by chunk: memory holds a chunk of each, however many there are.

All are brought to the first member's grid, and combined there. Shapes: M members, N images, B of a
chunk, P planes of H by W pixels of the first member's network; S questions (``questions``), K
classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.data.preprocessing import Preprocessing
from zoo.errors import PredictionsError, clipped
from zoo.predictions.archive import Heading
from zoo.predictions.combining import questions
from zoo.predictions.combining.alike import alike, common_task
from zoo.predictions.combining.answers import Answers
from zoo.predictions.combining.grids import check_frames, resized
from zoo.predictions.combining.rules import Rule
from zoo.predictions.masks import LEVELS, MaskChunk, MaskPredictions
from zoo.predictions.own_masks import MaskPair
from zoo.tasks import IGNORE, Task

PIXELS = 1 << 19  # of all images together, on which weights and members are chosen


@dataclass(frozen=True)
class Piece:
    """A chunk of the first member's, and what all say there. ``said``: M of float32 (S, K);
    ``shape``: of the logits; ``first``: the number of the first of its images."""

    said: list[np.ndarray]
    shape: tuple[int, int, int, int]
    targets: np.ndarray | None
    first: int


@dataclass(frozen=True)
class MaskMembers:
    """``task``: with the threshold that all have, or else with 0.5."""

    names: tuple[str, ...]
    files: tuple[MaskPredictions, ...]
    task: Task

    @classmethod
    def of(cls, names: Sequence[str], files: Sequence[MaskPredictions]) -> MaskMembers:
        """Raises :class:`PredictionsError` unless they are :func:`alike.alike`, and of the same
        part of each image."""
        alike(names, files)
        # Files of one size that do not say more have the same true masks on that grid.
        if len({one.size for one in files}) > 1 or all(one.preprocessing for one in files):
            check_frames(names, [_preprocessing(*pair) for pair in zip(names, files, strict=True)])
        return cls(tuple(names), tuple(files), common_task([one.task for one in files]))

    @property
    def heading(self) -> Heading:
        return Heading(**{**self.files[0].heading(), "task": self.task})

    def pieces(self) -> Iterator[Piece]:
        """All chunks, in order."""
        others = [_images(one) for one in self.files[1:]]
        first = 0
        for chunk in self.files[0].chunks():
            several = [(chunk.probabilities, chunk.decisions)]
            for one in others:
                planes, decisions = zip(*(next(one) for _ in range(len(chunk))), strict=True)
                several.append((np.stack(planes), np.stack(decisions)))
            said = [self._said(file, *both) for file, both in zip(self.files, several, strict=True)]
            shape = (len(chunk), self.task.outputs, *self.files[0].size)
            yield Piece(said, shape, chunk.targets, first)
            first += len(chunk)

    def _said(
        self, file: MaskPredictions, probabilities: np.ndarray, decisions: np.ndarray
    ) -> np.ndarray:
        """(S, K) on the first one's grid; where that is its own, it decides what it decided."""
        planes = resized(probabilities.astype(np.float32) / LEVELS, self.files[0].size)
        said = questions.of_planes(self.task, planes)
        if file.size != self.files[0].size:
            return said
        return questions.agreeing(file.task, said, questions.truth(decisions))

    def sampled(self, pixels: int = PIXELS) -> Answers:
        """Some pixels of every image, the same number of each and evenly spread: what weights are
        fitted to."""
        height, width = self.files[0].size
        every = max(1, pixels // len(self.files[0]))
        step = max(1, round((height * width / every) ** 0.5))
        said: list[list[np.ndarray]] = [[] for _ in self.names]
        truth = []
        for piece in self.pieces():
            assert piece.targets is not None
            images = piece.shape[0]
            grid = np.arange(height * width).reshape(height, width)
            chosen = grid[step // 2 :: step, step // 2 :: step].reshape(-1)
            for kept, one in zip(said, piece.said, strict=True):
                kept.append(one.reshape(images, height * width, -1)[:, chosen])
            truth.append(piece.targets.reshape(images, -1)[:, chosen])
        return Answers(
            heading=self.heading,
            names=self.names,
            tasks=tuple(one.task for one in self.files),
            said=tuple(_joined(one).astype(np.float64) for one in said),
            truth=np.concatenate(truth).reshape(-1).astype(np.int64),
            samples=len(self.files[0]),
            groups=self.files[0].groups,
        )

    def combined(self, rule: Rule) -> Iterator[MaskChunk]:
        """What the rule makes of them, chunk by chunk; of each image's own size too, where the
        first member has that."""
        own = _own_targets(self.files[0])
        for piece in self.pieces():
            said = rule.combined(piece.said)
            decisions = questions.decided(self.task, said)
            decisions = decisions.reshape(piece.shape[0], *piece.shape[2:])
            chances = questions.to_planes(self.task, said, piece.shape)
            planes = chances
            if self.task.positive is not None:
                planes = chances[:, self.task.positive_index, None]
            chunk = MaskChunk(
                np.rint(planes * LEVELS).astype(np.uint8),
                decisions.astype(np.uint8),
                piece.targets,
            )
            sizes = self.files[0].sizes
            if sizes is None:
                yield chunk
                continue
            pairs = [
                self._own(chances[at], tuple(sizes[piece.first + at].tolist()), next(own))
                for at in range(len(chunk))
            ]
            yield replace(chunk, own=pairs)

    def _own(
        self, chances: np.ndarray, size: tuple[int, ...], targets: np.ndarray | None
    ) -> MaskPair:
        import torch

        from zoo.data.restoring import restored

        seen_by = _preprocessing(self.names[0], self.files[0])
        planes, seen = restored(torch.from_numpy(chances), seen_by, (size[0], size[1]))
        mask = self.task.decided(planes[None])[0].masked_fill_(~seen, IGNORE)
        return MaskPair(mask.to(torch.uint8).numpy(), targets)


def _images(file: MaskPredictions) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Probabilities uint8 (P, h, w) and decisions (h, w) of one image after the other."""
    for chunk in file.chunks():
        yield from zip(chunk.probabilities, chunk.decisions, strict=True)


def _own_targets(file: MaskPredictions) -> Iterator[np.ndarray | None]:
    if file.sizes is not None:
        for image in file.images():
            assert image.own is not None
            yield image.own.targets


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    whole = np.concatenate(parts)
    return whole.reshape(-1, whole.shape[-1])


def _preprocessing(name: str, file: MaskPredictions) -> Preprocessing:
    if not file.preprocessing:
        raise PredictionsError(
            f"member {clipped(name)!r}: its predictions do not say how images were shown to it; "
            f"make them anew with zoo eval"
        )
    return Preprocessing.from_json(file.preprocessing)
