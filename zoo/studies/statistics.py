"""What a row's runs come to: mean, spread, interval, and the difference from the reference row.

Over several runs the interval is Student's t of their mean: where the next run of the recipe would
lie on average. Over one it is that of ``zoo eval``, over samples. A difference is paired by seed
and fold; it is shown where runs (a paired t test) and samples (a paired bootstrap) both show it at
the level, p-values being Holm's among the rows of the table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.predictions.comparison import holm
from zoo.studies import metric_names, schema
from zoo.studies.collecting import Wanted, measured_of
from zoo.studies.over_samples import Compared, compare_rows
from zoo.tasks import LOWER_IS_BETTER

LEVEL = 0.95
OVER_RUNS, OVER_SAMPLES = "t", "samples"
ROW, REFERENCE = "row", "reference"
OF_RUN = "run/"
_MEASURED = schema.OF_RUN
Runs = Sequence[Mapping[str, Any]]
Rows = Sequence[dict[str, Any]]


def add_statistics(rows: Rows, reference: str | None, wanted: Sequence[Wanted], out: Path) -> None:
    """Give each row of results its ``statistics``."""
    for row in rows:
        row["statistics"] = {
            **{one.key: _spread(row["runs"], one, out) for one in wanted},
            **{f"{OF_RUN}{name}": spread(_values_of(row["runs"], name)) for name in _MEASURED},
        }
    against = next((row for row in rows if row["name"] == reference), None)
    if against is None:
        return
    others = [row for row in rows if row is not against]
    compared = [compare_rows(against["runs"], row["runs"], wanted, out) for row in others]
    for one in wanted:
        found = [
            difference(*_paired(against["runs"], row["runs"], one.key), held.get(one.key), one)
            for row, held in zip(others, compared, strict=True)
        ]
        kept = holm([math.nan if d is None or d["p"] is None else d["p"] for d in found])
        for row, d, p in zip(others, found, kept, strict=True):
            if d is not None:
                if not p <= 1 - LEVEL:
                    d["shown"] = None
                d["p"] = None if math.isnan(p) else p
            row["statistics"][one.key]["difference"] = d


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Of one number of several runs."""
    count = len(values)
    found: dict[str, Any] = dict.fromkeys(
        ("mean", "sd", "low", "high", "interval", "difference")
    ) | {"count": count}
    if count:
        found["mean"] = math.fsum(values) / count
    if count > 1:
        low, high, found["sd"] = t_interval(values)
        found |= {"low": low, "high": high, "interval": OVER_RUNS}
    return found


def t_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """(low, high, standard deviation with n - 1) of two values or more, of their mean."""
    from scipy import stats

    count = len(values)
    mean = math.fsum(values) / count
    deviation = math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (count - 1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * deviation / math.sqrt(count)
    return mean - half, mean + half, deviation


def difference(
    paired: Sequence[float], by_run: bool, samples: Compared | None, wanted: Wanted
) -> dict[str, Any] | None:
    """``paired``: row less reference, of each seed and fold that both have; ``by_run``: whether the
    runs tell something of chance; ``samples``: what the bootstrap says. None where nothing can be
    compared."""
    if not paired:
        return None
    value = math.fsum(paired) / len(paired)
    found: dict[str, Any] = {"value": value, "low": None, "high": None, "interval": None}
    found |= {"p": None, "shown": None}
    p = []
    holds_zero = False
    if by_run:
        low, high, _ = t_interval(paired)
        found |= {"low": low, "high": high, "interval": OVER_RUNS}
        p.append(_paired_p(paired))
        holds_zero = low <= 0 <= high
    if samples is not None:
        if not by_run:
            found |= {"low": samples.low, "high": samples.high, "interval": OVER_SAMPLES}
        p.append(samples.p)
        holds_zero = holds_zero or samples.low <= 0 <= samples.high
    known = [one for one in p if not math.isnan(one)]
    if len(known) < len(p) or not known:
        return found
    found["p"] = max(known)
    if not holds_zero:
        lower = wanted.metric.rpartition("/")[2] in {*LOWER_IS_BETTER, "loss"}
        found["shown"] = ROW if (value > 0) != lower else REFERENCE
    return found


def _paired_p(differences: Sequence[float]) -> float:
    from scipy import stats

    if max(differences) == min(differences):  # no spread: no test, unless there is no difference
        return 1.0 if differences[0] == 0 else math.nan
    low, high, deviation = t_interval(differences)
    t = abs(low + high) / 2 / (deviation / math.sqrt(len(differences)))
    return 2 * float(stats.t.sf(t, len(differences) - 1))


def _spread(runs: Runs, wanted: Wanted, out: Path) -> dict[str, Any]:
    values = [run["figures"][wanted.key] for run in runs if wanted.key in run["figures"]]
    found = spread(values)
    if found["interval"] is not None:
        least, most = _bounds(wanted.metric)
        found["low"], found["high"] = max(found["low"], least), min(found["high"], most)
    if len(values) == 1 and not metric_names.of_epoch(wanted.metric):
        run = next(run for run in runs if wanted.key in run["figures"])
        held = metric_names.interval(measured_of(run, wanted.split, out), wanted.metric)
        if held is not None:
            found |= {"low": held["low"], "high": held["high"], "interval": OVER_SAMPLES}
    return found


def _bounds(metric: str) -> tuple[float, float]:
    """Between which a figure lies: an interval beyond would say nothing."""
    name = metric.rpartition("/")[2]
    if name in ("mcc", "kappa"):
        return -1.0, 1.0
    return 0.0, math.inf if name in ("loss", "log_loss", "hd95", "brier") else 1.0


def _values_of(runs: Runs, name: str) -> list[float]:
    return [float(run[name]) for run in runs if run[name] is not None]


def _paired(reference: Runs, runs: Runs, key: str) -> tuple[list[float], bool]:
    """(row less reference, whether that is of several repeats). An ensemble, which has no seed, is
    compared with each run of the other."""
    known = {(run["seed"], run["fold"]): run["figures"].get(key) for run in reference}
    if any(run["seed"] is None for run in (*reference, *runs)):
        ours = [run["figures"][key] for run in runs if key in run["figures"]]
        theirs_all = [one for one in known.values() if one is not None]
        return [one - other for one in ours for other in theirs_all], False
    found = []
    for run in runs:
        value, theirs = run["figures"].get(key), known.get((run["seed"], run["fold"]))
        if value is not None and theirs is not None:
            found.append(value - theirs)
    return found, len(found) > 1
