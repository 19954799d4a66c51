"""Members that are a cross-validation: the runs, or versions, of all folds of one recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.data.splits import TRAIN, VAL
from zoo.errors import PredictionsError, RunError, clipped
from zoo.predictions.combining.alike import Said
from zoo.predictions.combining.fold_answers import as_one
from zoo.predictions.same_samples import Named
from zoo.registry.config import find
from zoo.registry.record import division
from zoo.runs.ensemble_members import Member
from zoo.runs.predict import trained_on
from zoo.runs.same_recipe import known_by, setting, written_recipe

BySplit = Mapping[str, Sequence[Named]]


def by_recipe(members: Sequence[Member]) -> list[Member]:
    """Of those whose recipes differ in ``split.fold`` alone one member, which stands where the
    first of them stood. Raises :class:`RunError` where some folds of it are missing, or given
    twice. A single fold is a member like any other."""
    places: dict[str, dict[int, int]] = {}
    for place, one in enumerate(members):
        known = _fold_of(one)
        if known is None:
            continue
        recipe, fold = known
        there = places.setdefault(recipe, {})
        if fold in there:
            raise RunError(
                f"{clipped(members[there[fold]].name)!r} and {clipped(one.name)!r} are of the same "
                f"recipe and fold {fold}; give one of them"
            )
        there[fold] = place
    found = dict(enumerate(members))
    for there in places.values():
        if len(there) == 1:
            continue
        folds = tuple(members[there[fold]] for fold in sorted(there))
        _check_complete(folds, there)
        first, *others = sorted(there.values())
        found[first] = _together(members[first].name, folds)
        for place in others:
            del found[place]
    return list(found.values())


def parts_of(members: Sequence[Member]) -> list[Member]:
    """All that have weights, in order."""
    return [part for one in members for part in one.folds or (one,)]


def as_members(members: Sequence[Member], heard: BySplit) -> dict[str, list[Named]]:
    """``heard``: by split, val first, what each of :func:`parts_of` says; each member's together.
    Raises :class:`PredictionsError` where folds do not fit together."""
    said: dict[str, list[Named]] = {}
    for split, several in heard.items():
        rest, found = iter(several), []
        for place, one in enumerate(members):
            if not one.folds:
                found.append(next(rest))
                continue
            parts = [next(rest) for _ in one.folds]
            known = [part.subject.data for part in one.folds if part.subject is not None]
            seen = None
            if split != VAL:
                seen = trained_on(data_of(known, said[VAL][place].predictions))
            found.append(as_one(one.name, parts, seen))
        said[split] = found
    return said


def data_of(folds: Sequence[Mapping[str, Any]], whole: Said) -> dict[str, Any]:
    """What a record says of the data of all folds together, from what each says of its own. There
    is no split to validate: of ``whole``, what they say out of fold, some were trained on each."""
    own = {name: one for name, one in folds[0]["splits"].items() if name not in (TRAIN, VAL)}
    splits = {**own, TRAIN: {"fingerprint": whole.fingerprint, "samples": len(whole)}}
    content = "\n".join(str(one.get("fingerprint")) for one in folds)
    return {
        **folds[0],
        "splits": splits,
        "division": division(splits),
        "fingerprint": hashlib.sha256(content.encode()).hexdigest(),
    }


def _fold_of(member: Member) -> tuple[str, int] | None:
    """(What its recipe is known by, fold); None where it was not trained in folds."""
    subject = member.subject
    source = None if subject is None else subject.trained_on
    if subject is None or source is None or not source.plan.folds:
        return None
    if subject.run is not None:
        recipe: Mapping[str, Any] = written_recipe(subject.run)
    else:
        registry, reference = find(member.reference, member.registry)
        recipe = registry.record(reference).recipe
    if setting(recipe, "architecture", "name") is None:  # of an ensemble, which says less
        return None
    return known_by(recipe, {"split": ("fold",)}), source.plan.fold


def _check_complete(folds: Sequence[Member], there: Mapping[int, int]) -> None:
    subject = folds[0].subject
    assert subject is not None and subject.trained_on is not None
    number = subject.trained_on.plan.folds
    missing = [str(fold) for fold in range(number) if fold not in there]
    if missing:
        raise RunError(
            f"{clipped(folds[0].name)!r} is one of {number} folds, of which {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not given; give all of them, or one alone"
        )


def _together(name: str, folds: tuple[Member, ...]) -> Member:
    whole = f"{name} ({len(folds)} folds)"
    digest = hashlib.sha256("\n".join(one.digest for one in folds).encode()).hexdigest()
    return Member(whole, whole, None, digest=digest, folds=folds)


def check_no_views(members: Sequence[Member], tta: str | None) -> None:
    """Raise :class:`PredictionsError` where several networks would be one that is asked about
    views."""
    for one in members:
        if one.folds and tta is not None:
            raise PredictionsError(
                f"tta {tta!r}: member {clipped(one.name)!r} is several networks; leave --tta out, "
                f"or give the run of one fold"
            )
