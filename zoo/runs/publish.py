"""Publish a run: everything a stranger needs to use its weights, checked before it is there."""

from __future__ import annotations

import contextlib
import shlex
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.data.splits import TEST, VAL
from zoo.errors import RunError, StorageError, ZooWarning, clipped
from zoo.predictions import metrics, operating_points
from zoo.predictions.calibration import TEMPERATURE
from zoo.predictions.file import Predictions, load_predictions
from zoo.predictions.intervals import Plan
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.operating_points import POINTS
from zoo.recipes.schema import CardSection
from zoo.recipes.writing import public_data
from zoo.registry.cards.card_text import CARD_BYTES, CardText, own_text
from zoo.registry.config import open_registry
from zoo.registry.fresh import FreshProcess
from zoo.registry.listing import interval_ends, single_numbers
from zoo.registry.names import check_name
from zoo.registry.record import WEIGHTS, Draft, Record, division
from zoo.registry.release import Release, release
from zoo.runs import folder
from zoo.runs.folder import CALIBRATION, RunFolder, find_run
from zoo.runs.naming import as_argument
from zoo.runs.sources import part_of, recipe_of, weights_of
from zoo.runs.subjects import Subject, architecture_record, of_run
from zoo.storage import commit, reading
from zoo.training.checkpoints import found


def publish(
    run: str | Path | RunFolder,
    name: str,
    *,
    registry: str | None = None,
    licence: str | None = None,
    intended_use: str | None = None,
    fresh: FreshProcess | None = None,
) -> Record:
    """Publish the kept weights of ``run`` as the next version of the model ``name``.

    Licence and intended use come from the recipe's ``[card]`` unless given here; without them, or
    without measured figures, nothing is published. Returns the record, once it is durable; the card
    is left in the run's folder too, where its own text may be written. That it cannot be written
    there is a warning. ``fresh``: a process that was started before, to save time.
    """
    check_name("model name", name)
    opened = run if isinstance(run, RunFolder) else find_run(str(run))
    _check_finished(opened)
    with contextlib.nullcontext(fresh) if fresh else FreshProcess() as process:
        subject = of_run(opened)
        text = _card_text(recipe_of(opened).card, licence, intended_use)
        measured = _measured(opened, subject)
        released = release(
            open_registry(registry),
            _draft(opened, subject, name, text.licence, measured),
            {WEIGHTS: weights_of(opened)},
            replace(text, own=_own_text(opened)),
            measured,
            network=subject.network,
            weights_sha256=subject.digest,
            fresh=process,
        )
    _leave_card(opened, released)
    return released.record


