"""What a registry holds, read once, in the form pages are made from."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from zoo.errors import ZooError, ZooWarning
from zoo.registry.listing import main_metric, scalars
from zoo.registry.names import Reference
from zoo.registry.record import Record
from zoo.registry.state import State
from zoo.registry.store import Registry

VERSIONS = 200  # of a model that are read and shown: the newest, and those that have an alias
COLUMNS = 12  # figures of a version, and columns of the list
# In the order in which people look for them; others follow, sorted.
FIGURES = (
    "accuracy", "f1", "auroc", "dice", "iou",
    "balanced_accuracy", "precision", "recall", "log_loss",
)  # fmt: skip
MEMBER = "member of an ensemble"

Progress = Callable[[str, int, int], None]  # what is done, how many, and of how many


@dataclass(frozen=True)
class Made:
    """One thing was made of another: ``kind`` says how. ``digest``: sha256 of its record."""

    kind: str
    model: str
    version: int
    digest: str


@dataclass(frozen=True)
class Version:
    """``figures``: single numbers on ``split``, empty where nothing was measured. ``yanked``: the
    reason, None where it is not."""

    number: int
    digest: str
    created: str
    split: str
    figures: Mapping[str, float]
    aliases: Sequence[str]
    yanked: str | None
    sources: Sequence[Made]


@dataclass(frozen=True)
class Model:
    """``versions``: newest first. ``shown``: the newest that is not yanked, else the newest; the
    other fields are that version's. ``older``: how many versions are not read."""

    name: str
    versions: Sequence[Version]
    shown: Version
    older: int
    task: str
    dataset: str
    architecture: str
    licence: str


@dataclass
class Inventory:
    """``problems``: a line for each thing that could not be read. ``children``: what was made of a
    version, by (model, version)."""

    models: list[Model] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    children: dict[tuple[str, int], list[Made]] = field(default_factory=dict)

    def version(self, name: str, number: int) -> Version | None:
        """A version that is shown, by its model's name."""
        return self._by_place.get((name, number))

    def close(self) -> None:
        """Once all models are there: who was made of whom."""
        self._by_place = {(m.name, v.number): v for m in self.models for v in m.versions}
        for model in self.models:
            for one in model.versions:
                for source in one.sources:
                    known = self.version(source.model, source.version)
                    if known is not None and known.digest == source.digest:
                        child = Made(source.kind, model.name, one.number, one.digest)
                        self.children.setdefault((source.model, source.version), []).append(child)

    def figures(self) -> list[str]:
        """The columns of the list: figures that some model has, the well-known ones first."""
        counts = Counter(name for model in self.models for name in model.shown.figures)
        others = [name for name, _ in counts.most_common() if name not in FIGURES]
        return [name for name in (*FIGURES, *others) if name in counts][:COLUMNS]


def take(registry: Registry, progress: Progress | None = None) -> Inventory:
    """Read every model of ``registry``, by name. What cannot be read costs a line."""
    inventory = Inventory()
    names = registry.models()
    for done, name in enumerate(names, 1):
        try:
            model = _model(registry, name, inventory.problems)
        except ZooError as error:
            inventory.problems.append(str(error))
        else:
            if model is not None:
                inventory.models.append(model)
        if progress is not None:
            progress("models", done, len(names))
    inventory.close()
    return inventory


def _model(registry: Registry, name: str, problems: list[str]) -> Model | None:
    numbers, state = registry.versions(name), registry.state(name)
    aliased = set(state.aliases.values())
    chosen = sorted({*numbers[-VERSIONS:], *(n for n in numbers if n in aliased)}, reverse=True)
    found: list[Version] = []
    shown: tuple[Version, Record] | None = None
    for number in chosen:
        try:
            record = read_record(registry, name, number)
            one = _version(record, registry.digest(record), state)
        except ZooError as error:
            problems.append(str(error))
            continue
        found.append(one)
        if shown is None or (shown[0].yanked is not None and one.yanked is None):
            shown = one, record
    if shown is None:
        return None
    one, record = shown
    return Model(
        name=name,
        versions=found,
        shown=one,
        older=len(numbers) - len(chosen),
        task=record.task.kind,
        dataset=record.data["dataset"],
        architecture=record.made_of,
        licence=record.licence,
    )


def read_record(registry: Registry, name: str, number: int) -> Record:
    """The record, without a warning that it is yanked, which the pages say."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZooWarning)
        return registry.record(Reference(name, version=number))


def _version(record: Record, digest: str, state: State) -> Version:
    main = main_metric(record)
    split = main[0] if main else ""
    return Version(
        number=record.version,
        digest=digest,
        created=record.created,
        split=split,
        figures=_first(scalars(record.metrics.get(split, {}))),
        aliases=sorted(name for name, at in state.aliases.items() if at == record.version),
        yanked=state.yanked.get(str(record.version)),
        sources=sources(record),
    )


def _first(figures: Mapping[str, float]) -> dict[str, float]:
    """A few of them: a stranger's record may have thousands."""
    order = [*(name for name in FIGURES if name in figures), *sorted(set(figures) - set(FIGURES))]
    return {name: figures[name] for name in order[:COLUMNS]}


def sources(record: Record) -> list[Made]:
    """What a version was made of: parents, and the members of an ensemble."""
    found = [
        Made(one["kind"].replace("_", " "), one["model"], one["version"], one["digest"])
        for one in record.versions
    ]
    members = record.ensemble["members"] if record.ensemble else ()
    found += [Made(MEMBER, one["model"], one["version"], one["digest"]) for one in members]
    return list(dict.fromkeys(found))  # a member may stand twice
