"""The sections of a recipe: frozen, with strict types and every default in one place.

A component's section is flat in TOML (``name`` and its options side by side); here it is a
:class:`Choice`. Which options there are, the component's own signature says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints
from typing_extensions import TypedDict

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

Fraction = Annotated[float, Gt(0), Lt(1)]
Seed = Annotated[int, Ge(0), Lt(2**32)]
Side = Annotated[int, Ge(1), Le(16384)]
_TIME = StringConstraints(pattern=r"\A(\d{1,9}(\.\d{1,3})?[smh])?\z")
Device = Annotated[str, StringConstraints(pattern=r"\A(auto|cpu|mps|cuda(:\d{1,3})?)\z")]
Part = Annotated[str, MinLen(1)]
_HUB = "hf://"
PRETRAINED = "pretrained"  # weights that an architecture's plugin offers; ``pretrained:TAG``
_WEIGHTS_SUFFIXES = {".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".h5", ".onnx"}
Monitor = Literal[
    "train/loss", "train/accuracy", "train/balanced_accuracy", "train/precision", "train/recall",
    "train/f1", "train/iou", "train/dice", "val/loss", "val/accuracy", "val/balanced_accuracy",
    "val/precision", "val/recall", "val/f1", "val/iou", "val/dice",
]  # fmt: skip


def _some_time(duration: str) -> str:
    if duration and not float(duration[:-1]):
        raise ValueError("expected more than 0")
    return duration


Duration = Annotated[str, _TIME, AfterValidator(_some_time)]


def _one_or_three(channels: int) -> int:
    if channels not in (1, 3):
        raise ValueError("expected 1 or 3")
    return channels


class Normalization(TypedDict):
    """Of values in [0, 1], one number a channel."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    mean: Annotated[list[float], MinLen(1)]
    std: Annotated[list[Annotated[float, Gt(0)]], MinLen(1)]


def _same_length(given: Normalization) -> Normalization:
    if len(given["mean"]) != len(given["std"]) or len(given["mean"]) not in (1, 3):
        raise ValueError("expected 1 or 3 numbers each")
    return given


class Section(BaseModel):
    """A field's ``description``, where there is one, is what an error says was expected."""

    model_config = STRICT


class Choice(Section):
    """One chosen component. ``options`` holds every one of them, defaults written out."""

    name: str
    options: dict[str, Any] = {}


class DatasetChoice(Choice):
    """``root``: the folder with the files, relative to the working folder; None: not given."""

    root: str | None = None


class SplitSection(Section):
    """What is made where the dataset brings no such split; see ``zoo.data.splits.SplitPlan``."""

    val: Fraction = 0.1
    test: Fraction = 0.2
    seed: Seed = 0
    folds: Annotated[int, Ge(0), Le(1000)] = 0
    fold: Annotated[int, Ge(0), Lt(1000)] = 0
    fraction: Annotated[float, Gt(0), Le(1)] = 1.0
    file: str = ""


