"""The JSON that is a version: what it holds, and how hostile bytes become one.

Nothing in a record is executed, imported or opened: the architecture is looked up among installed
components by name, and a blob is found by its digest alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NotRequired, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    ValidationError,
    model_validator,
    with_config,
)
from typing_extensions import TypedDict

from zoo.errors import RegistryError, StorageError, ZooError
from zoo.registry import names
from zoo.storage import limits, strict_json
from zoo.tasks import Task

FORMAT: Final = 1
WEIGHTS, PROBE, CARD = "model.safetensors", "probe.safetensors", "README.md"
FILES = 1000


def metrics_file(split: str) -> str:
    """Where a version keeps every figure on a split, a confusion matrix of any size among them."""
    return f"metrics/{split}.json"


_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\r\n]*$")]
Text = Annotated[str, StringConstraints(max_length=5000)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# As packaging writes them: these end up in a command that people are told to type.
Distribution = Annotated[
    str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
]
Version = Annotated[
    str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9.!+_-]*$")
]
Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Side = Annotated[int, Field(ge=1, le=16384)]


@with_config(_STRICT)
class Architecture(TypedDict):
    """``image_size``: (height, width) in pixels."""

    name: Line
    options: dict[str, JsonValue]
    in_channels: Annotated[int, Field(ge=1, le=1024)]
    image_size: Annotated[list[Side], Field(min_length=2, max_length=2)]


@with_config(_STRICT)
class PluginOrigin(TypedDict):
    """``libraries``: the versions of what the plugin builds upon."""

    entry: Line
    distribution: Distribution
    version: Version
    libraries: NotRequired[dict[Distribution, Version]]


@with_config(_STRICT)
class SplitData(TypedDict):
    """``fingerprint``: of the ids; ``content``: of ids, labels and pixels, where measured."""

    samples: Count
    fingerprint: Line
    content: NotRequired[Line]


@with_config(_STRICT)
class Data(TypedDict):
    dataset: Line
    fingerprint: Line
    splits: dict[Line, SplitData]
    licence: NotRequired[Text]
    citation: NotRequired[Text]


@with_config(_STRICT)
class File(TypedDict):
    path: Line
    sha256: Digest
    size: Annotated[int, Field(ge=0, le=limits.FILE_BYTES)]


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
    users or secrets. ``metrics``: by split, the figures that are one number; all of them are in
    the version's file :func:`metrics_file`.
    """

    model_config = ConfigDict(**_STRICT, frozen=True)

    model: str
    task: Annotated[Task, PlainValidator(_task), PlainSerializer(Task.as_json)]
    preprocessing: dict[str, JsonValue]
    architecture: Architecture
    plugin: PluginOrigin
    recipe: dict[str, JsonValue]
    data: Data
    metrics: dict[Line, dict[str, JsonValue]]
    licence: Line
    environment: dict[Line, str | int | float | bool | None]
    weights: Literal["best", "last", "ema"]

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """Raises :class:`RegistryError` naming the first field that is wrong."""
        task = fields.get("task")
        plain = {**fields, "task": task.as_json() if isinstance(task, Task) else task}
        what = f"model {fields.get('model')!r}"
        try:
            return cls._parse(strict_json.dumps(plain), what)
        except StorageError as error:
            raise RegistryError(f"the record of {what}: {error}") from error

    @classmethod
    def _parse(cls, data: bytes, what: str) -> Self:
        try:
            # Parsed as JSON, not as Python values: only there are lists sequences under strictness.
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "it"
            say = first["msg"].removeprefix("Value error, ")
            raise RegistryError(
                f"the record of {what} is not one of zoo's: {where}: {say[:1].lower()}{say[1:]}"
            ) from error

    @model_validator(mode="after")
    def _check_name(self) -> Self:
        _as_value_error(lambda: names.check_name("model name", self.model))
        return self

    def to_bytes(self) -> bytes:
        """Canonical JSON: the same record is the same bytes."""
        data = strict_json.dumps(self.model_dump(mode="json"))
        if len(data) > limits.RECORD_BYTES:
            raise RegistryError(
                f"the record of model {self.model!r} has {len(data)} bytes; at most "
                f"{limits.RECORD_BYTES} are allowed"
            )
        return data


class Record(Draft):
    """One immutable version. ``prev``: sha256 of the record before it; ``created``: UTC."""

    format: Literal[1] = FORMAT
    version: Annotated[int, Field(ge=1, lt=10**9)]
    prev: Digest | None
    created: Annotated[
        str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", max_length=20)
    ]
    files: Annotated[list[File], Field(min_length=1, max_length=FILES)]

    @classmethod
    def from_bytes(cls, data: bytes, what: str) -> Record:
        """Raises :class:`RegistryError`, naming ``what``, for anything but a valid record."""
        try:
            plain = strict_json.loads(data, f"the record of {what}", limits.RECORD_BYTES)
        except StorageError as error:
            raise RegistryError(str(error)) from error
        written = plain.get("format") if isinstance(plain, dict) else None
        if type(written) is int and written > FORMAT:
            raise RegistryError(
                f"the record of {what} has format {written}, this zoo reads {FORMAT}; "
                f"type: pip install --upgrade zoo"
            )
        return cls._parse(data, what)

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


def private_text(value: object, key: str = "") -> str | None:
    """``key: text`` of the first text in ``value`` that looks like a path of this machine."""
    if isinstance(value, str):
        absolute = value.startswith(("/", "~", "\\\\")) or value[1:3] in (":\\", ":/")
        return f"{key}: {value!r}" if absolute else None
    pairs: list[tuple[str, object]] = []
    if isinstance(value, Mapping):
        pairs = [(f"{key}.{name}" if key else str(name), inner) for name, inner in value.items()]
    elif isinstance(value, list | tuple):
        pairs = [(f"{key}.{i}", inner) for i, inner in enumerate(value)]
    return next((found for name, inner in pairs if (found := private_text(inner, name))), None)


def _as_value_error(check: Any) -> None:
    try:
        check()
    except RegistryError as error:
        raise ValueError(str(error)) from error
