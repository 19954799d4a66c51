"""Predictions that ``zoo eval`` left: where they are, and whether they are of what is there now."""

from __future__ import annotations

from pathlib import Path

from zoo.predictions.file import Predictions, load_predictions
from zoo.predictions.masks import MaskPredictions
from zoo.runs.subjects import Subject


def default_path(subject: Subject, name: str) -> Path:
    """Where the predictions go that are on the split, or on the other data, of that ``name``."""
    if subject.run is not None:
        return subject.run.predictions_path(name)
    return Path("predictions") / subject.name.replace("@", "-") / f"{name}.npz"


def kept_predictions(subject: Subject, split: str) -> Predictions | MaskPredictions | None:
    """Those of these weights, calibrated as they are, and these data; None where there are none."""
    path = default_path(subject, split)
    known = subject.data["splits"].get(split, {})
    if not path.is_file() or "content" not in known:
        return None
    said = load_predictions(path)
    mine = (subject.digest, subject.temperature, known.get("fingerprint"), known["content"])
    found = (said.source_digest, said.temperature, said.fingerprint, said.content)
    return said if found == mine else None
