"""Measure a run, a published version or a predictions file, from which every figure comes.

This is a command that reports: with ``split="test"`` it reads the test labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.decoded import STOP
from zoo.data.splits import TEST, VAL, SplitPlan
from zoo.data.tiers import Keeping
from zoo.errors import DataError, RunError, ZooWarning
from zoo.plugins.catalog import catalog
from zoo.predictions import operating_points
from zoo.predictions.archive import Heading
from zoo.predictions.calibration import TEMPERATURE
from zoo.predictions.file import Predictions, load_predictions
from zoo.predictions.intervals import LEVEL, SEED, planned
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.measuring import Evaluation, evaluate_file, is_file
from zoo.predictions.measuring import figures as measure
from zoo.runs import calibrating, opening
from zoo.runs.calibrating import calibration_of
from zoo.runs.environment import cores
from zoo.runs.folder import CALIBRATION, RunFolder
from zoo.runs.kept import default_path, kept_predictions
from zoo.runs.own_data import difference, is_elsewhere
from zoo.runs.predict import predict
from zoo.runs.sources import Source, part_of
from zoo.runs.subjects import Subject, open_subject, with_views
from zoo.storage import commit


@dataclass(frozen=True)
class _Asked:
    """What :func:`evaluate` was asked for, beside the split."""

    reference: str
    root: str | None
    registry: str | None
    device: str
    draws: int | None
    seed: int
    level: float

    def again(self, split: str) -> Evaluation:
        """Of the data that it was trained on."""
        return evaluate(split=split, **vars(self))


def evaluate(
    reference: str | Path,
    *,
    dataset: str | None = None,
    split: str | None = None,
    root: str | None = None,
    output: str | Path | None = None,
    registry: str | None = None,
    device: str | None = None,
    tta: str | None = None,
    draws: int | None = None,
    seed: int = SEED,
    level: float = LEVEL,
    calibrate: bool | None = None,
    sensitivity: float | None = None,
    specificity: float | None = None,
    val: str | Path | None = None,
) -> Evaluation:
    """Measure a run (its path or name) or a version (its reference) on a ``split`` (default: test)
    of ``dataset`` (default: the one it was trained on); or a predictions file (``.npz``), which
    says itself what it is of.

    Predictions and figures are kept in the run's folder (of a version, the predictions in
    ``predictions/``), by the split's name; those on other data under another name, and they are
    never published. With ``output`` the predictions are written there and nothing else is. ``tta``:
    views of each image (``zoo.predictions.views``) that the network is asked about, then with an
    ``output``, for they are not what the model says by itself. ``draws`` (0 for no intervals),
    ``seed`` and ``level``: see ``zoo.predictions.intervals.planned``. ``calibrate``: first fit the
    run's temperature on val, or (False) forget it. ``sensitivity`` and ``specificity``: what a
    threshold that is chosen on val has to reach there; ``val``: of a predictions file, that on val.
    Raises :class:`RunError` when the run's own data have changed."""
    wants = operating_points.wanted(sensitivity, specificity)
    certainty: Any = {"draws": draws, "seed": seed, "level": level}
    if is_file(reference):
        asked = {"dataset": dataset, "split": split, "root": root, "output": output, "tta": tta}
        options: Any = {**asked, "registry": registry, "device": device}
        return evaluate_file(
            reference, **certainty, wants=wants, val=val, calibrate=calibrate, **options
        )
    if val is not None:
        raise RunError(f"val {str(val)!r}: only a predictions file needs to be told that on val")
    own_asked = _Asked(str(reference), root, registry, device or "auto", **certainty)
    split = split or TEST
    if calibrate is not None:
        _recalibrate(own_asked, split, fit_it=calibrate)
    subject = open_subject(str(reference), registry)
    if tta is not None:
        if output is None:
            raise RunError(f"tta {tta!r}: name a file for the predictions, with output")
        subject = with_views(subject, tta)
    predictions, path, name, differs = _predict(
        subject, own_asked, dataset, split, None if output is None else Path(output)
    )
    figures: dict[str, Any] = {}
    notice = None
    if predictions.labelled:
        figures, notice = measure(predictions, **certainty)
    if wants:
        plan, _ = planned(predictions, **certainty)
        on_val = _said_on_val(subject, own_asked)
        points = operating_points.measured_at(wants, on_val, predictions, plan)
        figures[operating_points.POINTS] = points
    if subject.run is not None and output is None and figures:
        _note(subject, subject.run, name, figures, predictions, own=differs is None)
    return Evaluation(
        subject.name,
        predictions.dataset,
        split,
        len(predictions),
        figures,
        path,
        differs,
        notice,
        calibration_of(subject),
    )


