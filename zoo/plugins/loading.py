"""Load every plugin, each on its own: a bad one costs one warning, everything else works.

pluggy's entry-point loader dies on the first plugin that fails, skips duplicates silently and
ignores misspelt hooks; so entry points are loaded here one by one and only the hook rules (names,
arguments) are pluggy's.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

import pluggy

from zoo.errors import PluginError, ZooWarning, nearest, reason
from zoo.plugins import families, hookspecs, specs

SELECTION_VARIABLE = "ZOO_PLUGINS"


@dataclass(frozen=True)
class Plugin:
    """An installed plugin: its entry point's name, and the distribution that brings it."""

    name: str
    distribution: str
    version: str
    value: str = ""
    load_seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True)
class Problem:
    """Why a plugin, or one of its hooks, is left out."""

    plugin: Plugin
    what: str

    def __str__(self) -> str:
        return (
            f"plugin {self.plugin.name!r} of {self.plugin} not loaded: {self.what}; "
            f"the rest works; remove it with: pip uninstall {self.plugin.distribution}"
        )


@dataclass(frozen=True)
class Loaded:
    plugin: Plugin
    components: tuple[specs.Spec | families.Family, ...]


def installed() -> Iterator[metadata.EntryPoint]:
    """The entry points of group ``zoo``, by distribution; one for each name in a distribution."""
    points = metadata.entry_points(group=hookspecs.GROUP)
    yield from sorted(points, key=lambda point: (_distribution(point)[0], point.name))


def load_all(
    points: Iterable[metadata.EntryPoint] | None = None, selection: str | None = None
) -> tuple[list[Loaded], list[Problem]]:
    """Load ``points`` (default: all installed). ``selection``, by default ``$ZOO_PLUGINS``, is a
    comma-separated list of entry-point or distribution names; empty selects all."""
    chosen = os.environ.get(SELECTION_VARIABLE, "") if selection is None else selection
    loaded: list[Loaded] = []
    problems: list[Problem] = []
    for point in _selected(list(installed() if points is None else points), chosen):
        plugin = Plugin(point.name, *_distribution(point), point.value)
        started = time.perf_counter()
        try:
            # stdout belongs to the command's own answer, which may be JSON.
            with contextlib.redirect_stdout(sys.stderr), _one_process():
                components = tuple(_components(_register(point)))
        # A plugin may raise SystemExit or worse at import; only the user's own Ctrl-C is not its.
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            what = str(error) if isinstance(error, PluginError) else reason(error)
            problems.append(Problem(plugin, what))
            continue
        seconds = time.perf_counter() - started
        loaded.append(Loaded(replace(plugin, load_seconds=seconds), components))
    return loaded, problems


@contextlib.contextmanager
def _one_process() -> Iterator[None]:
    """A plugin that forks must not have the rest of the command done twice."""
    mine = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != mine:
            os._exit(0)


def _selected(points: list[metadata.EntryPoint], chosen: str) -> list[metadata.EntryPoint]:
    """Those of ``points`` that ``chosen`` names by entry point or distribution."""
    names = _names(chosen)
    if not names:
        return points
    known = {name for point in points for name in (point.name, _distribution(point)[0])}
    for name in sorted(names - known):
        warnings.warn(
            f"{SELECTION_VARIABLE} names {name!r}: no such plugin is installed"
            f"{nearest(name, known)}",
            ZooWarning,
            stacklevel=3,
        )
    return [point for point in points if names & {point.name, _distribution(point)[0]}]


def _names(chosen: str) -> set[str]:
    return {name.strip() for name in chosen.split(",") if name.strip()}


def left_out(distribution: str) -> str:
    """What ``$ZOO_PLUGINS`` says where that leaves out all plugins of an installed distribution."""
    chosen = os.environ.get(SELECTION_VARIABLE, "")
    names = _names(chosen)
    own = {point.name for point in installed() if _distribution(point)[0] == distribution}
    return chosen if names and own and not names & {distribution, *own} else ""


def _distribution(point: metadata.EntryPoint) -> tuple[str, str]:
    """Name and version; a damaged installation may lack either."""
    if point.dist is None:
        return "unknown", "0"
    headers: Any = point.dist.metadata
    return headers.get("Name", "unknown"), headers.get("Version", "0")


def _register(point: metadata.EntryPoint) -> pluggy.PluginManager:
    """A manager that holds this one plugin, its hooks checked against the hookspecs."""
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    module = point.load()
    try:
        manager.register(module, name=point.name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(_hook_problem(module, error)) from error
    if not any(manager.get_hookcallers(module) or ()):
        raise PluginError(
            f"{point.value!r} implements no hook; mark one with @zoo.hookimpl, such as "
            f"register_losses"
        )
    return manager


def _hook_problem(module: Any, error: pluggy.PluginValidationError) -> str:
    hooks = [f"register_{plural}" for plural in specs.PLURALS.values()]
    for name in dir(module):
        if hasattr(getattr(module, name, None), f"{hookspecs.GROUP}_impl") and name not in hooks:
            return f"unknown hook {name!r}{nearest(name, hooks)}; hooks are {', '.join(hooks)}"
        if name in hooks and (wanted := _arguments(getattr(module, name))):
            return f"{name} takes {', '.join(wanted)}; a hook takes no argument"
    return " ".join(str(error).split())


def _arguments(hook: Any) -> list[str]:
    parameters = inspect.signature(hook).parameters.values()
    return [parameter.name for parameter in parameters if parameter.default is parameter.empty]


def _components(manager: pluggy.PluginManager) -> Iterator[specs.Spec | families.Family]:
    for spec_type in specs.SPECS:
        hook_name = f"register_{specs.PLURALS[spec_type.kind]}"
        allowed: tuple[type[specs.Spec | families.Family], ...] = (spec_type,)
        if spec_type.kind in families.FAMILIES:
            allowed = (spec_type, families.FAMILIES[spec_type.kind])
        for implementation in getattr(manager.hook, hook_name).get_hookimpls():
            given = implementation.function()
            if not isinstance(given, list | tuple):
                raise PluginError(f"{hook_name} returned {type(given).__name__}; expected a list")
            for component in given:
                if not isinstance(component, allowed):
                    raise PluginError(
                        f"{hook_name} returned a list with a {type(component).__name__}; expected "
                        f"{' or '.join(kind.__name__ for kind in allowed)}"
                    )
                yield component
