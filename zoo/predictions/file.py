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
from zoo.tasks import BINARY, MULTICLASS, MULTILABEL, SEGMENTATION, Task

_ROUNDED = 2e-3  # by which probabilities may differ from what logits in half precision say
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
    heading, ids = archive.heading(), archive.names("ids")
    task: Task = heading["task"]
    several = (len(ids), len(task.classes))
    one = several if task.kind == MULTILABEL else several[:1]
    held = archive.sizes
    loaded = Predictions(
        **heading,
        ids=ids,
        logits=archive.numbers("logits", (len(ids), task.outputs)),
        probabilities=archive.numbers("probabilities", several),
        targets=archive.numbers("targets", one) if "targets" in held else None,
        decisions=archive.numbers("decisions", one),
        groups=archive.names("groups") if "groups" in held else None,
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
    _check_one_answer(loaded)


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


def _check_one_answer(loaded: Predictions) -> None:
    """Figures are of probabilities and decisions, ensembles of logits: they have to be the same."""
    task, sure = loaded.task, loaded.probabilities.astype(np.float64)
    off = (np.abs(sure - _of_logits(task, loaded.logits.astype(np.float64))) > _ROUNDED).any(1)
    if off.any():
        raise PredictionsError(
            f"probabilities of {_first(loaded.ids, off)} are not those of the logits"
        )
    if task.kind == MULTICLASS:
        decided = np.take_along_axis(sure, loaded.decisions[:, None].astype(np.int64), 1)[:, 0]
        off = decided < sure.max(1, initial=0.0) - _ROUNDED
    else:
        yes = loaded.decisions == 1
        if task.kind == BINARY:
            sure, yes = sure[:, task.positive_index], loaded.decisions == task.positive_index
        near = np.abs(sure - task.threshold) <= _ROUNDED
        off = ((yes != (sure > task.threshold)) & ~near).reshape(len(yes), -1).any(1)
    if off.any():
        raise PredictionsError(
            f"decisions of {_first(loaded.ids, off)} are not those of the probabilities"
        )


def _of_logits(task: Task, logits: np.ndarray) -> np.ndarray:
    """(N, O) -> (N, K), float64."""
    if task.kind == MULTICLASS:
        odds = np.exp(logits - logits.max(1, keepdims=True))
        found: np.ndarray = odds / odds.sum(1, keepdims=True)
        return found
    yes: np.ndarray = np.exp(-np.logaddexp(0.0, -logits))
    if task.kind == MULTILABEL:
        return yes
    return np.concatenate([1 - yes, yes] if task.positive_index == 1 else [yes, 1 - yes], axis=1)


def _first(ids: np.ndarray, which: Any) -> str:
    """The first of the samples that are meant, and how many they are."""
    found, others = repr(clipped(ids[which][0].item())), int(which.sum()) - 1
    some = "1 other" if others == 1 else f"{others:,} others"
    return f"{found} (and {some})" if others else found
