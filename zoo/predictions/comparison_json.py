"""A comparison as JSON, and which figure of all it goes by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from zoo.errors import PredictionsError, nearest
from zoo.predictions.across_seeds import AcrossSeeds, RecipePair, Spread
from zoo.predictions.comparison import Difference, Pair, Together
from zoo.predictions.drawn import OVERALL, PER_IMAGE, Key, nested
from zoo.tasks import SEGMENTATION


def figure_named(together: Together, name: str | None) -> Key:
    """The overall figure of that name (of masks the mean over images, where there is one); by
    default accuracy, of masks Dice. Raises :class:`PredictionsError` for a name there is not."""
    scopes = (PER_IMAGE, OVERALL) if together.task.kind == SEGMENTATION else (OVERALL,)
    name = name or ("dice" if together.task.kind == SEGMENTATION else "accuracy")
    known = {key.name: key for scope in reversed(scopes)
             for key in together.keys if key.scope == scope}  # fmt: skip
    if name not in known:
        raise PredictionsError(
            f"metric {name!r}{nearest(name, known)}; expected one of {', '.join(known)}"
        )
    return known[name]


def as_json(
    together: Together, pairs: Sequence[Pair], seeds: AcrossSeeds | None, key: Key
) -> dict[str, Any]:
    """Every figure of every side and pair; ``figure``: the one that the tables go by."""
    said, plan, classes = together.sides[0].predictions, together.plan, len(together.task.classes)
    found: dict[str, Any] = {
        "dataset": said.dataset,
        "split": said.split,
        "samples": len(said),
        "units": together.units.name,
        "count": together.units.count,
        "level": plan.level,
        "draws": plan.draws,
        "seed": plan.seed,
        "figure": {"scope": key.scope, "name": key.name},
        "models": [
            {"name": side.name, **nested(_sides(together, number), classes)}
            for number, side in enumerate(together.sides)
        ],
        "pairs": [_pair(pair, plan.level, classes) for pair in pairs],
    }
    if seeds is not None:
        found["recipes"] = [
            {
                "name": recipe.name,
                "seeds": {str(seed): together.sides[side].name
                          for seed, side in recipe.sides.items()},
                **nested({k: _spread(v) for k, v in seeds.spreads(number).items()}, classes),
            }
            for number, recipe in enumerate(seeds.recipes)
        ]  # fmt: skip
        found["recipe_pairs"] = [_recipe_pair(pair, plan.level, classes) for pair in seeds.pairs()]
    return found


def _sides(together: Together, number: int) -> dict[Key, Any]:
    drawn, held = together.drawn[number], together.intervals(number)
    return {
        key: {"value": _number(value), "interval": held[key].as_json()}
        for key, value in zip(drawn.keys, drawn.values, strict=True)
    }


def _pair(pair: Pair, level: float, classes: int) -> dict[str, Any]:
    apart = pair.apart
    return {
        "first": pair.first,
        "second": pair.second,
        "mcnemar": None
        if apart is None
        else {
            "first_alone": apart.first_alone,
            "second_alone": apart.second_alone,
            "p": apart.exact_p,
        },
        **nested(
            {key: _difference(one, one.better(level)) for key, one in pair.differences.items()},
            classes,
        ),
    }


def _recipe_pair(pair: RecipePair, level: float, classes: int) -> dict[str, Any]:
    def both(key: Key, one: Difference) -> dict[str, Any]:
        test = pair.tests[key]
        return {
            **_difference(one, pair.better(key, level)),
            "over_seeds": {
                "test": test.name,
                "count": list(test.count),
                "p": _number(test.p),
                "p_holm": _number(test.p_holm),
            },
        }

    found = {key: both(key, one) for key, one in pair.differences.items()}
    return {"first": pair.first, "second": pair.second, **nested(found, classes)}


def _difference(one: Difference, better: str) -> dict[str, Any]:
    return {
        "value": _number(one.value),
        "interval": one.interval.as_json(),
        "p": _number(one.p),
        "p_holm": _number(one.p_holm),
        "better": better,
    }


def _spread(one: Spread) -> dict[str, Any]:
    return {
        "mean": _number(one.mean),
        "sd": _number(one.deviation),
        "interval": one.interval.as_json(),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
