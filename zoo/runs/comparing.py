"""Runs, models and predictions files, compared on the same samples from what they predicted.

Neither networks nor data are read: whatever is compared was measured before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.splits import TEST
from zoo.errors import PredictionsError, RunError
from zoo.predictions.across_seeds import AcrossSeeds, Recipe
from zoo.predictions.comparison import Pair, Together
from zoo.predictions.file import load_predictions
from zoo.predictions.intervals import DRAWS, LEVEL, SEED, Plan, planned
from zoo.predictions.measuring import is_file
from zoo.predictions.same_samples import Named
from zoo.registry.config import find
from zoo.runs.folder import RunFolder, find_run
from zoo.runs.naming import as_argument
from zoo.runs.same_recipe import known_by, setting, written_recipe
from zoo.runs.sources import is_path, sha256, weights_of


@dataclass(frozen=True)
class Spoken:
    """``recipe``: by which runs that differ only in their ``seed`` are known; None of a file."""

    named: Named
    recipe: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Comparison:
    """``seeds``: None unless some recipe was run with several seeds."""

    together: Together
    pairs: list[Pair]
    seeds: AcrossSeeds | None


def compare(
    references: Sequence[str | Path],
    *,
    split: str = TEST,
    registry: str | None = None,
    draws: int | None = None,
    seed: int = SEED,
    level: float = LEVEL,
    by_recipe: bool = True,
) -> Comparison:
    """Compare two or more runs, versions or predictions files, by what was predicted of ``split``
    (files say themselves of which). Several runs of one recipe with different seeds are taken
    together, unless ``by_recipe`` is false. ``draws``: 2,000, unless these take long. Raises
    :class:`PredictionsError` where the samples are not the same, or the draws take long and nobody
    asked for them; :class:`RunError` where something has not been measured."""
    if len(references) < 2:
        raise PredictionsError("to compare, give two or more runs, models or predictions files")
    asked = Plan(DRAWS if draws is None else draws, seed, level)
    spoken = _apart([_spoken(str(one), split, registry) for one in references])
    plan, long = planned(spoken[0].named.predictions, draws, asked.seed, asked.level)
    if plan is None:
        raise PredictionsError(f"for each model, {long}")
    together = Together([one.named for one in spoken], plan)
    recipes = _recipes(spoken) if by_recipe else []
    several = any(len(one.sides) > 1 for one in recipes)
    return Comparison(
        together, together.pairs(), AcrossSeeds(together, recipes) if several else None
    )


def _spoken(reference: str, split: str, registry: str | None) -> Spoken:
    if is_file(reference):
        return Spoken(Named(reference, load_predictions(Path(reference))))
    if is_path(reference):
        return _of_run(find_run(reference), split)
    opened, parsed = find(reference, registry)
    record = opened.record(parsed)
    name = f"{record.model}@{record.version}"
    path = Path("predictions") / f"{record.model}-{record.version}" / f"{split}.npz"
    again = f"type: zoo eval {reference} --split {split}"
    if not path.is_file():
        raise RunError(f"{name} has not been measured on {split!r} here; {again}")
    said = load_predictions(path)
    digest = opened.digest(record) if record.ensemble is not None else record.weights_sha256
    if said.source_digest != digest:
        raise RunError(f"{str(path)!r} was predicted by other weights than {name}'s; {again}")
    return Spoken(Named(name, said), *_recipe(record.recipe))


def _of_run(run: RunFolder, split: str) -> Spoken:
    path = run.predictions_path(split)
    again = f"type: zoo eval {as_argument(run.path)} --split {split}"
    if not path.is_file():
        raise RunError(f"run {str(run.path)!r} has not been evaluated on {split!r}; {again}")
    said = load_predictions(path)
    if said.source_digest != sha256(weights_of(run)):
        raise RunError(f"{str(path)!r} was predicted by other weights than the run's; {again}")
    return Spoken(Named(str(run.path), said), *_recipe(written_recipe(run)))


def _recipe(data: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """(What it is known by, seed)."""
    seed = setting(data, "training", "seed")
    if not isinstance(seed, int):
        return None, None
    return known_by(data, {"training": ("seed",)}), seed


def _apart(spoken: Sequence[Spoken]) -> list[Spoken]:
    """Runs by their folder's name alone, where that tells them apart."""
    short = [Path(one.named.name).name for one in spoken]
    times = Counter(short)
    return [
        Spoken(
            Named(name if times[name] == 1 else one.named.name, one.named.predictions),
            one.recipe,
            one.seed,
        )
        for name, one in zip(short, spoken, strict=True)
    ]


def _recipes(spoken: Sequence[Spoken]) -> list[Recipe]:
    """In the order in which each is first met; what has no recipe is one by itself."""
    found: dict[str, dict[int, int]] = {}
    for side, one in enumerate(spoken):
        sides = found.setdefault(one.recipe or f"\n{side}", {})
        seed = one.seed or 0
        if seed in sides:
            raise PredictionsError(
                f"{spoken[sides[seed]].named.name!r} and {one.named.name!r} are of the same recipe "
                f"and seed: to compare all one by one add --each"
            )
        sides[seed] = side
    names = [[spoken[side].named.name for side in sides.values()] for sides in found.values()]
    return [
        Recipe(one[0] if len(one) == 1 else f"{one[0]} (+{len(one) - 1})", sides)
        for one, sides in zip(names, found.values(), strict=True)
    ]