class DataSection(Section):
    """The network's input. ``size``: (height, width) in pixels, a side for both, or the images'
    own. ``store_size``: what images are decoded to, before augmentation; auto: ``size``. ``fit``:
    what becomes of another aspect ratio then; ``resize``: by which filter, auto: bilinear, or that
    of the weights that ``normalize`` follows; ``center_crop``: reach ``size`` by cutting, not by
    resizing. ``normalize``: by statistics of the training split, of ImageNet, as what
    ``transfer.init`` names was, none, or as given.
    ``keep``: where pixels are kept, auto by size, ``store_limit`` in GB, 0 for a third of what is
    free; ``workers``: threads that decode what is not kept."""

    size: Literal["native"] | Side | Annotated[tuple[Side, Side], Strict(False)] = Field(
        default="native",
        description="'native', a side in pixels, or [height, width], in 1 to 16384",
    )
    store_size: Literal["auto"] | Side | Annotated[tuple[Side, Side], Strict(False)] = Field(
        default="auto",
        description="'auto', a side in pixels, or [height, width], in 1 to 16384",
    )
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    resize: Literal["auto", "bilinear", "bicubic"] = "auto"
    center_crop: bool = False
    channels: Literal["native"] | Annotated[int, AfterValidator(_one_or_three)] = Field(
        default="native", description="'native' | 1 | 3"
    )
    normalize: (
        Literal["dataset", "imagenet", "pretrained", "none"]
        | Annotated[Normalization, AfterValidator(_same_length)]
    ) = Field(
        default="dataset",
        description="'dataset' | 'imagenet' | 'pretrained' | 'none' | { mean = [..], std = [..] }, "
        "one number a channel, std > 0",
    )
    on_error: Literal["stop", "skip"] = "stop"
    keep: Literal["auto", "memory", "mapped", "streamed"] = "auto"
    store_limit: Annotated[float, Ge(0)] = 0.0
    workers: Annotated[int, Ge(0), Le(256)] = 2

    @property
    def form(self) -> tuple[int, int, int]:
        """(height, width, channels) of a resolved recipe."""
        if not isinstance(self.size, tuple) or not isinstance(self.channels, int):
            raise TypeError("the recipe is not resolved: size or channels is still 'native'")
        return (*self.size, self.channels)

    @property
    def stored(self) -> tuple[int, int] | None:
        """(height, width) of stored images; None for their own, which must then be one."""
        if isinstance(self.store_size, int):
            return (self.store_size, self.store_size)
        if isinstance(self.store_size, tuple):
            return self.store_size
        if isinstance(self.size, int):
            return (self.size, self.size)
        return None if isinstance(self.size, str) else self.size

    @property
    def filter(self) -> Literal["bilinear", "bicubic"]:
        """By which images are resized, where no weights said another."""
        return "bilinear" if self.resize == "auto" else self.resize

    @property
    def normalized_channels(self) -> int | None:
        """For how many channels there are numbers; None: they are not given here."""
        return None if isinstance(self.normalize, str) else len(self.normalize["mean"])


class TransferSection(Section):
    """Where the weights start, and which of them learn how fast. ``init``: a version's reference, a
    safetensors file, a run's folder, ``"pretrained"`` or ``"pretrained:TAG"`` (what the
    architecture's plugin offers; ``architecture.pretrained`` becomes this), or nothing. A part of
    the network is named by its module, and ``"backbone"``, where no module is called so, is all
    but the head. ``freeze``: parts that stay as they are, up to epoch ``unfreeze_epoch`` (counted
    from 1), 0 for ever. Factors on the optimizer's rate, multiplied: ``head_lr``; ``rates`` by
    part, of several the longest name; ``layer_decay`` once for each layer that follows."""

    init: Annotated[str, StringConstraints(pattern=r"\A[^\x00-\x1f]*\z")] = Field(
        default="", description="a model, a .safetensors file, 'pretrained' or ''"
    )
    freeze: Annotated[tuple[Part, ...], Strict(False)] = Field(
        default=(), description="a list of parts of the network, or ['backbone']"
    )
    unfreeze_epoch: Annotated[int, Ge(0)] = 0
    head_lr: Annotated[float, Gt(0)] = 1.0
    layer_decay: Annotated[float, Gt(0), Le(1)] = 1.0
    rates: dict[Part, Annotated[float, Gt(0)]] = Field(
        default={}, description="factors above 0 by part of the network, as { conv1 = 0.1 }"
    )

    @property
    def path(self) -> Path | None:
        """Where ``init`` is a file or folder: by a slash, a leading dot or tilde, or the suffix of
        a file of weights. Another suffix makes no path: a model's name may have dots; nor is a
        repository of the Hub one."""
        text = self.init
        if text.startswith(_HUB) or self.published is not None:
            return None
        is_path = "/" in text or "\\" in text or text.startswith((".", "~")) or self.names_file
        return Path(text) if is_path else None

    @property
    def published(self) -> str | None:
        """Where ``init`` asks for the architecture's published weights, their tag, "" for those
        that its plugin takes by default; else None."""
        word, _, tag = self.init.partition(":")
        return tag if word == PRETRAINED else None

    @property
    def names_file(self) -> bool:
        """Whether ``init`` has the suffix of a file of weights, of any library."""
        return Path(self.init).suffix.lower() in _WEIGHTS_SUFFIXES