def _predict(
    subject: Subject, asked: _Asked, dataset: str | None, split: str, output: Path | None
) -> tuple[Predictions | MaskPredictions, Path, str, str | None]:
    """(What it says, the file, its name, what tells the data from those trained with)."""
    own, source = _source(subject, dataset)
    opened = opening.open_dataset(
        catalog(), source.name, source.options, asked.root or source.root, source.plan
    )
    _check_task(subject, opened)
    keeping = Keeping(source.on_error, cores(), notice=_warn)
    held = opened.hold(split, subject.preprocessing.form, keeping)
    content = held.fingerprint()
    differs = difference(subject, opened, split, content, asked.root)
    if differs and own and subject.run and output is None and not is_elsewhere(subject, asked.root):
        raise RunError(
            f"run {str(subject.run.path)!r}: split {split!r} of dataset {opened.name!r} is not the "
            f"one it was trained with: {differs}; to measure it as other data add --output FILE"
        )
    name = _name(opened.name, split, content, own=own, differs=differs is not None)
    path = output if output is not None else default_path(subject, name)
    commit.make_folder(path.parent)
    said = predict(subject, opened, split, held, content, asked.device, path, keeping)
    return said, path, name, differs


def _recalibrate(asked: _Asked, split: str, *, fit_it: bool) -> None:
    subject = open_subject(asked.reference, asked.registry)
    if not fit_it:
        calibrating.forget(subject)
        return
    calibrating.fit(subject, lambda: _said_on_val(subject, asked))
    if split != VAL:  # so that its figures, too, are of the new probabilities
        asked.again(VAL)


def _said_on_val(subject: Subject, asked: _Asked) -> Predictions | MaskPredictions:
    kept = kept_predictions(subject, VAL)
    if kept is not None:
        return kept
    done = asked.again(VAL)
    if done.differs is not None:
        raise RunError(
            f"{subject.name!r}: split {VAL!r} of dataset {done.dataset!r} is not the one it was "
            f"trained with, so nothing is fitted or chosen there: {done.differs}"
        )
    return load_predictions(done.path)


def _source(subject: Subject, dataset: str | None) -> tuple[bool, Source]:
    """(whether these are the data that it was trained on, those data)."""
    trained_on = subject.trained_on
    if trained_on is not None and dataset in (None, trained_on.name):
        return True, trained_on
    if dataset is None:
        raise RunError(
            f"{subject.name!r} was trained elsewhere, on data that zoo does not know; "
            f"add --dataset NAME"
        )
    on_error = STOP if trained_on is None else trained_on.on_error
    return False, Source(dataset, {}, SplitPlan(), on_error=on_error)


def _check_task(subject: Subject, opened: opening.Opened) -> None:
    """The classes must be those it was trained for."""
    task = opened.dataset.task
    if (task.kind, task.classes) != (subject.task.kind, subject.task.classes):
        raise DataError(
            f"dataset {opened.name!r} is {task.kind} with the classes {', '.join(task.classes)}; "
            f"{subject.name!r} was trained for {subject.task.kind} with "
            f"{', '.join(subject.task.classes)}"
        )


def _name(dataset: str, split: str, content: str, *, own: bool, differs: bool) -> str:
    """Of the files that hold what was measured."""
    if not own:
        return f"{dataset}-{split}".replace("/", "-")
    return f"{split}-at-{content[:8]}" if differs else split


def _note(
    subject: Subject,
    run: RunFolder,
    name: str,
    figures: Mapping[str, Any],
    predictions: Heading,
    *,
    own: bool,
) -> None:
    """Keep the figures, and with the first ones on a split of its own data what that held."""
    about: dict[str, Any] = {
        "fingerprint": predictions.fingerprint,
        "content": predictions.content,
    }
    if subject.temperature is not None:
        about[CALIBRATION] = {TEMPERATURE: subject.temperature}
    run.write_metrics(name, {**figures, "weights_sha256": subject.digest, **about})
    data = part_of(run, "data")
    if own and "content" not in data["splits"][predictions.split]:
        data["splits"][predictions.split]["content"] = predictions.content
        run.update(data=data)


def _warn(text: str) -> None:
    warnings.warn(text, ZooWarning, stacklevel=2)
