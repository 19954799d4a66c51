"""The predictions file: what a network said about a split, enough to compute every number later.

An ``.npz`` without pickled objects. Shapes: N samples, O outputs, K classes.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import PredictionsError, ZooError, missing_path, reason
from zoo.storage import commit
from zoo.tasks import MULTILABEL, Task

FORMAT = 1
_LIMIT = 4 << 30  # bytes of one array: larger is no predictions file of ours


@dataclass(frozen=True)
class Predictions:
    """``logits`` and ``probabilities``: float32 (N, O) and (N, K), columns in class order;
    ``targets``: int64 (N,), or uint8 (N, K) multilabel, or None where the split has no labels;
    ``fingerprint``: of the split's ids; ``content``: of its ids, labels and pixels, as the network
    was shown them; ``source``: which model spoke, as people would name it.
    """

    task: Task
    dataset: str
    split: str
    fingerprint: str
    content: str
    source: str
    ids: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    targets: np.ndarray | None
    decisions: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def save(self, path: Path) -> None:
        """Write it, atomically and durably. Equal predictions are equal bytes."""
        about = {
            "format": FORMAT,
            "task": self.task.as_json(),
            "dataset": self.dataset,
            "split": self.split,
            "fingerprint": self.fingerprint,
            "content": self.content,
            "source": self.source,
        }
        arrays = {
            "about": np.array(json.dumps(about, sort_keys=True)),
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

    @classmethod
    def load(cls, path: Path) -> Predictions:
        """Read and check a file. Raises :class:`PredictionsError` naming what is wrong."""
        if not path.is_file():
            raise PredictionsError(missing_path("predictions", path))
        try:
            arrays = _arrays(path)
            about = json.loads(str(arrays["about"]))
            if about["format"] != FORMAT:
                raise ValueError(f"format {about['format']!r}, expected {FORMAT}")
            loaded = cls(
                task=Task.from_json(about["task"]),
                dataset=str(about["dataset"]),
                split=str(about["split"]),
                fingerprint=str(about["fingerprint"]),
                content=str(about["content"]),
                source=str(about["source"]),
                ids=arrays["ids"],
                logits=arrays["logits"],
                probabilities=arrays["probabilities"],
                targets=arrays.get("targets"),
                decisions=arrays["decisions"],
            )
            _check(loaded)
        # The bytes are foreign: zipfile, numpy and json raise whatever their parsers meet.
        except Exception as error:
            what = str(error) if isinstance(error, ZooError) else reason(error)
            raise PredictionsError(f"predictions {str(path)!r} cannot be used: {what}") from error
        return loaded


def _arrays(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > _LIMIT:
                raise ValueError(f"{member.filename} claims {member.file_size} bytes")
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _check(loaded: Predictions) -> None:
    length, task = len(loaded.ids), loaded.task
    several = (length, len(task.classes))
    one = several if task.kind == MULTILABEL else (length,)
    for name, array, shape, kinds in (
        ("ids", loaded.ids, (length,), "U"),
        ("logits", loaded.logits, (length, task.outputs), "f"),
        ("probabilities", loaded.probabilities, several, "f"),
        ("decisions", loaded.decisions, one, "iu"),
        ("targets", loaded.targets, one, "iu"),
    ):
        if array is None:
            continue
        if array.shape != shape or array.dtype.kind not in kinds:
            raise ValueError(
                f"{name} has shape {array.shape} and type {array.dtype}; expected {shape}"
            )
        if kinds == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that are not finite")
        if kinds == "iu" and array.size:
            highest = 1 if task.kind == MULTILABEL else len(task.classes) - 1
            if array.min() < 0 or array.max() > highest:
                raise ValueError(f"{name} lie outside the classes")
    if len(set(loaded.ids.tolist())) != length:
        raise ValueError("some ids stand twice")
