"""The parts of a record: which values each field takes.

Everything is strict, for a record may be a stranger's: no other types, no unknown keys, bounded
numbers and texts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, StringConstraints, with_config
from typing_extensions import TypedDict, TypeIs

from zoo.registry import names
from zoo.storage import limits

STRICT: Final = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\r\n]*$")]
Text = Annotated[str, StringConstraints(max_length=5000)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# As packaging writes them: these end up in a command that people are told to type.
Distribution = Annotated[
    str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
]
Release = Annotated[
    str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9.!+_-]*$")
]


def _is_date(text: str) -> str:
    datetime.fromisoformat(text)
    return text


# UTC, to the second.
Date = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"),
    AfterValidator(_is_date),
]
Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Number = Annotated[int, Field(ge=1, le=names.NUMBERS)]
Side = Annotated[int, Field(ge=1, le=16384)]
MEMBERS, PARENTS = 1000, 1000


@with_config(STRICT)
class Architecture(TypedDict):
    """``image_size``: (height, width) in pixels."""

    name: Line
    options: dict[str, JsonValue]
    in_channels: Annotated[int, Field(ge=1, le=1024)]
    image_size: Annotated[list[Side], Field(min_length=2, max_length=2)]


@with_config(STRICT)
class PluginOrigin(TypedDict):
    """``libraries``: the versions of what the plugin builds upon."""

    entry: Line
    distribution: Distribution
    version: Release
    libraries: NotRequired[dict[Distribution, Release]]


@with_config(STRICT)
class SplitData(TypedDict):
    """``fingerprint``: of the ids; ``content``: of ids, labels and pixels, where measured."""

    samples: Count
    fingerprint: Line
    content: NotRequired[Line]


@with_config(STRICT)
class Data(TypedDict):
    """``fingerprint``: of the training split's content, absent where it was never seen (imported
    weights); ``division``: says which ids are in which split (``zoo.registry.record.division``)."""

    dataset: Line
    fingerprint: NotRequired[Line]
    division: NotRequired[Digest]
    splits: dict[Line, SplitData]
    licence: NotRequired[Text]
    citation: NotRequired[Text]


@with_config(STRICT)
class Version(TypedDict):
    """A version of the same or another registry. ``digest``: sha256 of its record, by which it is
    found again for certain; the names are for people."""

    model: Line
    version: Number
    digest: Digest


@with_config(STRICT)
class Parent(Version):
    """What weights came from, as its record was at the time."""

    kind: Literal["initialized_from", "averaged_from"]


@with_config(STRICT)
class Published(TypedDict):
    """Weights that an architecture's plugin offers, from which training began. ``tag``: which of
    them, absent where the plugin does not say; ``sha256``: of them all as a safetensors file."""

    kind: Literal["pretrained"]
    architecture: Line
    tag: NotRequired[Line]
    sha256: Digest


Origin = Annotated[Parent | Published, Field(discriminator="kind")]


def is_version(one: Parent | Published) -> TypeIs[Parent]:
    return "model" in one


def origin_name(one: Parent | Published) -> str:
    """For people: ``model@3``, or ``torchvision/resnet18 (IMAGENET1K_V1)``."""
    if is_version(one):
        return f"{one['model']}@{one['version']}"
    return f"{one['architecture']} ({one['tag']})" if "tag" in one else one["architecture"]


@with_config(STRICT)
class Ensemble(TypedDict):
    """Members whose answers are combined by ``method``, in their order; one may stand more than
    once, and so weigh more."""

    method: Line
    options: dict[str, JsonValue]
    members: Annotated[list[Version], Field(min_length=1, max_length=MEMBERS)]


@with_config(STRICT)
class Source(TypedDict):
    """Weights that were trained elsewhere. ``sha256``: of the file they were taken from;
    ``format``: what kind of file that was."""

    kind: Literal["imported"]
    sha256: Digest
    format: Literal["safetensors", "torch"]


@with_config(STRICT)
class Calibration(TypedDict):
    """Logits are divided by ``temperature`` before they become probabilities."""

    method: Literal["temperature"]
    temperature: Annotated[float, Field(gt=0, le=1e6)]


# [low, high, level]: of the interval, and the share of cases in which such intervals hold the
# truth, as 0.95.
Interval = Annotated[list[float], Field(min_length=3, max_length=3)]


@with_config(STRICT)
class File(TypedDict):
    path: Line
    sha256: Digest
    size: Annotated[int, Field(ge=0, le=limits.FILE_BYTES)]
