"""What is known of a subject on a split: predictions, and every figure computed from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import ReportError, clipped
from zoo.predictions import metrics
from zoo.predictions.file import Predictions, load_predictions
from zoo.predictions.intervals import planned
from zoo.predictions.masks import MaskPredictions
from zoo.reports import wording
from zoo.reports.blocks import Notice
from zoo.reports.intervals import Intervals, is_written
from zoo.reports.subject import Subject
from zoo.reports.wording import is_number
from zoo.reports.written import checked
from zoo.tasks import Task

_SAME = 1e-6  # by which figures of two machines may differ


@dataclass(frozen=True)
class Measured:
    """``said``: the predictions, None where there are none; ``figures``: see
    :func:`zoo.reports.written.checked`, empty where nothing was measured; ``notices``: why not all
    of it may be believed."""

    split: str
    said: Predictions | MaskPredictions | None
    figures: Mapping[str, Any]
    intervals: Intervals
    notices: Sequence[Notice] = field(default_factory=tuple)

    def __bool__(self) -> bool:
        return bool(self.figures)


def measure(subject: Subject, split: str) -> Measured:
    """Raises :class:`zoo.errors.ZooError` where a file of predictions or figures is damaged, or of
    something else."""
    path, written = subject.predictions(split), subject.written(split)
    if not path.is_file():
        figures = checked(written, subject.task) if written else {}
        kept = written.get("intervals") if written else None
        intervals = Intervals(kept if isinstance(kept, Mapping) else {})
        return Measured(split, None, figures, intervals, _stale(subject, split, written))
    said = load_predictions(path)
    _require_of(subject, split, said)
    notices = [*_stale(subject, split, {"weights_sha256": said.source_digest or None})]
    if said.temperature != subject.temperature and not notices:
        notices.append(
            Notice(
                f"What follows on {split!r} is not calibrated as {subject.name!r} is now; measure "
                f"again:",
                subject.evaluate(split),
            )
        )
    if not said.labelled or not len(said):
        return Measured(split, said, {}, Intervals({}), notices)
    figures, kept = _figures(said, written)
    if written and not _alike(figures, written, subject.task):
        notices.append(
            Notice(
                f"The figures that were kept on {split!r} are not those of the predictions beside "
                f"them, which are shown here; measure again:",
                subject.evaluate(split),
            )
        )
    return Measured(split, said, figures, Intervals(kept), notices)


def _figures(
    said: Predictions | MaskPredictions, written: Mapping[str, Any] | None
) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The figures, computed anew, and the intervals, which take seconds: those that were kept,
    where the figures are the same."""
    kept = written.get("intervals") if written else None
    if written and is_written(kept):
        figures = checked(metrics.evaluate(said), said.task)
        if _alike(figures, written, said.task):
            return figures, kept  # type: ignore[return-value]
    found = metrics.evaluate(said, planned(said)[0])
    return checked(found, said.task), found.get("intervals", {})


def _alike(figures: Mapping[str, Any], written: Mapping[str, Any], task: Task) -> bool:
    """Whether two tables say the same, as far as both say anything."""
    other = checked(written, task)
    if other.get("confusion", figures["confusion"]) != figures["confusion"]:
        return False
    for name in figures.keys() & other.keys():
        one, two = figures[name], other[name]
        if is_number(one) != is_number(two):
            return False
        if is_number(one) and not math.isclose(one, two, rel_tol=_SAME, abs_tol=_SAME):
            return False
    return True


def _require_of(subject: Subject, split: str, said: Predictions | MaskPredictions) -> None:
    found = (said.task.kind, said.task.classes, said.split)
    if found != (subject.task.kind, subject.task.classes, split):
        path = str(subject.predictions(split))
        raise ReportError(
            f"predictions {path!r} are of split {clipped(said.split)!r} of "
            f"{clipped(said.dataset)!r} and not of {subject.name!r} on {split!r}; "
            f"type: {subject.evaluate(split)}"
        )


def _stale(subject: Subject, split: str, written: Mapping[str, Any] | None) -> Sequence[Notice]:
    """Of figures on other weights than are kept now."""
    digest = wording.text(written.get("weights_sha256")) if written else ""
    if not digest or not subject.digest or digest == subject.digest:
        return ()
    return (
        Notice(
            f"What follows on {split!r} is of other weights than {subject.name!r} has now; measure "
            f"again:",
            subject.evaluate(split),
        ),
    )
