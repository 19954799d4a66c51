"""Every figure of every draw: what intervals and comparisons are computed from.

Shapes: N samples, K classes, F figures, D draws of the bootstrap, J of the jackknife.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from zoo.predictions.bca import Shape
from zoo.predictions.resampling import Units

OVERALL, PER_IMAGE = "overall", "per_image"
BY_CLASS, PER_IMAGE_BY_CLASS = "by_class", "per_image_by_class"


class Key(NamedTuple):
    """``scope``: ``overall``, ``macro``, ``micro``, ``weighted``, ``by_class``, or of masks
    ``per_image`` and ``per_image_by_class``; ``label``: the class, -1 where it is of none."""

    scope: str
    name: str
    label: int = -1


class Measured(Protocol):
    """A classification or a segmentation, whose figures are asked for by weights."""

    def figures(self, weights: np.ndarray | None = None) -> Any: ...


@dataclass(frozen=True)
class Drawn:
    """``values``: (F,) of all samples, NaN where undefined; ``draws``: (F, D); ``left``: (F, J).
    Differences of two of them on the same units are those of the figures, draw by draw."""

    keys: tuple[Key, ...]
    values: np.ndarray
    draws: np.ndarray
    left: np.ndarray
    units: Units

    @classmethod
    def of(cls, measured: Measured, units: Units, draws: int, seed: int) -> Drawn:
        keys, values = zip(*_flat(measured.figures()), strict=True)

        def columns(blocks: Iterator[np.ndarray]) -> np.ndarray:
            parts = [np.array([v for _, v in _flat(measured.figures(one))]) for one in blocks]
            return np.concatenate(parts, axis=1)

        return cls(
            keys,
            np.array(values, np.float64),
            columns(units.draws(draws, seed)),
            columns(units.without()),
            units,
        )

    def __sub__(self, other: Drawn) -> Drawn:
        assert self.keys == other.keys
        return Drawn(
            self.keys,
            self.values - other.values,
            self.draws - other.draws,
            self.left - other.left,
            self.units,
        )

    def shape(self, place: int) -> Shape:
        """Of the figure at ``place``."""
        return Shape.of(
            float(self.values[place]), self.draws[place], self.left[place], self.units.count
        )


def mean_of(several: list[Drawn]) -> Drawn:
    """The mean of the figures, as of several seeds, draw by draw."""
    first = several[0]
    assert all(one.keys == first.keys for one in several)
    return Drawn(
        first.keys,
        np.mean([one.values for one in several], axis=0),
        np.mean([one.draws for one in several], axis=0),
        np.mean([one.left for one in several], axis=0),
        first.units,
    )


def nested(by_key: Mapping[Key, Any], classes: int) -> dict[str, Any]:
    """As figures are written: ``overall``, ``averages`` and ``per_class`` (a list), and of masks
    ``per_image`` and ``per_image_by_class``, each by figure."""
    tables: dict[str, dict[str, Any]] = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    for key, value in by_key.items():
        if key.label < 0:
            tables.setdefault(key.scope, {})[key.name] = value
        else:
            rows.setdefault(key.scope, [{} for _ in range(classes)])[key.label][key.name] = value
    plain = {OVERALL: tables.pop(OVERALL), "per_class": rows.pop(BY_CLASS)}
    if PER_IMAGE in tables:
        plain |= {PER_IMAGE: tables.pop(PER_IMAGE), **rows}
    return {**plain, "averages": tables}


def _flat(figures: Any) -> Iterator[tuple[Key, np.ndarray]]:
    """Of ``classification.Figures`` or ``segmentation.MaskFigures``."""
    for scope, table in ((OVERALL, figures.overall), *figures.averages.items()):
        yield from ((Key(scope, name), values) for name, values in table.items())
    yield from _classes(BY_CLASS, figures.by_class)
    images = getattr(figures, "per_image", None)
    if images is not None:
        yield from ((Key(PER_IMAGE, name), values) for name, values in images.values.items())
        yield from _classes(PER_IMAGE_BY_CLASS, figures.per_image_by_class.values)


def _classes(scope: str, table: Mapping[str, np.ndarray]) -> Iterator[tuple[Key, np.ndarray]]:
    for name, values in table.items():
        if name != "support":
            yield from ((Key(scope, name, label), one) for label, one in enumerate(values))
