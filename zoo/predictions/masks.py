"""What a network said about the pixels of a split: masks, in chunks, never all in memory.

Shapes: N images of a split, B of a chunk, H by W pixels (the network's input), K classes, O
outputs; P planes of probabilities, 1 (the positive class's) where the task has one, otherwise K.

Probabilities are kept in 255ths, rounded to the nearest: at most 0.002 off, and a byte each. What
was decided is kept beside them, for near the threshold the byte no longer tells. So is what was
decided of each image in its own size, with the mask of that size (``own_masks``).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.errors import PredictionsError
from zoo.predictions import own_masks
from zoo.predictions.archive import Archive, Heading, check_array, check_ids, opened, texts
from zoo.predictions.own_masks import MaskPair, add
from zoo.storage import commit
from zoo.tasks import IGNORE, Task

if TYPE_CHECKING:
    from torch import Tensor

LEVELS = 255
_FAST = 1  # zlib's level; 6 takes nearly twice as long for a twentieth less
_LONGEST_SIDE = 16384


@dataclass(frozen=True)
class MaskChunk:
    """``probabilities``: uint8 (B, P, H, W), in 255ths; ``decisions``: uint8 (B, H, W), class ids;
    ``targets``: the same, 255 where a pixel counts for nothing; None where there are no masks.
    ``own``: of each image what it is in its own size, or nothing."""

    probabilities: np.ndarray
    decisions: np.ndarray
    targets: np.ndarray | None
    own: Sequence[MaskPair] = ()

    def __len__(self) -> int:
        return len(self.decisions)

    @classmethod
    def of(cls, task: Task, logits: Tensor, masks: Tensor | None) -> MaskChunk:
        """Of logits (B, O, H, W) and class ids (B, H, W). Raises :class:`PredictionsError` when
        some logit is not finite: its byte would hide that."""
        if not bool(logits.isfinite().all()):
            raise PredictionsError("the network's answers hold numbers that are not finite")
        probabilities = task.probabilities(logits)
        if task.positive is not None:
            probabilities = probabilities[:, task.positive_index].unsqueeze(1)
        return cls(
            (probabilities * LEVELS).round().byte().cpu().numpy(),
            task.decisions(logits).byte().cpu().numpy(),
            None if masks is None else masks.byte().cpu().numpy(),
        )


@dataclass(frozen=True)
class ImageMasks:
    """Of one image; ``own``: None where the file does not have them."""

    network: MaskPair
    own: MaskPair | None


@dataclass(frozen=True)
class MaskPredictions(Heading):
    """A file of them. ``size``: (height, width); ``lengths``: how many images each chunk holds;
    ``labelled``: whether there are targets; ``groups``: text (N,), or None.

    ``sizes``: int32 (N, 2), the images' own (height, width); None in a file of the network's size
    alone. ``preprocessing``: as ``Preprocessing.as_json`` gives it, with which other probabilities
    are brought back to those sizes (``zoo.data.restoring``), empty where it was not kept."""

    path: Path
    ids: np.ndarray
    size: tuple[int, int]
    lengths: tuple[int, ...]
    labelled: bool
    groups: np.ndarray | None = field(default=None, kw_only=True)
    sizes: np.ndarray | None = field(default=None, kw_only=True)
    preprocessing: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def write(
        cls,
        path: Path,
        heading: Heading,
        ids: Sequence[str],
        chunks: Iterable[MaskChunk],
        *,
        groups: Sequence[str] | None = None,
        preprocessing: Mapping[str, Any] | None = None,
    ) -> MaskPredictions:
        """Write ``chunks`` as they come, atomically and durably. Equal ones are equal bytes. All of
        them bring their images' ``own`` masks, or none does."""
        written: list[MaskPredictions] = []

        def fill(temporary: Path) -> None:
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=_FAST) as file:
                found = cls._fill(file, path, heading, ids, chunks)
                groups_of, kept = texts(groups), dict(preprocessing or {})
                written.append(replace(found, groups=groups_of, preprocessing=kept))
                written[0]._close(file)

        commit.replace_with(path, fill)
        return written[0]

    @classmethod
    def _fill(
        cls,
        file: zipfile.ZipFile,
        path: Path,
        heading: Heading,
        ids: Sequence[str],
        chunks: Iterable[MaskChunk],
    ) -> MaskPredictions:
        lengths, size, labelled = [], (0, 0), False
        sizes: list[tuple[int, ...]] = []
        for number, chunk in enumerate(chunks):
            for name in ("probabilities", "decisions", "targets"):
                array = getattr(chunk, name)
                if array is not None:
                    add(file, f"{name}-{number:04d}", array)
            for at, own in enumerate(chunk.own):
                targets = None if chunk.targets is None else chunk.targets[at]
                if not own.equals(chunk.decisions[at], targets):
                    for name, array in own.members(len(sizes)).items():
                        add(file, name, array)
                sizes.append(own.decisions.shape)
            lengths.append(len(chunk))
            size, labelled = chunk.decisions.shape[1:], chunk.targets is not None
        return cls(
            **heading.heading(),
            path=path,
            ids=np.asarray(ids, dtype=np.str_),
            size=size,
            lengths=tuple(lengths),
            labelled=labelled,
            sizes=np.array(sizes, np.int32) if sizes else None,
        )

    def _close(self, file: zipfile.ZipFile) -> None:
        """Write what is known at the end."""
        for name, array in (("ids", self.ids), ("groups", self.groups), ("sizes", self.sizes)):
            if array is not None:
                add(file, name, array)
        more = {
            "size": self.size,
            "chunks": self.lengths,
            "labelled": self.labelled,
            "preprocessing": self.preprocessing,
        }
        add(file, "about", self.about(**more))

    @classmethod
    def found_in(cls, archive: Archive, path: Path) -> MaskPredictions:
        """Checked but for the pixels, which :meth:`chunks` reads and checks."""
        about, names = archive.about, archive.names("ids")
        pairs = (len(names), 2)
        found = cls(
            **archive.heading(),
            path=path,
            ids=names,
            size=_size(about["size"], empty=about["chunks"] == []),
            lengths=tuple(_naturals("chunks", about["chunks"], len(archive.sizes))),
            labelled=about["labelled"],
            groups=archive.names("groups") if "groups" in archive.sizes else None,
            sizes=archive.numbers("sizes", pairs) if "sizes" in archive.sizes else None,
            preprocessing=about.get("preprocessing", {}),
        )
        check_ids(found.ids, found.groups)
        if type(found.labelled) is not bool or not isinstance(found.preprocessing, dict):
            raise PredictionsError("labelled or preprocessing is of a wrong type")
        if sum(found.lengths) != len(found):
            raise PredictionsError(f"chunks of {sum(found.lengths)} images for {len(found)} ids")
        for number, length in enumerate(found.lengths):
            for name, shape in found._shapes(length).items():
                own_masks.check_bytes(archive, f"{name}-{number:04d}", shape)
        if found.sizes is not None:
            own_masks.check_members(archive, found.sizes, found.size, found.labelled, len(found))
        return found

    def chunks(self) -> Iterator[MaskChunk]:
        """One after the other, in the order of ``ids``, of the network's size. Raises
        :class:`PredictionsError` naming what is wrong with one."""
        with opened(self.path) as archive:
            yield from self._chunks(archive)

    def images(self) -> Iterator[ImageMasks]:
        """The masks of one image after the other, in both sizes. Raises as :meth:`chunks` does."""
        number = 0
        with opened(self.path) as archive:
            for chunk in self._chunks(archive):
                for at in range(len(chunk)):
                    targets = None if chunk.targets is None else chunk.targets[at]
                    network = MaskPair(chunk.decisions[at], targets)
                    own = None
                    if self.sizes is not None:
                        height, width = self.sizes[number].tolist()
                        own = own_masks.read(archive, number, (height, width), self.task) or network
                    yield ImageMasks(network, own)
                    number += 1

    def targets(self, *, own: bool) -> Iterator[np.ndarray]:
        """The true mask of one image after the other, uint8 (h, w), of its ``own`` size or of the
        network's; what was said of them is not read. Raises as :meth:`chunks` does."""
        number = 0
        with opened(self.path) as archive:
            for chunk, length in enumerate(self.lengths):
                for small in self._targets(archive, chunk, length):
                    mask = None
                    if own and self.sizes is not None:
                        height, width = self.sizes[number].tolist()
                        mask = own_masks.read_targets(archive, number, (height, width), self.task)
                    yield small if mask is None else mask
                    number += 1

    def _targets(self, archive: Archive, number: int, length: int) -> np.ndarray:
        member = f"targets-{number:04d}"
        array = archive[member]
        check_array(member, array, (length, *self.size), "u")
        self._check_targets(array, number)
        return array

    def _chunks(self, archive: Archive) -> Iterator[MaskChunk]:
        for number, length in enumerate(self.lengths):
            arrays = {}
            for name, shape in self._shapes(length).items():
                member = f"{name}-{number:04d}"
                arrays[name] = archive[member]
                check_array(member, arrays[name], shape, "u")
            chunk = MaskChunk(arrays["probabilities"], arrays["decisions"], arrays.get("targets"))
            self._check_classes(chunk, number)
            yield chunk

    def _shapes(self, length: int) -> dict[str, tuple[int, ...]]:
        one = (length, *self.size)
        planes = 1 if self.task.positive is not None else len(self.task.classes)
        shapes = {"probabilities": (length, planes, *self.size), "decisions": one}
        return {**shapes, "targets": one} if self.labelled else shapes

    def _check_classes(self, chunk: MaskChunk, number: int) -> None:
        classes = len(self.task.classes)
        if int(chunk.decisions.max()) >= classes:
            raise PredictionsError(f"decisions-{number:04d} lie outside the classes")
        if chunk.targets is not None:
            self._check_targets(chunk.targets, number)

    def _check_targets(self, targets: np.ndarray, number: int) -> None:
        if ((targets >= len(self.task.classes)) & (targets != IGNORE)).any():
            raise PredictionsError(f"targets-{number:04d} lie outside the classes")


def _size(value: Any, *, empty: bool) -> tuple[int, int]:
    """(height, width); of no images nobody knows it, and it is (0, 0)."""
    if empty and value == [0, 0]:
        return 0, 0
    if len(_naturals("size", value, _LONGEST_SIDE)) != 2:
        raise PredictionsError(f"size {str(value)[:80]}: expected height and width")
    return value[0], value[1]


def _naturals(name: str, value: Any, most: int) -> list[int]:
    good = isinstance(value, list) and all(type(one) is int and one > 0 for one in value)
    if not good or len(value) > most or (name == "size" and max(value, default=0) > most):
        raise PredictionsError(f"{name} {str(value)[:80]}: expected positive integers")
    return value  # type: ignore[no-any-return]
