"""Whether what is said to be 80 % sure is so in 80 % of cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.predictions.calibration import reliability, scaled
from zoo.predictions.file import Predictions
from zoo.predictions.lettering import readable
from zoo.predictions.masks import LEVELS, MaskPredictions
from zoo.predictions.probabilities import BINS, bins
from zoo.predictions.proportions import wilson
from zoo.reports import wording
from zoo.reports.blocks import Block, Chart, Charts, Facts, Section
from zoo.reports.figures.reliability import Bins, draw_reliability, draw_scores
from zoo.reports.measured import Measured
from zoo.reports.sections.classes import nothing_measured
from zoo.reports.subject import Subject
from zoo.tasks import BINARY, IGNORE, MULTICLASS, SEGMENTATION, Task

_TITLE = "Calibration"


def calibration(subject: Subject, measured: Measured) -> Section:
    said, task = measured.said, subject.task
    if said is None or not measured:
        return Section(_TITLE, "calibration", [nothing_measured(subject, measured)])
    several = (
        [of_pixels(said)]
        if isinstance(said, MaskPredictions)
        else _before_and_after(said, said.temperature or subject.temperature)
    )
    above, across = _axes(task)
    unit = "pixels" if task.kind == SEGMENTATION else "samples"
    figure = draw_reliability(several, said=across, found=above, unit=unit)
    charts = [Chart("reliability", "Reliability diagram", figure, _caption(task))]
    if isinstance(said, Predictions):
        title, groups = _groups(said)
        charts.append(Chart("scores", title, draw_scores(groups, said=across)))
    blocks: list[Block] = [Charts(charts), Facts(_facts(subject, measured))]
    return Section(_TITLE, "calibration", blocks)


def _before_and_after(said: Predictions, temperature: float | None) -> list[Bins]:
    """By the temperature first, and as the network has it by itself."""
    if temperature is None:
        return [_of_rows(reliability(said)["overall"], "")]
    after, before = (scaled(said, one) for one in (temperature, None))
    return [
        _of_rows(reliability(after)["overall"], f"by temperature {temperature:.3g}"),
        _of_rows(reliability(before)["overall"], "without it"),
    ]


def _groups(said: Predictions) -> tuple[str, list[tuple[str, np.ndarray]]]:
    """(title, what was said of either group)."""
    assert said.targets is not None
    task, sure = said.task, said.probabilities
    if task.kind == BINARY:
        score = sure[:, task.positive_index]
        names = readable(task.classes)
        order = (task.positive_index, 1 - task.positive_index)
        return "What was said, by class", [(names[k], score[said.targets == k]) for k in order]
    if task.kind == MULTICLASS:
        right = said.targets == said.decisions
        top = sure.max(1)
        return "How sure it is, right and wrong", [("right", top[right]), ("wrong", top[~right])]
    there = said.targets == 1
    return "What was said, of all classes", [
        ("with the class", sure[there]), ("without it", sure[~there])
    ]  # fmt: skip


def _of_rows(rows: Sequence[Mapping[str, Any]], name: str) -> Bins:
    names = ("from", "to", "confidence", "share", "low", "high", "count")
    columns = {name: np.array([row[name] for row in rows], np.float64) for name in names}
    edges = np.stack([columns.pop("from"), columns.pop("to")], axis=1)
    return Bins(name, edges, **columns)


def of_pixels(said: MaskPredictions) -> Bins:
    """Of all pixels with a label: the probability of the positive class, or of the likeliest. Those
    of a file are 255ths, so that all of them are counted without an error."""
    counts = np.zeros((LEVELS + 1, 2), np.int64)
    positive = said.task.positive
    for chunk in said.chunks():
        assert chunk.targets is not None
        if positive is not None:
            sure, true = chunk.probabilities[:, 0], chunk.targets == said.task.positive_index
        else:
            sure = chunk.probabilities.max(1)
            true = chunk.targets == chunk.probabilities.argmax(1)
        known = chunk.targets != IGNORE
        cells = sure[known].astype(np.int64) * 2 + true[known]
        counts += np.bincount(cells, minlength=counts.size).reshape(counts.shape)
    level = np.arange(LEVELS + 1) / LEVELS
    place = bins(level)
    every = counts.sum(1)
    total, so = (np.bincount(place, one, BINS) for one in (every, counts[:, 1]))
    said_sum = np.bincount(place, every * level, BINS)
    kept = np.flatnonzero(total)
    total, so = total[kept], so[kept]
    low, high = wilson(so, total, 0.95)
    edges = np.stack([kept, kept + 1], axis=1) / BINS
    return Bins("", edges, said_sum[kept] / total, so / total, low, high, total)


def _axes(task: Task) -> tuple[str, str]:
    """(what stands up, what stands across)."""
    if task.positive is not None:
        return "share that is so", "probability of the positive class"
    if task.kind in (MULTICLASS, SEGMENTATION):
        return "share that is right", "probability of the decision"
    return "share that is so", "probability, of all classes"


def _caption(task: Task) -> str:
    first = "On the dotted line, what is said holds; below it, too much is promised."
    if task.kind == SEGMENTATION:
        return f"{first} Neighbouring pixels are alike: the intervals are too short."
    return f"{first} Vertical bars: 95 % intervals (Wilson)."


def _facts(subject: Subject, measured: Measured) -> list[tuple[str, str]]:
    figures, found = measured.figures, []
    for name in ("ece", "brier", "log_loss"):
        if name in figures:
            interval = wording.between(measured.intervals.of("overall", name))
            value = wording.number(figures[name]) + (f" ({interval})" if interval else "")
            found.append((wording.words(name), value))
    if isinstance(measured.said, Predictions):
        scale = measured.said.temperature or subject.temperature
        fitted = "none was fitted" if scale is None else f"{scale:.4g}, fitted on val"
        found += [("temperature", fitted), *_on_val(subject)]
    return found


def _on_val(subject: Subject) -> list[tuple[str, str]]:
    """What a run kept when its temperature was fitted."""
    kept = wording.table(subject.about, "calibration")
    before, after = (wording.table(kept, key).get("ece") for key in ("before", "after"))
    if subject.temperature is None or not wording.is_number(before):
        return []
    text = f"{wording.number(before)} without it, {wording.number(after)} with it"
    return [("calibration error on val", text)]
