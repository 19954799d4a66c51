"""Measure a run, a published version or a predictions file, from which every figure comes.

This is a command that reports: with ``split="test"`` it reads the test labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.data.decoded import STOP
from zoo.data.splits import TEST, SplitPlan
from zoo.data.tiers import Keeping
from zoo.errors import DataError, RunError, ZooWarning
from zoo.plugins.catalog import catalog
from zoo.predictions.archive import Heading
from zoo.predictions.intervals import LEVEL, SEED
from zoo.predictions.measuring import Evaluation, evaluate_file, is_file
from zoo.predictions.measuring import figures as measure
from zoo.runs import opening
from zoo.runs.environment import cores
from zoo.runs.folder import RunFolder
from zoo.runs.own_data import difference, is_elsewhere
from zoo.runs.predict import predict
from zoo.runs.sources import Source, part_of
from zoo.runs.subjects import Subject, open_subject, with_views
from zoo.storage import commit


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
) -> Evaluation:
    """Measure a run (its path or name) or a version (its reference) on a ``split`` (default: test)
    of ``dataset`` (default: the one it was trained on); or a predictions file (``.npz``), which
    says itself what it is of, and takes no other argument.

    Predictions and figures are kept in the run's folder (of a version, the predictions in
    ``predictions/``), by the split's name; those on other data under another name, and they are
    never published. With ``output`` the predictions are written there and nothing else is. ``tta``:
    views of each image (``zoo.predictions.views``) that the network is asked about, then with an
    ``output``, for they are not what the model says by itself. ``draws`` (0 for no intervals),
    ``seed`` and ``level``: see ``zoo.predictions.intervals.planned``. Raises :class:`RunError` when
    the run's own data have changed."""
    if is_file(reference):
        asked = {"dataset": dataset, "split": split, "root": root, "output": output, "tta": tta}
        options = {**asked, "registry": registry, "device": device}
        return evaluate_file(reference, draws=draws, seed=seed, level=level, **options)
    split = split or TEST
    subject = open_subject(str(reference), registry)
    if tta is not None:
        if output is None:
            raise RunError(f"tta {tta!r}: name a file for the predictions, with output")
        subject = with_views(subject, tta)
    own, source = _source(subject, dataset)
    opened = opening.open_dataset(
        catalog(), source.name, source.options, root or source.root, source.plan
    )
    _check_task(subject, opened)
    keeping = Keeping(source.on_error, cores(), notice=_warn)
    held = opened.hold(split, subject.preprocessing.form, keeping)
    content = held.fingerprint()
    differs = difference(subject, opened, split, content, root)
    if differs and own and subject.run and output is None and not is_elsewhere(subject, root):
        raise RunError(
            f"run {str(subject.run.path)!r}: split {split!r} of dataset {opened.name!r} is not the "
            f"one it was trained with: {differs}; to measure it as other data add --output FILE"
        )
    name = _name(opened.name, split, content, own=own, differs=differs is not None)
    path = Path(output) if output is not None else default_path(subject, name)
    commit.make_folder(path.parent)
    predictions = predict(subject, opened, split, held, content, device or "auto", path, keeping)
    figures, notice = (
        measure(predictions, draws, seed, level) if predictions.labelled else ({}, None)
    )
    if subject.run is not None and output is None and figures:
        _note(subject.run, name, figures, subject.digest, predictions, own=differs is None)
    return Evaluation(subject.name, opened.name, split, len(held), figures, path, differs, notice)


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
    run: RunFolder,
    name: str,
    figures: Mapping[str, Any],
    digest: str,
    predictions: Heading,
    *,
    own: bool,
) -> None:
    """Keep the figures, and with the first ones on a split of its own data what that held."""
    prints = {"fingerprint": predictions.fingerprint, "content": predictions.content}
    run.write_metrics(name, {**figures, "weights_sha256": digest, **prints})
    data = part_of(run, "data")
    if own and "content" not in data["splits"][predictions.split]:
        data["splits"][predictions.split]["content"] = predictions.content
        run.update(data=data)


def default_path(subject: Subject, name: str) -> Path:
    """Where the predictions go that are on the split, or on the other data, of that ``name``."""
    if subject.run is not None:
        return subject.run.predictions_path(name)
    return Path("predictions") / subject.name.replace("@", "-") / f"{name}.npz"


def _warn(text: str) -> None:
    warnings.warn(text, ZooWarning, stacklevel=2)
