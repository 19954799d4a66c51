"""The members of an ensemble: runs, published versions or predictions files; and what they say."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from zoo.data.splits import TRAIN
from zoo.errors import PredictionsError, RunError, ZooWarning, clipped
from zoo.predictions.file import load_predictions
from zoo.predictions.measuring import is_file
from zoo.predictions.same_samples import Named
from zoo.runs.evaluate import evaluate
from zoo.runs.kept import kept_predictions
from zoo.runs.subjects import Subject, open_subject


@dataclass(frozen=True)
class Asking:
    """What members are asked about, and where: see :func:`zoo.runs.evaluate.evaluate`. ``tta``: the
    views of each image, None for the image as it is; ``folder``: where what they say of views is
    kept."""

    folder: Path
    dataset: str | None = None
    root: str | None = None
    registry: str | None = None
    device: str | None = None
    tta: str | None = None


@dataclass(frozen=True)
class Member:
    """``name``: no two members of an ensemble have the same; ``subject``: None where only
    ``files``, by split, tell what it says; ``digest``: of its weights, empty where nobody knows;
    ``registry``: where ``reference`` is, None for the default one; ``folds``: the members that are
    one together (``ensemble_folds``), and are asked in its place."""

    name: str
    reference: str
    subject: Subject | None
    files: Mapping[str, Path] = field(default_factory=dict)
    digest: str = ""
    registry: str | None = None
    folds: tuple[Member, ...] = ()

    def says(self, split: str, asking: Asking) -> Named:
        """What it says of the images as they are: from the file that ``zoo eval`` left where that
        is of these weights and data, else asked now."""
        if self.subject is None:
            return Named(self.name, load_predictions(self._file(split)))
        kept = None if asking.dataset else kept_predictions(self.subject, split)
        if kept is None:
            done = evaluate(
                self.reference,
                dataset=asking.dataset,
                split=split,
                root=asking.root,
                registry=asking.registry,
                device=asking.device,
            )
            kept = load_predictions(done.path)
        return Named(self.name, kept)

    def says_of_views(self, split: str, asking: Asking) -> Named:
        """As :meth:`says`, the mean over the views of each image that ``asking`` names."""
        if self.subject is None:
            raise PredictionsError(
                f"member {clipped(self.name)!r}: --tta asks the network again, and a predictions "
                f"file has none; give the run or the model"
            )
        done = evaluate(
            self.reference,
            dataset=asking.dataset,
            split=split,
            root=asking.root,
            registry=asking.registry,
            device=asking.device,
            output=asking.folder / "views" / f"{self.name.replace('@', '-')}-{split}.npz",
            tta=asking.tta,
        )
        return Named(self.name, load_predictions(done.path))

    def _file(self, split: str) -> Path:
        if split not in self.files:
            there = ", ".join(map(repr, self.files))
            raise PredictionsError(
                f"member {clipped(self.name)!r} has no predictions on {split!r}, only on {there}; "
                f"give the file of {split!r} too, as zoo eval --split {split} writes it"
            )
        return self.files[split]


def gather(references: Sequence[str], registry: str | None = None) -> list[Member]:
    """The members that ``references`` name, in order. Predictions files of one source, of several
    splits, are one member. Two with the same weights are warned of."""
    found: list[Member] = []
    for reference in references:
        if not is_file(reference):
            subject = open_subject(reference, registry)
            found.append(
                Member(subject.name, reference, subject, digest=subject.digest, registry=registry)
            )
            continue
        said = load_predictions(Path(reference))
        _add_file(found, Path(reference), said.split, said.source, said.source_digest)
    named = _with_names_of_their_own(found)
    if not named:
        raise RunError("an ensemble needs members: runs, models or predictions files")
    _warn_of_copies(named)
    return named


def _add_file(found: list[Member], path: Path, split: str, source: str, digest: str) -> None:
    if split == TRAIN:
        raise PredictionsError(
            f"predictions {str(path)!r} are of {TRAIN!r}: nothing is chosen or reported there"
        )
    for place, one in enumerate(found):
        same = one.subject is None and (one.name, one.digest) == (source, digest)
        if same and split not in one.files:
            found[place] = replace(one, files={**one.files, split: path})
            return
    found.append(Member(source, str(path), None, {split: path}, digest))


def _with_names_of_their_own(found: Sequence[Member]) -> list[Member]:
    """Runs in different folders may have one name."""
    taken: dict[str, int] = {}
    named = []
    for one in found:
        taken[one.name] = taken.get(one.name, 0) + 1
        often = taken[one.name]
        named.append(one if often == 1 else replace(one, name=f"{one.name}-{often}"))
    return named


def _warn_of_copies(members: Sequence[Member]) -> None:
    known: dict[str, str] = {}
    for one in members:
        if one.digest and one.digest in known:
            warnings.warn(
                f"members {known[one.digest]!r} and {one.name!r} have the same weights: the second "
                f"adds nothing that the first does not say",
                ZooWarning,
                stacklevel=3,
            )
        known.setdefault(one.digest, one.name)
