"""A metric against a key of the recipe, and against the amount of data with a power law fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.reports.blocks import Chart
from zoo.reports.style import FAINT, INK, in_style, new_figure, plain
from zoo.studies.figures.asked import Asked, Look, Row, left_out, repeats
from zoo.studies.published import printed_number
from zoo.studies.schema import GRID, ONE_AT_A_TIME
from zoo.studies.settings import value_text
from zoo.studies.values import value_at
from zoo.tasks import LOWER_IS_BETTER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEIGHT, _LINE = 54.0, 4.2  # mm
_TICKS = 8  # values up to which each has its number
_SHORT = 18  # letters of a name, of which two have room side by side
_LEAST = 3  # points that a power law is fitted to


@dataclass(frozen=True)
class Point:
    """``low`` and ``high``: the ends of the interval, NaN where there is none; ``runs``: each run's
    value; ``published``: the report's, NaN where it has none."""

    x: float
    y: float
    low: float
    high: float
    runs: Sequence[float]
    published: float


@dataclass(frozen=True)
class Law:
    """error = ``scale`` * x ** -``exponent``, the error being 1 - metric where more is better."""

    scale: float
    exponent: float


def metric_against(asked: Asked) -> Chart | None:
    return _chart(asked, "")


def learning_curve(asked: Asked) -> Chart | None:
    """With error = a * n ** -b fitted by least squares to the logarithms (Cortes et al., "Learning
    Curves: Asymptotic Values and Rate of Convergence", 1993; Hestness et al., 2017,
    arXiv:1712.00409), of the means."""
    metric = asked.metrics[0]
    points = [one for _, some in _series(asked, metric) for one in some]
    law = fit_power_law(
        np.array([one.x for one in points]),
        np.array([_error(one.y / asked.factor, metric) for one in points]),
    )
    if law is None:
        few = f"fewer than {_LEAST} amounts of data, or a metric without an error, as 1 is"
        return _chart(asked, f"No power law is fitted: {few}.")
    what = asked.key_label(str(asked.figure["x"]))
    error = metric if _lower(metric) else f"1 - {metric}"
    said = f"Drawn through: {error} = {law.scale:.3g} · n^-{law.exponent:.3g}, n: {what}."
    return _chart(asked, said, law)


def fit_power_law(amounts: np.ndarray, errors: np.ndarray) -> Law | None:
    """``amounts`` and ``errors``: float (P,). None of fewer than three different amounts, or where
    an error is not above 0."""
    if len(set(amounts.tolist())) < _LEAST or not (amounts > 0).all() or not (errors > 0).all():
        return None
    slope, start = np.polyfit(np.log(amounts), np.log(errors), 1)
    return Law(math.exp(start), -float(slope))


def _error(value: float, metric: str) -> float:
    return value if _lower(metric) else 1 - value


def _lower(metric: str) -> bool:
    return metric.rpartition("/")[2] in {*LOWER_IS_BETTER, "loss"}


def _chart(asked: Asked, said: str, law: Law | None = None) -> Chart | None:
    metric = asked.metrics[0]
    series = [(name, points) for name, points in _series(asked, metric) if points]
    if not series:
        return None
    drawn = {id(row) for row in _rows(asked) if _point(asked, row, metric) is not None}
    missing = [row for row in _rows(asked) if id(row) not in drawn]
    several = repeats(asked.rows) > 1
    bars = "Bars: 95 % intervals" + (" of the mean; dots: each run." if several else ".")
    bars = bars if any(not math.isnan(p.low) for _, some in series for p in some) else ""
    caption = " ".join(filter(None, (said, bars, left_out(missing))))
    figure = draw_against(
        series, asked.key_label(str(asked.figure["x"])), asked.label(metric),
        log_x=_flag(asked, "log_x"), log_y=_flag(asked, "log_y"), factor=asked.factor, law=law,
        lower=_lower(metric),
    )  # fmt: skip
    return Chart(asked.name, asked.title, figure, caption)


def _flag(asked: Asked, name: str) -> bool:
    return bool(asked.figure.get(name))


def _rows(asked: Asked) -> list[Row]:
    """Of a table that varies one key at a time those that vary this one."""
    if asked.table["kind"] == ONE_AT_A_TIME and not asked.figure.get("rows"):
        x = str(asked.figure["x"])
        name = asked.table["labels"].get(x, x)  # so do rows call the key that they vary
        return [row for row in asked.rows if row["varied"] == name]
    return asked.rows


def _series(asked: Asked, metric: str) -> list[tuple[str, list[Point]]]:
    """(name, points by x) of each line: of a grid one for each combination of the other keys."""
    groups: dict[str, list[Point]] = {}
    for row in _rows(asked):
        point = _point(asked, row, metric)
        if point is not None:
            groups.setdefault(_group(asked, row), []).append(point)
    return [(name, sorted(some, key=lambda one: one.x)) for name, some in groups.items()]


