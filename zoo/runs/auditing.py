"""A dataset by its name, audited as training would use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from zoo.data import caching
from zoo.data.audit.auditing import audit
from zoo.data.audit.cheap import coherent
from zoo.data.audit.findings import Finding, Report, finding, some
from zoo.data.audit.scanning import Progress
from zoo.data.datasets import Dataset, Split
from zoo.data.decoded import SKIP, STOP, Decoder
from zoo.data.fitting import FILTERS, RULES, Form
from zoo.data.splits import TEST, TRAIN, VAL, SplitPlan, complete_splits
from zoo.errors import DataError
from zoo.plugins.catalog import catalog
from zoo.runs.environment import cores
from zoo.runs.opening import build_dataset, read_settings


@dataclass(frozen=True)
class Audited:
    """``splits``: those that were looked at; a report's page shows pictures from them."""

    report: Report
    dataset: Dataset
    splits: Mapping[str, Split]


def audit_dataset(
    name: str,
    *,
    root: str | None = None,
    positive: str | None = None,
    sets: Sequence[str] = (),
    verify: bool = False,
    progress: Progress | None = None,
) -> Audited:
    """Audit the dataset of that name. ``sets``: ``KEY=VALUE`` of a recipe's sections ``dataset``
    and ``split``; ``positive``: the option of that name. ``verify``: read every file behind a
    decoded store again and compare.

    Raises :class:`zoo.errors.ZooError` only where there is no dataset to look at.
    """
    options, plan = read_settings(catalog(), name, sets, positive)
    dataset = build_dataset(catalog(), name, options, root)
    splits, failed = _splits(name, dataset, plan)
    report = audit(name, dataset, splits, progress, cores())
    stale = _stale(name, dataset, splits) if verify else []
    return Audited(replace(report, findings=[*failed, *stale, *report.findings]), dataset, splits)


def _splits(
    name: str, dataset: Dataset, plan: SplitPlan
) -> tuple[Mapping[str, Split], list[Finding]]:
    """The splits that training would use; the dataset's own where they cannot be made, and why."""
    if not dataset.splits:
        return {}, [finding("empty_split", "", f"dataset {name!r} has no splits")]
    if not all(coherent(split) for split in dataset.splits.values()):
        return dataset.splits, []  # the findings of the audit say why
    try:
        made = complete_splits(name, dataset, plan)
        return {part: made[part] for part in sorted(made, key=_order)}, []
    except DataError as error:
        return dataset.splits, [finding("empty_split", "", str(error))]


def _order(part: str) -> tuple[int, str]:
    known = (TRAIN, VAL, TEST)
    return (known.index(part) if part in known else len(known), part)


def _stale(name: str, dataset: Dataset, splits: Mapping[str, Split]) -> Iterator[Finding]:
    """Stores that training would take although a file behind them is no longer the same."""
    stores = {one.folder.name: one for one in caching.stores()}
    for part, split in splits.items():
        if len(split) == 0 or not coherent(split):
            continue
        shapes = {tuple(one.about["shape"][1:]) for one in stores.values()}
        every = product(shapes, RULES, FILTERS, (STOP, SKIP))
        for (height, width, channels), rule, resize, on_error in every:
            form = Form(channels, (height, width), rule, resize)
            decoder = Decoder(split, form, dataset.task, f"dataset {name!r}", on_error)
            held = stores.pop(caching.fingerprint(decoder) or "", None)
            changed = [] if held is None else held.changed()
            if held is not None and changed:
                said = (
                    f"decoded from other files: {some(changed)}, in {Path(held.folder).name[:12]}"
                )
                yield finding("stale_store", part, said, changed)
