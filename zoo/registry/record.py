"""The JSON that is a version: what it holds, and how hostile bytes become one.

Nothing in a record is executed, imported or opened: the architecture is looked up among installed
components by name, and a blob is found by its digest alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from zoo.errors import RegistryError, StorageError, ZooError
from zoo.registry import fields, formats, names
from zoo.registry.fields import Architecture, Data, Line, PluginOrigin
from zoo.registry.fields import Digest as Digest  # noqa: PLC0414
from zoo.registry.fields import File as File  # noqa: PLC0414
from zoo.registry.formats import FORMAT
from zoo.storage import limits, strict_json
from zoo.tasks import Task

WEIGHTS, PROBE, CARD = "model.safetensors", "probe.safetensors", "README.md"
FILES = 1000
IMPORTED = "imported"
# What makes a network, which every version has but one that combines others.
_NETWORK = ("preprocessing", "architecture", "plugin", "weights")
_OPTIONAL = (*_NETWORK, "ensemble", "parents", "source", "intervals", "calibration")
_ABSENT: Any = Field(default=None)


def metrics_file(split: str) -> str:
    """Where a version keeps every figure on a split, a confusion matrix of any size among them."""
    return f"metrics/{split}.json"


def confusion_file(split: str) -> str:
    """Where a version keeps the picture of that confusion matrix."""
    return f"confusion-{split}.png"


def division(splits: Mapping[str, Any]) -> str:
    """sha256 that says which ids are in which split, from the splits' own fingerprints: two models
    with the same one were trained and measured on the same samples."""
    prints = {name: split["fingerprint"] for name, split in splits.items()}
    return hashlib.sha256(strict_json.dumps(prints)).hexdigest()


def _task(value: object) -> Task:
    if isinstance(value, Task):
        return value
    if not isinstance(value, dict) or not set(value) <= {
        "kind",
        "classes",
        "positive",
        "threshold",
    }:
        raise ValueError("expected kind, classes, positive and threshold")
    try:
        return Task.from_json(value)
    except ZooError as error:
        raise ValueError(str(error)) from error


class Draft(BaseModel):
    """What a publisher says of a version: a record but for its number, date and files.

    ``preprocessing``: what ``Preprocessing.as_json`` wrote. ``recipe``: resolved, without paths,
    users or secrets; empty for weights from elsewhere (``source``). ``metrics``: by split, the
    figures that are one number; all of them are in the version's file :func:`metrics_file`.
    ``intervals``: by split and figure. ``parents``: what the weights came from.

    A version is a network, with ``preprocessing``, ``architecture``, ``plugin`` and ``weights``,
    or an ``ensemble``, which has none of them: there they are None. Their types do not say so, for
    what handles networks asks :attr:`ensemble` once, and not at each use.
    """

    model_config = ConfigDict(**fields.STRICT, frozen=True)

    model: str
    task: Annotated[Task, PlainValidator(_task), PlainSerializer(Task.as_json)]
    preprocessing: dict[str, JsonValue] = _ABSENT
    architecture: Architecture = _ABSENT
    plugin: PluginOrigin = _ABSENT
    weights: Literal["best", "last", "ema", "averaged", "imported"] = _ABSENT
    ensemble: fields.Ensemble | None = None
    recipe: dict[str, JsonValue]
    data: Data
    metrics: dict[Line, dict[str, JsonValue]]
    intervals: dict[Line, dict[str, fields.Interval]] | None = None
    calibration: fields.Calibration | None = None
    licence: Line
    environment: dict[Line, str | int | float | bool | None]
    parents: Annotated[list[fields.Origin], Field(max_length=fields.PARENTS)] | None = None
    source: fields.Source | None = None

    @classmethod
    def of(cls, **given: Any) -> Self:
        """Raises :class:`RegistryError` naming the first field that is wrong. An optional field may
        be given as None."""
        task = given.get("task")
        plain = {**given, "task": task.as_json() if isinstance(task, Task) else task}
        what = f"model {given.get('model')!r}"
        try:
            return cls._parse(strict_json.dumps(_without_absent(plain)), what)
        except StorageError as error:
            raise RegistryError(f"the record of {what}: {error}") from error

    @classmethod
    def _parse(cls, data: bytes, what: str) -> Self:
        try:
            # Parsed as JSON, not as Python values: only there are lists sequences under strictness.
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = "".join(f"{str(part)[:100]}." for part in first["loc"]).rstrip(".")
            say = first["msg"].removeprefix("Value error, ")
            raise RegistryError(
                f"the record of {what} is not one of zoo's: {where and f'{where}: '}"
                f"{say[:1].lower()}{say[1:]}"
            ) from error

    @model_validator(mode="before")
    @classmethod
    def _refuse_null(cls, given: Any) -> Any:
        """One way only to say that a field is absent, so that equal records are equal bytes."""
        for key in _OPTIONAL if isinstance(given, Mapping) else ():
            if key in given and given[key] is None:
                raise ValueError(f"{key}: null; leave it out")
        return given

    @model_validator(mode="after")
    def _check_draft(self) -> Self:
        _as_value_error(lambda: names.check_name("model name", self.model))
        _check_form(self)
        _check_intervals(self)
        if (self.source is not None) != (self.weights == IMPORTED):
            raise ValueError(f"source: given for {IMPORTED!r} weights, and for no others")
        if self.source is None and "fingerprint" not in self.data:
            raise ValueError("data.fingerprint: field required")
        if self.data.get("division") not in (None, division(self.data["splits"])):
            raise ValueError("data.division: not that of the splits")
        for one in (*self.versions, *(self.ensemble["members"] if self.ensemble else ())):
            if not names.is_name(one["model"]):
                raise ValueError(f"{one['model'][:100]!r} is no model's name")
        return self

    @property
    def versions(self) -> list[fields.Parent]:
        """The parents that are versions."""
        return [one for one in self.parents or () if fields.is_version(one)]

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without_absent(handler(self))

    def to_bytes(self) -> bytes:
        """Canonical JSON: the same record is the same bytes. Raises :class:`RegistryError` for what
        could not be read again."""
        data = strict_json.dumps(self.model_dump(mode="json"))
        if len(data) > limits.RECORD_BYTES:
            raise RegistryError(
                f"the record of model {self.model!r} has {len(data)} bytes; at most "
                f"{limits.RECORD_BYTES} are allowed"
            )
        try:
            strict_json.loads(data, f"the record of model {self.model!r}", limits.RECORD_BYTES)
        except StorageError as error:
            raise RegistryError(str(error)) from error
        return data

    @property
    def made_of(self) -> str:
        """The architecture's name, or what an ensemble is, for lists and cards."""
        if self.ensemble is None:
            return self.architecture["name"]
        return f"ensemble of {len(self.ensemble['members'])} ({self.ensemble['method']})"

    def require_network(self, what: str) -> None:
        """Raise :class:`RegistryError`, naming ``what``, for an ensemble."""
        if self.ensemble is not None:
            raise RegistryError(f"{what} is an {self.made_of}, and has no network of its own")