def _group(asked: Asked, row: Row) -> str:
    if asked.table["kind"] != GRID:
        return ""
    others = {key: value for key, value in row["settings"].items() if key != asked.figure["x"]}
    varied = [key for key in others if len(_values(asked, key)) > 1]
    return ", ".join(f"{asked.key_label(key)}={value_text(others[key])}" for key in varied)


def _values(asked: Asked, key: str) -> set[str]:
    return {repr(row["settings"].get(key)) for row in asked.rows}


def _point(asked: Asked, row: Row, metric: str) -> Point | None:
    x = amount(value_at(row["recipe"] or {}, str(asked.figure["x"])))
    key = asked.key(metric)
    found = row["statistics"].get(key)
    if x is None or found is None or found["mean"] is None:
        return None
    if asked.figure.get("log_x") and x <= 0:
        return None
    factor = asked.factor
    low, high = (math.nan if found[end] is None else found[end] * factor for end in ("low", "high"))
    runs = [run["figures"][key] * factor for run in row["runs"] if key in run["figures"]]
    return Point(x, found["mean"] * factor, low, high, runs, published(asked, row, metric))


def amount(value: Any) -> float | None:
    """A number, or the side of a square; None of anything else."""
    if isinstance(value, list) and len(value) == 2 and value[0] == value[1]:
        value = value[0]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def published(asked: Asked, row: Mapping[str, Any], metric: str) -> float:
    """In the figure's unit; NaN where the report has none."""
    for column in asked.table["columns"]:
        if column.get("metric") == metric and column.get("published"):
            value = printed_number(row["published"].get(column["published"], ""))
            if value is None:
                return math.nan
            return value * asked.factor / (100.0 if column.get("percent") else 1.0)
    return math.nan


@in_style
def draw_against(
    series: Sequence[tuple[str, Sequence[Point]]],
    x_label: str,
    y_label: str,
    *,
    log_x: bool,
    log_y: bool,
    factor: float,
    law: Law | None,
    lower: bool,
) -> Figure:
    named = [name for name, _ in series if name]
    beside = 1 if any(len(name) > _SHORT for name in named) else 2
    figure = new_figure(_HEIGHT + _LINE * (-(-(len(named) + 1) // beside)))
    axes = figure.add_subplot()
    for place, (name, points) in enumerate(series):
        _draw(axes, points, Look.number(place), name, connected=law is None)
    every = [point for _, points in series for point in points]
    if any(not math.isnan(one.published) for one in every):
        axes.plot(
            [one.x for one in every], [one.published for one in every], "D", color=INK,
            fillstyle="none", markersize=4.5, markeredgewidth=0.8, label="published", zorder=4,
        )  # fmt: skip
    if log_x:
        axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")
    if law is not None:
        _draw_law(axes, every, law, factor, lower=lower)
    _name(axes, sorted({one.x for one in every}), log_x=log_x, log_y=log_y)
    axes.set(xlabel=x_label, ylabel=y_label)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside upper left", ncols=beside)
    return figure


def _draw(axes: Any, points: Sequence[Point], look: Look, name: str, *, connected: bool) -> None:
    x, y = np.array([one.x for one in points]), np.array([one.y for one in points])
    axes.plot(
        x, y, color=look.colour, marker=look.marker, markersize=4,
        linestyle=look.dashes if connected else "none", label=name or None,
    )  # fmt: skip
    low, high = np.array([one.low for one in points]), np.array([one.high for one in points])
    known = ~np.isnan(low + high)
    axes.vlines(x[known], low[known], high[known], color=look.colour, linewidth=3.5, alpha=0.3)
    for one in points:
        if len(one.runs) > 1:
            axes.plot([one.x] * len(one.runs), one.runs, ".", color=look.colour, alpha=0.5,
                      markersize=2.5)  # fmt: skip


def _draw_law(axes: Any, points: Sequence[Point], law: Law, factor: float, *, lower: bool) -> None:
    low, high = min(one.x for one in points), max(one.x for one in points)
    x = np.geomspace(low, high, 100)
    errors = law.scale * x**-law.exponent
    seen = errors if lower else np.maximum(1 - errors, 0)
    axes.plot(x, seen * factor, color=FAINT, linewidth=1.0, zorder=1,
              label="power law")  # fmt: skip


def _name(axes: Any, values: Sequence[float], *, log_x: bool, log_y: bool) -> None:
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    if log_x or _apart(values):
        axes.xaxis.set_major_locator(FixedLocator(list(values[:: -(-len(values) // _TICKS)])))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.xaxis.set_minor_locator(NullLocator())
    if not log_y:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6))
    if log_x:
        axes.set_xlim(values[0] / 1.25, values[-1] * 1.25)


def _apart(values: Sequence[float]) -> bool:
    """Whether their numbers have room on an axis."""
    if len(values) < 2:
        return True
    gaps = np.diff(values) / (values[-1] - values[0])
    return len(values) <= _TICKS and float(gaps.min()) > 0.09
