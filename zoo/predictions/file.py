"""The predictions file: what a network said about a split, enough to compute every number later.

Here are those with a class, or classes, for each image; those of masks are ``masks``. Shapes: N
samples, O outputs, K classes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import PredictionsError, clipped
from zoo.predictions.archive import Archive, Heading, check_array, check_ids, opened
from zoo.predictions.masks import MaskPredictions
from zoo.storage import commit
from zoo.tasks import MULTILABEL, SEGMENTATION, Task

_OFF = 1e-3  # by which probabilities may miss one: float32 sums of thousands of classes do


@dataclass(frozen=True)
class Predictions(Heading):
    """``logits`` and ``probabilities``: float32 (N, O) and (N, K), columns in class order;
    ``targets``: int64 (N,), or uint8 (N, K) multilabel, or None where the split has no labels;
    ``groups``: text (N,), such as the patient, or None where the dataset names none.
    """

    ids: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    targets: np.ndarray | None
    decisions: np.ndarray
    groups: np.ndarray | None = field(default=None, kw_only=True)

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
        if self.groups is not None:
            arrays["groups"] = np.asarray(self.groups, dtype=np.str_)
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
        groups=archive.get("groups"),
    )
    _check(loaded)
    return loaded


def _check(loaded: Predictions) -> None:
    check_ids(loaded.ids, loaded.groups)
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
        if array.ndim and len(array) != length:
            raise PredictionsError(f"{length:,} ids for {len(array):,} {name}")
        if array.ndim == 2 and array.shape[1:] != shape[1:]:
            what = f"{array.shape[1]} columns of {name}"
            raise PredictionsError(
                f"{what} for the {len(task.classes)} classes of a {task.kind} task"
            )
        check_array(name, array, shape, kinds)
        if kinds == "f":
            _check_finite(name, loaded.ids, array)
        elif array.size:
            highest = 1 if task.kind == MULTILABEL else len(task.classes) - 1
            if array.min() < 0 or array.max() > highest:
                raise PredictionsError(f"{name} lie outside the classes")
    _check_probabilities(loaded.ids, loaded.probabilities, task)


def _check_finite(name: str, ids: np.ndarray, array: np.ndarray) -> None:
    wrong = ~np.isfinite(array).all(1)
    if wrong.any():
        raise PredictionsError(f"{name} of {_first(ids, wrong)} are not finite")


def _check_probabilities(ids: np.ndarray, probabilities: np.ndarray, task: Task) -> None:
    outside = ((probabilities < 0) | (probabilities > 1)).any(1)
    if outside.any():
        raise PredictionsError(f"probabilities of {_first(ids, outside)} lie outside 0 to 1")
    sums = probabilities.sum(1, dtype=np.float64)
    off = np.abs(sums - 1) > _OFF
    if task.kind != MULTILABEL and off.any():
        raise PredictionsError(
            f"probabilities of {_first(ids, off)} sum to {sums[off][0]:.4f}, expected 1"
        )


def _first(ids: np.ndarray, which: Any) -> str:
    """The first of the samples that are meant, and how many they are."""
    found = repr(clipped(ids[which][0].item()))
    return found if which.sum() == 1 else f"{found} (and {which.sum() - 1:,} others)"
