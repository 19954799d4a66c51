"""What a recipe is: its sections, and how each is written in TOML."""

from __future__ import annotations

from collections.abc import Mapping

from zoo.recipes.sections import (
    PRETRAINED,
    CardSection,
    CheckpointsSection,
    Choice,
    CopySection,
    DataSection,
    DatasetChoice,
    Section,
    SplitSection,
    StoppingSection,
    TrainingSection,
    TransferSection,
)

__all__ = [
    "AUTO",
    "COMPONENTS",
    "COPIES",
    "DEFAULT_NAMES",
    "LISTS",
    "PLAIN",
    "PRETRAINED",
    "RESERVED",
    "CardSection",
    "CheckpointsSection",
    "Choice",
    "CopySection",
    "DataSection",
    "DatasetChoice",
    "Recipe",
    "Section",
    "SplitSection",
    "StoppingSection",
    "TrainingSection",
    "TransferSection",
    "reserved",
]


class Recipe(Section):
    """Everything that trains one model. Sections stand in the order they are written."""

    dataset: DatasetChoice
    split: SplitSection = SplitSection()
    data: DataSection = DataSection()
    architecture: Choice
    transfer: TransferSection = TransferSection()
    loss: Choice
    sampler: Choice
    augmentations: tuple[Choice, ...] = ()
    copies: tuple[CopySection, ...] = ()
    optimizer: Choice
    scheduler: Choice
    training: TrainingSection = TrainingSection()
    stopping: StoppingSection = StoppingSection()
    checkpoints: CheckpointsSection = CheckpointsSection()
    trackers: tuple[Choice, ...] = ()
    card: CardSection = CardSection()


AUTO = "auto"
PLAIN: Mapping[str, type[Section]] = {
    "split": SplitSection,
    "data": DataSection,
    "transfer": TransferSection,
    "training": TrainingSection,
    "stopping": StoppingSection,
    "checkpoints": CheckpointsSection,
    "card": CardSection,
}
# Sections that name one component, or a list of them: the kind is that of the catalog.
COMPONENTS = {
    kind: kind for kind in ("dataset", "architecture", "loss", "sampler", "optimizer", "scheduler")
}
LISTS = {"augmentations": "augmentation", "trackers": "tracker"}
COPIES = "copies"
DEFAULT_NAMES = {"loss": AUTO, "sampler": "shuffle", "optimizer": "adam", "scheduler": "none"}
# Keys of a component's section that are zoo's own, so no option can bear the name.
RESERVED = {"dataset": ("name", "root"), "architecture": ("name", PRETRAINED)}


def reserved(kind: str) -> tuple[str, ...]:
    return RESERVED.get(kind, ("name",))