class TrainingSection(Section):
    """``batch_size``: images an update, on all processes together; ``micro_batch``: images at once
    on each, gradients being accumulated, 0 for all; auto: as many as fit. ``threads`` 0: every
    core; ``eval_batch_size`` 0: what suits the device. ``precision`` auto: bf16 on CUDA, else fp32.
    ``clip_norm``: of all gradients together, 0 for none; ``ema``: the decay of a running average of
    the weights, 0 for none. ``evaluate``: which weights are measured and published."""

    epochs: Annotated[int, Ge(1)] = 10
    batch_size: Literal["auto"] | Annotated[int, Ge(1)] = Field(
        default=64, description="'auto' or an integer >= 1"
    )
    micro_batch: Literal["auto"] | Annotated[int, Ge(0)] = Field(
        default=0, description="'auto' or an integer >= 0"
    )
    eval_batch_size: Annotated[int, Ge(0)] = 0
    seed: Seed = 0
    device: Device = Field(default="auto", description="'auto' | 'cpu' | 'cuda' | 'cuda:N' | 'mps'")
    threads: Annotated[int, Ge(0), Le(1024)] = 0
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    tf32: bool = True
    channels_last: bool = True
    compile: bool = False
    deterministic: bool = False
    clip_norm: Annotated[float, Ge(0)] = 0.0
    ema: Annotated[float, Ge(0), Lt(1)] = 0.0
    on_nonfinite: Literal["stop", "skip"] = "stop"
    max_time: Duration = Field(default="", description="a time above 0, as '45s', '90m' or '2h'")
    evaluate: Literal["best", "last", "ema"] = "best"


class CheckpointsSection(Section):
    """From which a run is resumed. One is written before the first step and after every epoch;
    ``steps``: also after every so many updates, 0 for no more; ``keep``: the newest ones stay."""

    steps: Annotated[int, Ge(0)] = 0
    keep: Annotated[int, Ge(1)] = 1


class StoppingSection(Section):
    """``monitor`` also chooses the best epoch. ``patience`` 0: never stop early; ``mode`` auto:
    min for a loss, max for everything else. ``iou`` and ``dice`` are segmentation's."""

    monitor: Monitor = Field(
        default="val/loss",
        description="'train/' or 'val/' and one of loss, accuracy, balanced_accuracy, precision, "
        "recall, f1, iou, dice",
    )
    mode: Literal["auto", "min", "max"] = "auto"
    patience: Annotated[int, Ge(0)] = 0
    min_delta: Annotated[float, Ge(0)] = 0.0


class CardSection(Section):
    """Texts for publishing. ``licence``: an SPDX or Hugging Face name."""

    licence: str = ""
    intended_use: str = ""
    not_intended_use: str = ""
    description: str = ""
    authors: Annotated[tuple[str, ...], Strict(False)] = Field(
        default=(), description="a list of names"
    )


class CopySection(Section):
    """One copy of the training split; several make an enlarged set. ``fixed``: augmented once and
    for all, else drawn afresh in every epoch. ``size``: its resolution, stored and given to the
    network, where it is another than ``data.size``."""

    fixed: bool = False
    size: Literal["same"] | Side | Annotated[tuple[Side, Side], Strict(False)] = Field(
        default="same",
        description="'same', a side in pixels, or [height, width], in 1 to 16384",
    )
    augmentations: tuple[Choice, ...] = ()

    def pair(self, same: tuple[int, int]) -> tuple[int, int]:
        """(height, width); ``same``: the recipe's own."""
        if isinstance(self.size, int):
            return (self.size, self.size)
        return same if isinstance(self.size, str) else self.size
