"""Publish an ensemble: its members first, where they are not there yet, then a version that names
them by their records' digests."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from zoo.data.splits import VAL
from zoo.errors import RegistryError, RunError, ZooWarning, clipped
from zoo.plugins.catalog import catalog
from zoo.predictions import metrics
from zoo.predictions.combining import methods
from zoo.predictions.combining.rules import PROBABILITIES, Mean
from zoo.predictions.file import load_predictions
from zoo.registry import pulling
from zoo.registry.cards.card_text import CardText, require_terms
from zoo.registry.config import find, open_registry
from zoo.registry.copying import copy
from zoo.registry.ensemble import RULE, TTA, Combined, rule_of
from zoo.registry.fresh import FreshProcess
from zoo.registry.listing import interval_ends, single_numbers
from zoo.registry.members import InRegistry, members_of
from zoo.registry.names import NAME_LENGTH, Reference, check_name
from zoo.registry.record import Draft, Record, division
from zoo.registry.release import release
from zoo.registry.store import Registry
from zoo.runs.ensemble import PREDICTIONS, Ensembled, folds_folder
from zoo.runs.ensemble_folds import data_of, parts_of
from zoo.runs.ensemble_members import Member
from zoo.runs.environment import environment
from zoo.runs.publish import publish
from zoo.runs.sources import recipe_of
from zoo.runs.subjects import Subject
from zoo.storage import tensors

_RECIPE = ("dataset", "split")  # what of a member's recipe says on which data it speaks


def publish_ensemble(
    made: Ensembled,
    name: str,
    *,
    registry: str | None = None,
    licence: str | None = None,
    intended_use: str | None = None,
) -> Record:
    """Publish ``made`` as the next version of the model ``name``; a member that is a run as
    ``name-member-K``, one of another registry as a copy. Licence and intended use, unless given
    here, are what its members agree on. Returns the record, once it is durable; members that were
    published stay if the ensemble cannot be."""
    check_name("model name", name)
    _check_members(made, name)
    splits = _measured_on(made)
    text = _card_text(list(made.members.values()), licence, intended_use)
    require_terms(name, text)
    target = open_registry(registry)
    records = [
        _published_folds(made, number, f"{name}-member-{number}", target, registry, text)
        if member.folds
        else _published(member, f"{name}-member-{number}", target, registry, text)
        for number, member in made.members.items()
    ]
    figures = _figures(made, records[0], splits)
    chosen = {"split": VAL, "metric": made.report["metric"]}
    if made.wanted.method in methods.FITTED:
        chosen["out_of_fold"] = made.report["ensemble"][VAL]
    more = {"chosen": chosen, "best_member": made.report["best_member"]}
    draft = _draft(made, name, records, target, text.licence, figures, more)
    return _released(made, target, draft, text, figures)


def _released(
    made: Ensembled,
    target: Registry,
    draft: Draft,
    text: CardText,
    figures: Mapping[str, Mapping[str, Any]],
) -> Record:
    what, arrays = f"model {draft.model!r}", _arrays(made)
    held = tensors.from_bytes(arrays[RULE], what) if arrays else {}
    versions = InRegistry(target, pulling.made_of(target, draft))
    device = torch.device("cpu")
    members = members_of(draft, versions, device, catalog(), what)
    rule = rule_of(draft, held, members, what)
    combined = Combined(draft.task, members, rule, what, device)
    with FreshProcess() as fresh:
        done = release(target, draft, arrays, text, figures, network=combined, fresh=fresh)
    return done.record


def _check_members(made: Ensembled, name: str) -> None:
    for member in parts_of([*made.members.values()]):
        if member.subject is None:
            raise RunError(
                f"member {clipped(member.name)!r} is a predictions file, and nobody could load it; "
                f"to publish give the run or the model it is of"
            )
    most = max(len(one.folds) for one in made.members.values())
    longest = f"{name}-member-{max(made.members)}" + (f"-fold-{most - 1}" if most else "")
    if len(longest) > NAME_LENGTH:
        raise RegistryError(
            f"model name {name!r}: its members would be named as {longest!r}; expected at most "
            f"{NAME_LENGTH} letters; choose a shorter one"
        )


def _published(
    member: Member, name: str, target: Registry, registry: str | None, text: CardText
) -> Record:
    """The member's version in ``target``."""
    assert member.subject is not None
    if member.subject.run is not None:
        there = _same_weights(target, name, member.subject)
        if there is not None:
            return there
        card = recipe_of(member.subject.run).card
        return publish(
            member.subject.run,
            name,
            registry=registry,
            licence=card.licence or text.licence,
            intended_use=card.intended_use or text.intended_use,
        )
    source, reference = find(member.reference, member.registry)
    record = source.record(reference)
    digest = source.digest(record) if record.ensemble is not None else record.weights_sha256
    if digest != member.digest:
        raise RunError(f"member {member.reference!r} names another version than just before")
    return record if source.tree.url == target.tree.url else copy(source, record, target)


