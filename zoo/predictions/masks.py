"""What a network said about the pixels of a split: masks, in chunks, never all in memory.

Shapes: N images of a split, B of a chunk, H by W pixels (the network's input), K classes, O
outputs; P planes of probabilities, 1 (the positive class's) where the task has one, otherwise K.

Probabilities are kept in 255ths, rounded to the nearest: at most 0.002 off, and a byte each. What
was decided is kept beside them, for near the threshold the byte no longer tells.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.decoding import IGNORE
from zoo.errors import PredictionsError
from zoo.predictions.archive import Archive, Heading, check_array, check_ids, opened
from zoo.storage import commit
from zoo.tasks import Task

if TYPE_CHECKING:
    from torch import Tensor

LEVELS = 255
_FAST = 1  # zlib's level; 6 takes nearly twice as long for a twentieth less
_HEADER = 1024  # bytes that a member may have beside its pixels: numpy's header takes 128
_LONGEST_SIDE = 16384


@dataclass(frozen=True)
class MaskChunk:
    """``probabilities``: uint8 (B, P, H, W), in 255ths; ``decisions``: uint8 (B, H, W), class ids;
    ``targets``: the same, 255 where a pixel counts for nothing; None where there are no masks."""

    probabilities: np.ndarray
    decisions: np.ndarray
    targets: np.ndarray | None

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
class MaskPredictions(Heading):
    """A file of them. ``size``: (height, width); ``lengths``: how many images each chunk holds;
    ``labelled``: whether there are targets."""

    path: Path
    ids: np.ndarray
    size: tuple[int, int]
    lengths: tuple[int, ...]
    labelled: bool

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def write(
        cls, path: Path, heading: Heading, ids: Sequence[str], chunks: Iterable[MaskChunk]
    ) -> MaskPredictions:
        """Write ``chunks`` as they come, atomically and durably. Equal ones are equal bytes."""
        written: list[MaskPredictions] = []

        def fill(temporary: Path) -> None:
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=_FAST) as file:
                written.append(cls._fill(file, path, heading, ids, chunks))

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
        for number, chunk in enumerate(chunks):
            for name, array in vars(chunk).items():
                if array is not None:
                    _add(file, f"{name}-{number:04d}", array)
            lengths.append(len(chunk))
            size, labelled = chunk.decisions.shape[1:], chunk.targets is not None
        written = cls(
            **vars(heading),
            path=path,
            ids=np.asarray(ids, dtype=np.str_),
            size=size,
            lengths=tuple(lengths),
            labelled=labelled,
        )
        _add(file, "ids", written.ids)
        _add(file, "about", heading.about(size=size, chunks=lengths, labelled=labelled))
        return written

    @classmethod
    def found_in(cls, archive: Archive, path: Path) -> MaskPredictions:
        """Checked but for the pixels, which :meth:`chunks` reads and checks."""
        about = archive.about
        found = cls(
            **archive.heading(),
            path=path,
            ids=archive["ids"],
            size=tuple(_naturals("size", about["size"], _LONGEST_SIDE)),  # type: ignore[arg-type]
            lengths=tuple(_naturals("chunks", about["chunks"], len(archive.sizes))),
            labelled=about["labelled"],
        )
        check_ids(found.ids)
        if len(found.size) != 2 or type(found.labelled) is not bool:
            raise ValueError("size or labelled is of a wrong type")
        if sum(found.lengths) != len(found):
            raise ValueError(f"chunks of {sum(found.lengths)} images for {len(found)} ids")
        for number, length in enumerate(found.lengths):
            for name, shape in found._shapes(length).items():
                member = f"{name}-{number:04d}"
                spare = archive.sizes[member] - int(np.prod(shape, dtype=object))
                if not 0 < spare <= _HEADER:
                    raise ValueError(f"{member} has {archive.sizes[member]} bytes for {shape}")
        return found

    def chunks(self) -> Iterator[MaskChunk]:
        """One after the other, in the order of ``ids``. Raises :class:`PredictionsError` naming
        what is wrong with one."""
        with opened(self.path) as archive:
            for number, length in enumerate(self.lengths):
                arrays = {}
                for name, shape in self._shapes(length).items():
                    member = f"{name}-{number:04d}"
                    arrays[name] = archive[member]
                    check_array(member, arrays[name], shape, "u")
                chunk = MaskChunk(
                    arrays["probabilities"], arrays["decisions"], arrays.get("targets")
                )
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
            raise ValueError(f"decisions-{number:04d} lie outside the classes")
        if chunk.targets is not None:
            outside = (chunk.targets >= classes) & (chunk.targets != IGNORE)
            if outside.any():
                raise ValueError(f"targets-{number:04d} lie outside the classes")


def _add(file: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with file.open(f"{name}.npy", "w", force_zip64=True) as stream:
        np.lib.format.write_array(stream, np.require(array, requirements="C"), allow_pickle=False)


def _naturals(name: str, value: Any, most: int) -> list[int]:
    good = isinstance(value, list) and all(type(one) is int and one > 0 for one in value)
    if not good or len(value) > most or (name == "size" and max(value, default=0) > most):
        raise ValueError(f"{name} {str(value)[:80]}: expected positive integers")
    return value  # type: ignore[no-any-return]
