"""The recipe's trackers, as subscribers that cannot end a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from zoo.errors import PluginError, reason
from zoo.plugins.catalog import Catalog, Component
from zoo.plugins.contexts import TrackerContext
from zoo.recipes.schema import Recipe
from zoo.recipes.writing import recipe_data
from zoo.training.events import Event, Notice, Subscriber


def require(recipe: Recipe, installed: Catalog) -> None:
    """Raises :class:`PluginError` when the library behind a tracker is not installed."""
    for one in recipe.trackers:
        component = installed.get("tracker", one.name)
        if (missing := component.missing()) is not None:
            raise PluginError(f"{component}: {missing}")


@contextmanager
def trackers(
    recipe: Recipe, run: Path, installed: Catalog, tell: Subscriber, *, resumed: bool = False
) -> Iterator[list[Subscriber]]:
    """The trackers, built; closed at the end, however that comes. One that cannot be built raises.
    One that fails later is named by a :class:`Notice` to ``tell`` and hears no more."""
    context = TrackerContext(run, recipe_data(recipe), resumed)
    with ExitStack() as open_ones:
        made: list[Subscriber] = []
        for one in recipe.trackers:
            component = installed.get("tracker", one.name)
            guarded = _Guarded(component, component.build(context, one.options), tell)
            open_ones.callback(guarded.close)
            made.append(guarded)
        yield made


class _Guarded:
    """A tracker that is left out once it failed: training is worth more than its curves."""

    def __init__(self, component: Component, made: Any, tell: Subscriber) -> None:
        if not callable(made):
            raise PluginError(
                f"{component} returned {type(made).__name__}; expected a callable (event) -> None"
            )
        self._component = component
        self._made: Any = made
        self._tell = tell

    def __call__(self, event: Event) -> None:
        if self._made is None:
            return
        try:
            self._made(event)
        except Exception as error:
            failed, self._made = self._made, None
            with contextlib.suppress(Exception):
                _close(failed)
            self._give_up(error)

    def close(self) -> None:
        made, self._made = self._made, None
        try:
            _close(made)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._tell(Notice(f"{self._component} failed: {reason(error)}; the run goes on without it"))


def _close(tracker: Any) -> None:
    close = getattr(tracker, "close", None)
    if callable(close):
        close()
