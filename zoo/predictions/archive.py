"""What all predictions files share: whose they are, and an archive that is not trusted.

An ``.npz`` without pickled objects, whose member ``about`` is the heading as JSON.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import PredictionsError, ZooError, clipped, missing_path, reason
from zoo.tasks import Task

FORMAT = 1
MOST_TEMPERATURE = 1e6
# Bytes of one array, of the heading and of names, and how many names: a few bytes may claim more.
_LIMIT, _HEADING_LIMIT, _NAMES_LIMIT = 4 << 30, 64 << 20, 1 << 30
_MOST_NAMES = 10_000_000
HEADER = 1024  # bytes that a member may have beside its numbers: numpy's header takes 128


@dataclass(frozen=True)
class TrainedOn:
    """What the one who spoke was trained and chosen on: so that nobody measures it there by
    mistake. ``division``: says which ids are in which split; ``splits``: the fingerprints of the
    ids of ``train`` and ``val``, by name."""

    dataset: str
    division: str
    splits: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        return {"dataset": self.dataset, "division": self.division, "splits": dict(self.splits)}

    @classmethod
    def from_json(cls, data: Any) -> TrainedOn:
        """What :meth:`as_json` wrote. Raises :class:`PredictionsError` on anything else."""
        keys = {"dataset", "division", "splits"}
        if not isinstance(data, dict) or set(data) != keys or not isinstance(data["splits"], dict):
            raise PredictionsError("trained_on: expected dataset, division and splits")
        texts = [data["dataset"], data["division"], *data["splits"].values()]
        if not all(isinstance(one, str) for one in texts):
            raise PredictionsError("trained_on: expected texts")
        return cls(texts[0], texts[1], data["splits"])


@dataclass(frozen=True)
class Heading:
    """``fingerprint``: of the split's ids; ``content``: of its ids, labels and pixels, as the
    network was shown them; ``source``: which model spoke, as people would name it;
    ``source_digest``: sha256 of its weights (of an ensemble, of its record), empty where nobody
    knows; ``temperature``: by which the network's logits were divided, None where they were not;
    ``trained_on``: None where nobody knows."""

    task: Task
    dataset: str
    split: str
    fingerprint: str
    content: str
    source: str
    source_digest: str = field(default="", kw_only=True)
    temperature: float | None = field(default=None, kw_only=True)
    trained_on: TrainedOn | None = field(default=None, kw_only=True)

    def heading(self) -> dict[str, Any]:
        """Its fields by name, for others with the same heading."""
        return {one: getattr(self, one) for one in Heading.__dataclass_fields__}

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
            "source_digest": self.source_digest,
            "trained_on": None if self.trained_on is None else self.trained_on.as_json(),
            **({} if self.temperature is None else {"temperature": self.temperature}),
            **more,
        }
        return np.array(json.dumps(plain, sort_keys=True))


class Archive:
    """Members are read one by one, when they are asked for."""

    def __init__(self, arrays: Any, sizes: Mapping[str, int]) -> None:
        self._arrays = arrays
        self.sizes = sizes  # bytes of each member, its header of about 128 among them
        self.about = _parsed(self._within("about", _HEADING_LIMIT))
        if self.about.get("format") != FORMAT:
            found = clipped(repr(self.about.get("format")))
            raise PredictionsError(f"format {found}, expected {FORMAT}")

    def __getitem__(self, name: str) -> np.ndarray:
        self._require(name)
        array = self._arrays[name]
        if not isinstance(array, np.ndarray):
            raise PredictionsError(f"{name!r} is no array")
        return array

    def get(self, name: str) -> np.ndarray | None:
        return self[name] if name in self.sizes else None

    def names(self, name: str) -> np.ndarray:
        """The member as text (N,). Raises :class:`PredictionsError` for more than could be."""
        array = self._within(name, _NAMES_LIMIT)
        if array.ndim != 1 or len(array) > _MOST_NAMES:
            raise PredictionsError(
                f"{name} has shape {array.shape}; expected at most {_MOST_NAMES:,} names"
            )
        check_array(name, array, array.shape, "U")
        return array

    def numbers(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The member, unless it claims more bytes than numbers of that shape can have: those are
        not read."""
        return self._within(name, 8 * math.prod(shape) + HEADER)

    def _within(self, name: str, most: int) -> np.ndarray:
        self._require(name)
        if self.sizes[name] > most:
            raise PredictionsError(
                f"{name} has {self.sizes[name]:,} bytes, expected at most {most:,}"
            )
        return self[name]

    def _require(self, name: str) -> None:
        if name not in self.sizes:
            raise PredictionsError(f"it holds no {name!r}")

    def heading(self) -> dict[str, Any]:
        """The fields of a :class:`Heading`."""
        texts = ("dataset", "split", "fingerprint", "content", "source")
        missing = [name for name in ("task", *texts) if name not in self.about]
        if missing:
            raise PredictionsError(f"its heading does not say {', '.join(missing)}")
        # Files from before these were kept have neither.
        trained_on = self.about.get("trained_on")
        return {
            "task": Task.from_json(self.about["task"]),
            **{name: str(self.about[name]) for name in texts},
            "source_digest": _digest(self.about.get("source_digest", "")),
            "temperature": _temperature(self.about.get("temperature")),
            "trained_on": None if trained_on is None else TrainedOn.from_json(trained_on),
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
        raise PredictionsError(
            f"{name} has shape {array.shape} and type {array.dtype}; expected {shape}"
        )


def check_ids(ids: np.ndarray, groups: np.ndarray | None = None) -> None:
    """``groups``: a name a sample, None where there are none."""
    check_array("ids", ids, ids.shape[:1], "U")
    times = Counter(ids.tolist())
    if "" in times:
        raise PredictionsError(f"ids: {times['']:,} of {len(ids):,} are missing")
    if len(times) < len(ids):
        name, often = times.most_common(1)[0]
        raise PredictionsError(f"ids: {clipped(name)!r} stands {often} times, each may once")
    if groups is not None:
        check_array("groups", groups, (len(ids),), "U")


def texts(given: Sequence[str] | np.ndarray | None) -> np.ndarray | None:
    """Ids or groups as an array."""
    return None if given is None else np.asarray(given, dtype=np.str_)


def _digest(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch("([0-9a-f]{64})?", value):
        raise PredictionsError(f"source_digest {str(value)[:80]!r}: expected a sha256")
    return value


def _temperature(value: Any) -> float | None:
    if value is not None and not (type(value) is float and 0 < value <= MOST_TEMPERATURE):
        raise PredictionsError(f"temperature {str(value)[:80]!r}: expected a number above 0")
    return value


def _member_sizes(path: Path) -> dict[str, int]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > _LIMIT:
                raise PredictionsError(f"{member.filename} claims {member.file_size} bytes")
        names = [one.filename.removesuffix(".npy") for one in archive.infolist()]
        name, often = Counter(names).most_common(1)[0] if names else ("", 1)
        if often > 1:
            raise PredictionsError(f"it holds {clipped(name)!r} {often} times")
        return dict(zip(names, (one.file_size for one in archive.infolist()), strict=True))


def _parsed(about: np.ndarray) -> dict[str, Any]:
    try:
        found = json.loads(str(about))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise PredictionsError("its heading 'about' is no table of JSON")
    return found
