"""What a shell offers for a half-typed argument: names from the catalog, runs and registries.

Nothing here may print, warn or fail: the shell is in the middle of a line.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable

import typer

Complete = Callable[[str], list[str]]


def _quietly(names: Callable[[], Iterable[str]]) -> Complete:
    """A completion function over ``names``: those that begin with what is typed."""

    def complete(incomplete: str) -> list[str]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return [name for name in names() if name.startswith(incomplete)]
            except Exception:
                return []

    return complete


def complete_component(kind: str | None = None) -> Complete:
    """Names of one kind, such as ``"dataset"``; of every kind without one."""

    def component_names() -> list[str]:
        from zoo.plugins.catalog import catalog
        from zoo.plugins.specs import PLURALS

        kinds = PLURALS if kind is None else [kind]
        return sorted({name for one in kinds for name in catalog().names(one)})

    return _quietly(component_names)


def complete_of_kind(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the kind that was typed before, as ``losses``."""
    from zoo.plugins.specs import PLURALS

    typed = ctx.params.get("kind")
    kinds = [kind for kind, plural in PLURALS.items() if typed in (kind, plural)]
    return complete_component(kinds[0])(incomplete) if kinds else []


@_quietly
def complete_kind() -> Iterable[str]:
    from zoo.plugins.specs import PLURALS

    return PLURALS.values()


@_quietly
def complete_task() -> Iterable[str]:
    from zoo.tasks import KINDS

    return KINDS


@_quietly
def complete_plugin() -> Iterable[str]:
    from zoo.plugins.loading import installed

    return sorted({point.name for point in installed()})


def complete_words(*words: str) -> Complete:
    return _quietly(lambda: words)


def complete_runs(incomplete: str) -> list[str]:
    """Paths; bare names, where that is what was begun."""
    return _run_paths(incomplete) or _run_names(incomplete)


@_quietly
def _run_paths() -> Iterable[str]:
    from zoo.runs.folder import list_runs

    return [str(run.path) for run in list_runs()]


@_quietly
def _run_names() -> Iterable[str]:
    from zoo.runs.folder import list_runs

    return [run.path.name for run in list_runs()]


@_quietly
def complete_models() -> Iterable[str]:
    from zoo.registry.config import open_registry

    opened = open_registry()
    return opened.models() if opened.tree.local else ()  # a shell does not wait for a network


@_quietly
def complete_registries() -> Iterable[str]:
    from zoo.registry.config import registries

    return registries().places


def complete_runs_and_models(incomplete: str) -> list[str]:
    return complete_runs(incomplete) + complete_models(incomplete)