def _own_text(run: RunFolder) -> str:
    """What people wrote into the card that was left in the run's folder."""
    path = run.path / folder.CARD
    if not path.exists():
        return ""
    try:
        return own_text(reading.read(path, CARD_BYTES, what="card").decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RunError(f"card {str(path)!r} is no text in UTF-8: {error}") from error


def _leave_card(run: RunFolder, released: Release) -> None:
    record = released.record
    try:
        for path, picture in released.pictures.items():
            commit.write(run.path / path, picture)
        commit.write(run.path / folder.CARD, released.card)
    except StorageError as error:
        warnings.warn(
            f"{record.model}@{record.version} is published, but its card is not in the run's "
            f"folder: {error}",
            ZooWarning,
            stacklevel=3,
        )


def _check_finished(run: RunFolder) -> None:
    status = run.info.get("status")
    if status != folder.FINISHED:
        then = f"to train it again type: zoo train {as_argument(run.path / folder.RECIPE)}"
        if found(run.path):
            then = f"to go on with it type: zoo resume {as_argument(run.path)}"
        raise RunError(
            f"run {str(run.path)!r} is {clipped(str(status))}, not {folder.FINISHED}; only a "
            f"finished run is published; {then}"
        )


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


def _draft(
    run: RunFolder, subject: Subject, name: str, licence: str, measured: Mapping[str, Any]
) -> Draft:
    recipe, temperature = recipe_of(run), subject.temperature
    calibration = temperature and {"method": TEMPERATURE, TEMPERATURE: temperature}
    return Draft.of(
        model=name,
        task=subject.task,
        preprocessing=subject.preprocessing.as_json(),
        architecture=architecture_record(recipe, subject.preprocessing),
        plugin=part_of(run, "plugin"),
        recipe=public_data(recipe),
        data={**subject.data, "division": division(subject.data["splits"])},
        metrics={split: single_numbers(figures) for split, figures in measured.items()},
        intervals=interval_ends(measured),
        calibration=calibration,
        licence=licence,
        environment=part_of(run, "environment"),
        weights=run.info.get("weights"),
        parents=_parents(run),
    )


def _parents(run: RunFolder) -> list[dict[str, Any]] | None:
    """What its weights came from."""
    initialized, averaged = run.info.get("initialized"), run.info.get("averaged")
    parent = initialized.get("parent") if isinstance(initialized, dict) else None
    found = []
    if isinstance(parent, dict):
        kind = "initialized_from" if "model" in parent else "pretrained"
        found = [{"kind": kind, **parent}]
    if isinstance(averaged, list):
        found += [{"kind": "averaged_from", **one} for one in averaged if isinstance(one, dict)]
    return found or None


def _measured(run: RunFolder, subject: Subject) -> dict[str, dict[str, Any]]:
    """The figures by split, each computed again from its predictions file and equal to what was
    written. Raises :class:`RunError` when there are none, or they are of other weights or data."""
    measured: dict[str, dict[str, Any]] = {}
    for split, known in subject.data["splits"].items():
        if not run.metrics_path(split).is_file():
            continue
        written = run.metrics(split)
        where = f"run {str(run.path)!r}: the figures on {split!r} are"
        again = f"type: {_eval(run, split)}"
        prints = tuple(known.get(key) for key in ("fingerprint", "content"))
        if written.pop("weights_sha256", None) != subject.digest:
            raise RunError(f"{where} of other weights; {again}")
        if None in prints or prints != (written.pop("fingerprint", 0), written.pop("content", 0)):
            raise RunError(f"{where} of other data than the run's own; {again}")
        calibrated = written.pop(CALIBRATION, None) or {}
        said = load_predictions(run.predictions_path(split))
        if {calibrated.get(TEMPERATURE), said.temperature} != {subject.temperature}:
            raise RunError(f"{where} of probabilities that were calibrated otherwise; {again}")
        about = (said.dataset, said.split, said.fingerprint, said.content)
        if about != (subject.data.get("dataset"), split, *prints):
            raise RunError(f"{where} of other data than its predictions; {again}")
        if _again(run, subject, said, written) != written:
            raise RunError(f"{where} not those of its predictions; {again}")
        measured[split] = written
    if not measured:
        splits = subject.data["splits"]
        raise RunError(
            f"run {str(run.path)!r} has not been evaluated; "
            f"type: {_eval(run, TEST if TEST in splits else VAL)}"
        )
    return measured


def _again(
    run: RunFolder,
    subject: Subject,
    said: Predictions | MaskPredictions,
    written: Mapping[str, Any],
) -> dict[str, Any]:
    """The figures that ``written`` has to hold, by its own plan and for its operating points."""
    plan, points = Plan.written(written.get("intervals")), written.get(POINTS)
    found = metrics.evaluate(said, plan)
    if points is not None:
        on_val = load_predictions(run.predictions_path(VAL))
        known = subject.data["splits"].get(VAL, {})
        if (on_val.fingerprint, on_val.content) != (known.get("fingerprint"), known.get("content")):
            raise RunError(
                f"run {str(run.path)!r}: the predictions on {VAL!r}, by which operating points "
                f"were chosen, are of other data than the run's own; type: {_eval(run, VAL)}"
            )
        found[POINTS] = operating_points.measured_at(
            operating_points.wanted_in(points), on_val, said, plan
        )
    return found


def _eval(run: RunFolder, split: str) -> str:
    return f"zoo eval {as_argument(run.path)} --split {shlex.quote(split)}"
