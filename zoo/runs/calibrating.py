"""Fit a run's temperature on val, or forget it: kept in the run, published with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zoo.errors import RunError
from zoo.predictions.calibration import TEMPERATURE, fit_temperature
from zoo.predictions.file import Predictions
from zoo.predictions.masks import MaskPredictions
from zoo.runs.folder import CALIBRATION, RunFolder
from zoo.runs.subjects import Subject


def require_run(subject: Subject, asked: str) -> RunFolder:
    """Raises :class:`RunError` for a version, which never changes."""
    if subject.run is None:
        raise RunError(
            f"{asked}: {subject.name!r} is published, and a version does not change; calibrate the "
            f"run it is of, and publish that"
        )
    return subject.run


def fit(subject: Subject, on_val: Callable[[], Predictions | MaskPredictions]) -> None:
    """Keep the temperature that is best on val in the run; its figures are of other probabilities
    from then on. ``on_val``: what ``subject`` says there, calibrated or not. Raises
    :class:`RunError` for masks."""
    run = require_run(subject, "--calibrate")
    said = on_val()
    if isinstance(said, MaskPredictions):
        raise RunError(
            f"run {str(run.path)!r} is a segmentation, whose predictions keep no logits; a "
            f"temperature is fitted to classifications"
        )
    fitted = fit_temperature(said).as_json()
    run.update(**{CALIBRATION: {**fitted, "content": said.content,
                                "weights_sha256": subject.digest}})  # fmt: skip


def forget(subject: Subject) -> None:
    """From now on the network speaks for itself again."""
    require_run(subject, "--no-calibrate").update(**{CALIBRATION: None})


def calibration_of(subject: Subject) -> Mapping[str, Any] | None:
    """What was kept when the temperature was fitted, of a version the temperature alone; None where
    there is none."""
    if subject.temperature is None:
        return None
    if subject.run is None:
        return {"method": TEMPERATURE, TEMPERATURE: subject.temperature}
    found: Mapping[str, Any] = subject.run.info[CALIBRATION]
    return found
