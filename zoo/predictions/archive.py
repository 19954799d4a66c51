"""What all predictions files share: whose they are, and an archive that is not trusted.

An ``.npz`` without pickled objects, whose member ``about`` is the heading as JSON.
"""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import PredictionsError, ZooError, missing_path, reason
from zoo.tasks import Task

FORMAT = 1
_LIMIT = 4 << 30  # bytes of one array: larger is no predictions file of ours


@dataclass(frozen=True)
class Heading:
    """``fingerprint``: of the split's ids; ``content``: of its ids, labels and pixels, as the
    network was shown them; ``source``: which model spoke, as people would name it."""

    task: Task
    dataset: str
    split: str
    fingerprint: str
    content: str
    source: str

    def about(self, **more: Any) -> np.ndarray:
        """The heading, and ``more``, as it is written."""
        plain = {
            "format": FORMAT,
            "task": self.task.as_json(),
            "dataset": self.dataset,
            "split": self.split,
            "fingerprint": self.fingerprint,
            "content": self.content,
            "source": self.source,
            **more,
        }
        return np.array(json.dumps(plain, sort_keys=True))


class Archive:
    """Members are read one by one, when they are asked for."""

    def __init__(self, arrays: Any, sizes: Mapping[str, int]) -> None:
        self._arrays = arrays
        self.sizes = sizes  # bytes of each member, its header of about 128 among them
        self.about = json.loads(str(arrays["about"]))
        if self.about["format"] != FORMAT:
            raise ValueError(f"format {self.about['format']!r}, expected {FORMAT}")

    def __getitem__(self, name: str) -> np.ndarray:
        array: np.ndarray = self._arrays[name]
        return array

    def get(self, name: str) -> np.ndarray | None:
        return self[name] if name in self.sizes else None

    def heading(self) -> dict[str, Any]:
        """The fields of a :class:`Heading`."""
        texts = ("dataset", "split", "fingerprint", "content", "source")
        return {
            "task": Task.from_json(self.about["task"]),
            **{name: str(self.about[name]) for name in texts},
        }


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The file to read from. Whatever goes wrong inside is a :class:`PredictionsError` that names
    the file."""
    if not path.is_file():
        raise PredictionsError(missing_path("predictions", path))
    try:
        sizes = _member_sizes(path)
        with np.load(path, allow_pickle=False) as arrays:
            yield Archive(arrays, sizes)
    # The bytes are foreign: zipfile, numpy and json raise whatever their parsers meet.
    except Exception as error:
        what = str(error) if isinstance(error, ZooError) else reason(error)
        raise PredictionsError(f"predictions {str(path)!r} cannot be used: {what}") from error


def check_array(name: str, array: np.ndarray, shape: tuple[int, ...], kinds: str) -> None:
    """``kinds``: numpy's letters of the types that are taken."""
    if array.shape != shape or array.dtype.kind not in kinds:
        raise ValueError(f"{name} has shape {array.shape} and type {array.dtype}; expected {shape}")


def check_ids(ids: np.ndarray) -> None:
    check_array("ids", ids, (len(ids),), "U")
    if len(set(ids.tolist())) != len(ids):
        raise ValueError("some ids stand twice")


def _member_sizes(path: Path) -> dict[str, int]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > _LIMIT:
                raise ValueError(f"{member.filename} claims {member.file_size} bytes")
        return {one.filename.removesuffix(".npy"): one.file_size for one in archive.infolist()}
