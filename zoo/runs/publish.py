"""Publish a run: everything a stranger needs to use its weights, checked before it is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import RunError
from zoo.plugins.catalog import catalog
from zoo.predictions import metrics
from zoo.predictions.file import Predictions
from zoo.recipes.schema import CardSection
from zoo.recipes.writing import public_data
from zoo.registry.card import CardText, render_card
from zoo.registry.config import open_registry
from zoo.registry.gate import check_version, make_probe
from zoo.registry.record import CARD, PROBE, WEIGHTS, Draft, Record
from zoo.runs import folder
from zoo.runs.folder import RunFolder, find_run
from zoo.runs.subjects import Subject, architecture_record, of_run, recipe_of, weights_of
from zoo.storage import commit, tensors


def publish(
    run: str | Path | RunFolder,
    name: str,
    *,
    registry: str | None = None,
    licence: str | None = None,
    intended_use: str | None = None,
) -> Record:
    """Publish the kept weights of ``run`` as the next version of the model ``name``.

    Licence and intended use come from the recipe's ``[card]`` unless given here; without them, or
    without measured figures, nothing is published. Returns the record, once it is durable; the card
    is left in the run's folder too.
    """
    opened = run if isinstance(run, RunFolder) else find_run(str(run))
    subject = of_run(opened)
    text = _card_text(recipe_of(opened).card, licence, intended_use)
    draft = _draft(opened, subject, name, text.licence)
    probe = make_probe(subject.network, subject.preprocessing)
    cards: list[str] = []

    def card(version: int) -> bytes:
        cards.append(render_card(draft, version, text))
        return cards[-1].encode()

    record = open_registry(registry).publish(
        draft,
        {WEIGHTS: weights_of(opened), PROBE: tensors.to_bytes(probe), CARD: card},
        gate=lambda draft, files: check_version(draft, files, catalog()),
    )
    commit.write(opened.path / folder.CARD, cards[-1].encode())
    return record


def _card_text(card: CardSection, licence: str | None, intended_use: str | None) -> CardText:
    licence, intended_use = licence or card.licence, intended_use or card.intended_use
    missing = [
        f"{flag} (or {key})"
        for value, flag, key in (
            (licence, "--licence", "card.licence"),
            (intended_use, "--intended-use", "card.intended_use"),
        )
        if not value.strip()
    ]
    if missing:
        raise RunError(f"a published model says its terms; give {' and '.join(missing)}")
    return CardText(licence, intended_use, card.not_intended_use, card.description, card.authors)


def _draft(run: RunFolder, subject: Subject, name: str, licence: str) -> Draft:
    info, recipe = run.info, recipe_of(run)
    return Draft.of(
        model=name,
        task=subject.task,
        preprocessing=subject.preprocessing.as_json(),
        architecture=architecture_record(recipe, subject.preprocessing),
        plugin=info["plugin"],
        recipe=public_data(recipe),
        data=info["data"],
        metrics=_measured(run, subject),
        licence=licence,
        environment=info["environment"],
        weights=info["weights"],
    )


def _measured(run: RunFolder, subject: Subject) -> dict[str, Mapping[str, Any]]:
    """The figures by split, each computed again from its predictions file and equal to what was
    written. Raises :class:`RunError` when there are none, or they are of other weights."""
    measured: dict[str, Mapping[str, Any]] = {}
    for split in run.info["data"]["splits"]:
        if not run.metrics_path(split).is_file():
            continue
        written = run.metrics(split)
        again = f"type: zoo eval {run.path} --split {split}"
        if written.pop("weights_sha256", None) != subject.digest:
            raise RunError(
                f"run {str(run.path)!r}: the figures on {split!r} are of other weights; {again}"
            )
        computed = metrics.evaluate(Predictions.load(run.predictions_path(split)))
        if computed != written:
            raise RunError(
                f"run {str(run.path)!r}: the figures on {split!r} are not those of its "
                f"predictions; {again}"
            )
        measured[split] = written
    if not measured:
        raise RunError(f"run {str(run.path)!r} has not been evaluated; type: zoo eval {run.path}")
    return measured
