"""The predictions file: what a network said about a split, enough to compute every number later.

Here are those with a class, or classes, for each image; those of masks are ``masks``. Shapes: N
samples, O outputs, K classes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.predictions.archive import Archive, Heading, check_array, check_ids, opened
from zoo.predictions.masks import MaskPredictions
from zoo.storage import commit
from zoo.tasks import MULTILABEL, SEGMENTATION


@dataclass(frozen=True)
class Predictions(Heading):
    """``logits`` and ``probabilities``: float32 (N, O) and (N, K), columns in class order;
    ``targets``: int64 (N,), or uint8 (N, K) multilabel, or None where the split has no labels.
    """

    ids: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    targets: np.ndarray | None
    decisions: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labelled(self) -> bool:
        return self.targets is not None

    def save(self, path: Path) -> None:
        """Write it, atomically and durably. Equal predictions are equal bytes."""
        arrays = {
            "about": self.about(),
            "ids": np.asarray(self.ids, dtype=np.str_),
            "logits": self.logits,
            "probabilities": self.probabilities,
            "decisions": self.decisions,
        }
        if self.targets is not None:
            arrays["targets"] = self.targets
        stream = io.BytesIO()
        np.savez_compressed(stream, allow_pickle=False, **arrays)
        commit.write(path, stream.getvalue())


def load_predictions(path: Path) -> Predictions | MaskPredictions:
    """Read and check a file; masks are left in it until they are asked for. Raises
    :class:`PredictionsError` naming what is wrong."""
    with opened(path) as archive:
        if archive.heading()["task"].kind == SEGMENTATION:
            return MaskPredictions.found_in(archive, path)
        return _loaded(archive)


def _loaded(archive: Archive) -> Predictions:
    loaded = Predictions(
        **archive.heading(),
        ids=archive["ids"],
        logits=archive["logits"],
        probabilities=archive["probabilities"],
        targets=archive.get("targets"),
        decisions=archive["decisions"],
    )
    _check(loaded)
    return loaded


def _check(loaded: Predictions) -> None:
    check_ids(loaded.ids)
    length, task = len(loaded.ids), loaded.task
    several = (length, len(task.classes))
    one = several if task.kind == MULTILABEL else (length,)
    for name, array, shape, kinds in (
        ("logits", loaded.logits, (length, task.outputs), "f"),
        ("probabilities", loaded.probabilities, several, "f"),
        ("decisions", loaded.decisions, one, "iu"),
        ("targets", loaded.targets, one, "iu"),
    ):
        if array is None:
            continue
        check_array(name, array, shape, kinds)
        if kinds == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that are not finite")
        if kinds == "iu" and array.size:
            highest = 1 if task.kind == MULTILABEL else len(task.classes) - 1
            if array.min() < 0 or array.max() > highest:
                raise ValueError(f"{name} lie outside the classes")
