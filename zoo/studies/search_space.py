"""The recipes that a search may draw, from the one that it changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zoo.plugins.catalog import Catalog
from zoo.recipes.flags import Override
from zoo.recipes.reading import complete
from zoo.recipes.schema import Recipe
from zoo.recipes.sources import Draft, plain_copy
from zoo.studies.parts import SearchPart
from zoo.studies.schema import Span


def recipe_at(
    base: Mapping[str, Any], search: SearchPart, drawn: Mapping[str, Any], catalog: Catalog
) -> Recipe:
    """``base``: whole, as plain data; ``drawn``: a value of each key of the search. Raises
    :class:`zoo.errors.RecipeError`."""
    over = [Override(key, value, search.origins[key]) for key, value in drawn.items()]
    return complete(Draft(plain_copy(base)), [over], catalog)[0]


def corners(search: SearchPart) -> Iterator[dict[str, Any]]:
    """Each end, or choice, of each key beside the first ones of all others: what is wrong with any
    of them is found before a trial draws it."""
    ends = {key: _ends(one) for key, one in search.space.items()}
    first = {key: values[0] for key, values in ends.items()}
    yield first
    for key, values in ends.items():
        for value in values[1:]:
            yield {**first, key: value}


def _ends(one: Span | tuple[Any, ...]) -> tuple[Any, ...]:
    if isinstance(one, tuple):
        return one
    return (one.low, one.high) if one.whole else (float(one.low), float(one.high))
