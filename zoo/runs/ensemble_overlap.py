"""Whether a member was trained on samples by which an ensemble is chosen, or on which it reports.

Fingerprints tell most of it: of two splits of one division no sample is in both. Where they do not,
the ids of the member's own splits are compared, which takes its data.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zoo.data.datasets import Split, groups_of
from zoo.data.splits import TRAIN, VAL, ids_fingerprint
from zoo.errors import DataError, PredictionsError, ZooError, ZooWarning, clipped
from zoo.plugins.catalog import catalog
from zoo.predictions.archive import TrainedOn
from zoo.predictions.same_samples import Named
from zoo.registry.record import division
from zoo.runs import opening
from zoo.runs.ensemble_members import Member


@dataclass(frozen=True)
class Overlap:
    """``why``: in a line, which samples a member saw; ``certain``: False where nobody can tell, for
    nobody knows what it was trained on."""

    member: str
    split: str
    why: str
    certain: bool

    def as_json(self) -> dict[str, object]:
        return {"member": self.member, "split": self.split, "why": self.why,
                "known": self.certain}  # fmt: skip


def check_unseen(
    members: Sequence[Member],
    said: Mapping[str, Sequence[Named]],
    root: str | None,
    *,
    allow: bool,
) -> list[Overlap]:
    """``said``: by split, what the members say, in their order. Raises :class:`PredictionsError`
    for the first member that saw some of the samples, or may have, unless ``allow``; then, and of
    one of which nobody knows what it saw, it warns, and returns what is to be recorded."""
    found = []
    for place, member in enumerate(members):
        for split, several in said.items():
            overlap = _overlap(member, several[place], report=split != VAL, root=root)
            if overlap is None:
                continue
            if overlap.certain and not allow:
                raise PredictionsError(
                    f"member {clipped(member.name)!r} {overlap.why}: figures on {split!r} would "
                    f"be too good; leave it out, or add --allow-overlap, which the record will say"
                )
            warnings.warn(
                f"member {clipped(member.name)!r} {overlap.why}: figures on {split!r} may be too "
                f"good",
                ZooWarning,
                stacklevel=2,
            )
            found.append(overlap)
    return found


def _overlap(member: Member, said: Named, *, report: bool, root: str | None) -> Overlap | None:
    asked = said.predictions
    trained = asked.trained_on
    if trained is None:
        why = "does not say what it was trained on"
        return Overlap(member.name, asked.split, why, certain=False)
    if trained.dataset != asked.dataset:
        return None
    # What a member was chosen on may choose again, but is no place to report.
    roles = {TRAIN: "was trained on", VAL: "was chosen on"} if report else {TRAIN: "was trained on"}
    for own, verb in roles.items():
        if trained.splits.get(own) == asked.fingerprint:
            why = f"{verb} the very samples of {asked.split!r}"
            return Overlap(member.name, asked.split, why, certain=True)
    if _is_another_split_of(trained, asked.split, asked.fingerprint):
        return None
    return _by_ids(member, said, roles, root)


def _is_another_split_of(trained: TrainedOn, split: str, fingerprint: str) -> bool:
    """Whether the samples are a split of the division that a member was trained by, and not the one
    it was trained on."""
    if trained.splits.get(split) == fingerprint:
        return True
    prints = {**trained.splits, split: fingerprint}
    known = {name: {"fingerprint": one} for name, one in prints.items()}
    return division(known) == trained.division


def _by_ids(
    member: Member, said: Named, roles: Mapping[str, str], root: str | None
) -> Overlap | None:
    asked = said.predictions
    try:
        own = _own_splits(member, asked.trained_on, root)
    except ZooError as error:
        why = (
            f"was trained by another division of {clipped(asked.dataset)!r}, and whether on some "
            f"of the samples of {asked.split!r} cannot be told: {error}"
        )
        return Overlap(member.name, asked.split, why, certain=True)
    ids = set(asked.ids.tolist())
    groups = set() if asked.groups is None else set(asked.groups.tolist())
    for name, verb in roles.items():
        split = own.get(name)
        if split is None:
            continue
        seen = len(ids & set(split.ids))
        if seen:
            why = f"{verb} {seen:,} of the {len(ids):,} samples of {asked.split!r}"
            return Overlap(member.name, asked.split, why, certain=True)
        shared = len(groups & set(groups_of(split, split.ids) or ()))
        if shared:
            why = f"{verb} {shared:,} of the {len(groups):,} groups of {asked.split!r}"
            return Overlap(member.name, asked.split, why, certain=True)
    return None


def _own_splits(member: Member, trained: TrainedOn | None, root: str | None) -> Mapping[str, Split]:
    """The splits by which a member was trained. Raises :class:`DataError` where they cannot be had,
    or are no longer the same."""
    source = member.subject.trained_on if member.subject is not None else None
    if source is None or trained is None:
        raise DataError("a predictions file does not list them; give the run or the model")
    opened = opening.open_dataset(
        catalog(), source.name, source.options, root or source.root, source.plan
    )
    for name, known in trained.splits.items():
        if name not in opened.splits or ids_fingerprint(opened.splits[name]) != known:
            raise DataError(f"its split {name!r} is no longer the same")
    return opened.splits