class Record(Draft):
    """One immutable version. ``prev``: sha256 of the record before it; ``created``: UTC."""

    format: Literal[1] = FORMAT
    version: fields.Number
    prev: Digest | None
    created: fields.Date
    files: Annotated[list[File], Field(min_length=1, max_length=FILES)]

    @classmethod
    def from_bytes(cls, data: bytes, what: str) -> Record:
        """Raises :class:`RegistryError`, naming ``what``, for anything but a valid record."""
        try:
            plain = strict_json.loads(data, f"the record of {what}", limits.RECORD_BYTES)
        except StorageError as error:
            raise RegistryError(str(error)) from error
        formats.refuse_later(plain, f"the record of {what}")
        record = cls._parse(data, what)
        if not formats.is_ours(plain):
            raise RegistryError(f"the record of {what} is not one of zoo's: {formats.NOT_OURS}")
        return record

    @model_validator(mode="after")
    def _check_record(self) -> Self:
        paths = [file["path"] for file in self.files]
        _as_value_error(lambda: names.check_files(paths))
        if len(set(paths)) != len(paths):
            raise ValueError("files: a path stands twice")
        if (self.prev is None) != (self.version == 1):
            raise ValueError("prev: the first version has none, every other has one")
        return self

    def file(self, path: str) -> File:
        """The entry of a file. Raises :class:`RegistryError` when the version has none of it."""
        for entry in self.files:
            if entry["path"] == path:
                return entry
        raise RegistryError(f"{self} has no file {path!r}")

    @property
    def weights_sha256(self) -> str:
        return self.file(WEIGHTS)["sha256"]

    def __str__(self) -> str:
        return f"model {self.model!r} version {self.version}"


def _without_absent(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None or key not in _OPTIONAL}


def _check_form(draft: Draft) -> None:
    """A network, or an ensemble: exactly one of them, and whole."""
    for key in _NETWORK:
        given = getattr(draft, key) is not None
        if draft.ensemble is None and not given:
            raise ValueError(f"{key}: field required, for there is no ensemble")
        if draft.ensemble is not None and given:
            raise ValueError(f"{key}: an ensemble has none; its members have")


def _check_intervals(draft: Draft) -> None:
    for split, intervals in (draft.intervals or {}).items():
        for figure, (low, high, level) in intervals.items():
            where = f"intervals.{split}.{figure}"[:200]
            if type(draft.metrics.get(split, {}).get(figure)) not in (int, float):
                raise ValueError(f"{where}: there is no such figure in metrics")
            if not (low <= high and 0 < level < 1):
                raise ValueError(f"{where}: expected low, high and a level between 0 and 1")


def _as_value_error(check: Callable[[], object]) -> None:
    try:
        check()
    except RegistryError as error:
        raise ValueError(str(error)) from error