def _published_folds(
    made: Ensembled, number: int, name: str, target: Registry, registry: str | None, text: CardText
) -> Record:
    """The version of a member that is all folds of a recipe: the mean of these, each published as
    ``name-fold-N``."""
    member, folder = made.members[number], folds_folder(made.folder, number)
    records = [
        _published(one, f"{name}-fold-{fold}", target, registry, text)
        for fold, one in enumerate(member.folds)
    ]
    names = {one.name for one in member.folds}
    overlaps = [one for one in made.report["overlaps"] if one["member"] in names]
    mean = replace(
        made,
        folder=folder,
        wanted=replace(made.wanted, method=methods.MEAN, average=PROBABILITIES),
        members=dict(enumerate(member.folds, 1)),
        rule=Mean.of(len(records)),
        report={"overlaps": overlaps},
    )
    whole = load_predictions(folder / PREDICTIONS / f"{VAL}.npz")
    data = data_of([one.data for one in records], whole)
    figures = _figures(mean, records[0], _measured_on(made))
    draft = _draft(mean, name, records, target, text.licence, figures, {}, data)
    there = _newest(target, name)
    if there is not None and there.ensemble == draft.ensemble:
        return there
    return _released(mean, target, draft, text, figures)


def _same_weights(target: Registry, name: str, subject: Subject) -> Record | None:
    """The newest version of ``name``, where it is of these weights, calibrated as they are: an
    ensemble that is published again needs no new members."""
    record = _newest(target, name)
    if record is None or record.ensemble is not None:
        return None
    temperature = record.calibration and record.calibration["temperature"]
    own = (subject.digest, subject.temperature)
    return record if (record.weights_sha256, temperature) == own else None


def _newest(target: Registry, name: str) -> Record | None:
    """None where there is none yet, or it was yanked."""
    try:
        newest = Reference(name, version=target.newest(name))
    except RegistryError:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZooWarning)  # that it was yanked
        record = target.record(newest)
    return None if target.state(name).is_yanked(record.version) else record


def _card_text(
    members: Sequence[Member], licence: str | None, intended_use: str | None
) -> CardText:
    """What is not given is what all members say that are runs."""
    cards = [
        recipe_of(one.subject.run).card
        for one in parts_of(members)
        if one.subject is not None and one.subject.run is not None
    ]

    def common(values: Sequence[str]) -> str:
        return values[0] if len(set(values)) == 1 else ""

    return CardText(
        licence or common([one.licence for one in cards]),
        intended_use or common([one.intended_use for one in cards]),
        common([one.not_intended_use for one in cards]),
    )


def _measured_on(made: Ensembled) -> list[str]:
    """The splits whose figures are published. Of a method that learnt on val what it says of val is
    no measure, nor is what all folds together say there. Raises :class:`RunError` where none is
    left."""
    learnt = made.wanted.method in methods.FITTED
    folds = any(one.folds for one in made.members.values())
    splits = dict.fromkeys((VAL, made.wanted.split))
    found = [one for one in splits if one != VAL or not (learnt or folds)]
    if not found:
        who = f"method {made.wanted.method!r} learns" if learnt else "members of folds were trained"
        raise RunError(
            f"{who} on {VAL!r}, so a version needs figures on another split; add --split test"
        )
    return found


def _figures(made: Ensembled, first: Record, splits: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By split, from the predictions files. Raises :class:`RunError` when they are of other data
    than the first member's."""
    found = {}
    for split in splits:
        said = load_predictions(made.folder / PREDICTIONS / f"{split}.npz")
        known = first.data["splits"].get(split)
        mine = (first.data["dataset"], known["fingerprint"] if known else None)
        if (said.dataset, said.fingerprint) != mine:
            raise RunError(
                f"the figures on {split!r} are of other data than those of member {first.model!r}; "
                f"an ensemble is published with figures on its members' own"
            )
        found[split] = metrics.evaluate(said, made.wanted.plan)
    return found


def _draft(
    made: Ensembled,
    name: str,
    records: Sequence[Record],
    target: Registry,
    licence: str,
    figures: Mapping[str, Mapping[str, Any]],
    more: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
) -> Draft:
    """``more``: options; ``data``: those of the members, unless given."""
    first = records[0]
    options, _ = methods.written(made.wanted.method, made.rule)
    if made.wanted.tta is not None:
        options[TTA] = made.wanted.tta
    if made.report["overlaps"]:
        options["overlaps"] = made.report["overlaps"]
    return Draft.of(
        model=name,
        task=made.task,
        ensemble={
            "method": made.wanted.method,
            "options": {**options, **more},
            "members": [
                {"model": one.model, "version": one.version, "digest": target.digest(one)}
                for one in records
            ],
        },
        recipe={key: first.recipe[key] for key in _RECIPE if key in first.recipe},
        data=_shared_data(records) if data is None else data,
        metrics={split: single_numbers(one) for split, one in figures.items()},
        intervals=interval_ends(figures),
        licence=licence,
        environment=environment(torch.device("cpu")),
    )


def _shared_data(records: Sequence[Record]) -> Mapping[str, Any]:
    """What the first member says of its data, without the splits that are others in another one: of
    those nobody could say what the ensemble saw."""
    first, *others = (one.data for one in records)
    prints = [{name: kept["fingerprint"] for name, kept in one["splits"].items()} for one in others]
    splits = {
        name: kept
        for name, kept in first["splits"].items()
        if all(one.get(name) == kept["fingerprint"] for one in prints)
    }
    if len(splits) == len(first["splits"]):
        return first
    return {**first, "splits": splits, "division": division(splits)}


def _arrays(made: Ensembled) -> dict[str, bytes]:
    path = made.folder / RULE
    return {RULE: path.read_bytes()} if path.is_file() else {}
