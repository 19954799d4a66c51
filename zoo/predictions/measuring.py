"""Measure a predictions file: neither the network nor the data are needed, nor is torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.splits import VAL
from zoo.errors import PredictionsError
from zoo.predictions import metrics
from zoo.predictions.file import Predictions, load_predictions
from zoo.predictions.intervals import LEVEL, SEED, planned
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.operating_points import POINTS, Wanted, measured_at

SUFFIX = ".npz"


@dataclass(frozen=True)
class Evaluation:
    """``metrics``: see :func:`zoo.predictions.metrics.evaluate`; empty where the split has no
    labels. ``path``: the predictions file. ``differs``: what tells the data from those trained
    with, None when nothing does, or, of a file alone, when nobody can know. ``notice``: a line to
    read, such as why there are no intervals; ``calibration``: what was kept of it in the run."""

    source: str
    dataset: str
    split: str
    samples: int
    metrics: Mapping[str, Any]
    path: Path
    differs: str | None = None
    notice: str | None = None
    calibration: Mapping[str, Any] | None = None


def is_file(reference: str | Path) -> bool:
    """Whether a predictions file is meant, there or not: by its suffix."""
    return str(reference).lower().endswith(SUFFIX)


def evaluate_file(
    path: str | Path,
    *,
    draws: int | None = None,
    seed: int = SEED,
    level: float = LEVEL,
    wants: Sequence[Wanted] = (),
    val: str | Path | None = None,
    **options: object,
) -> Evaluation:
    """``draws``, ``seed`` and ``level``: as ``zoo.predictions.intervals.planned`` takes them.
    ``wants``: operating points, chosen on the predictions file ``val``. ``options``: what else was
    asked for, by name; of a file that was written before nothing can be. Raises
    :class:`PredictionsError` naming what is wrong."""
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise PredictionsError(
            f"{', '.join(given)}: {str(path)!r} is a predictions file, of one source and one "
            f"split; expected a run or a model"
        )
    if bool(wants) != (val is not None):
        raise PredictionsError(
            f"operating points of a predictions file need --sensitivity or --specificity, and the "
            f"file on {VAL!r} that they are chosen on: --val FILE"
        )
    said = load_predictions(Path(path))
    found: dict[str, Any] = {}
    notice = None
    if said.labelled or not len(said):
        found, notice = figures(said, draws, seed, level)
    if val is not None:
        plan, _ = planned(said, draws, seed, level)
        found[POINTS] = measured_at(wants, load_predictions(Path(val)), said, plan)
    return Evaluation(
        said.source, said.dataset, said.split, len(said), found, Path(path), notice=notice
    )


def figures(
    said: Predictions | MaskPredictions, draws: int | None, seed: int, level: float
) -> tuple[dict[str, Any], str | None]:
    """Every figure, with intervals where these were asked for or take seconds; and a line where
    they would take longer."""
    plan, notice = planned(said, draws, seed, level)
    return metrics.evaluate(said, plan), notice
