"""The contract check that every plugin's tests run, first-party and third-party alike.

Each component is built with its default options and used as zoo will use it. What goes wrong is
collected, so that one run shows everything there is to mend.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from zoo.errors import ContractError, PluginError, ZooError, nearest, reason
from zoo.plugins import check_inputs, check_networks, check_schedules, loading
from zoo.plugins.catalog import Catalog, Component, catalog
from zoo.plugins.facts import facts_of
from zoo.plugins.families import DatasetFamily, Family
from zoo.plugins.specs import PLURALS, DatasetSpec

# Yields what is wrong; what it raises is wrong, too.
Check = Callable[[Component], Iterator[str]]
_SMALL = 30_000_000  # parameters: of larger members a sample would take minutes
_TRIED = 224  # pixels, the largest side that is tried; some take no less than they were made for


@dataclass(frozen=True)
class Checked:
    """A component that was checked; ``note`` says what could not be tried; ``problems``: a line for
    each way in which it breaks its contract."""

    kind: str
    name: str
    note: str = ""
    problems: tuple[str, ...] = ()


def check_plugin(name: str, roots: Mapping[str, Path] | None = None) -> list[Checked]:
    """Check every component of the plugin of that entry-point or distribution name.

    ``roots``: folders of data, by dataset name; a dataset that needs a folder and has none here is
    not built, which its note says. Of a family the first member is checked, and those that
    ``roots`` names. Raises :class:`ContractError`, a ``PluginError``, with a line for each problem
    of each component.
    """
    return [one for loaded in plugins_called(name) for one in check_loaded(loaded, roots or {})]


def check_loaded(loaded: loading.Loaded, roots: Mapping[str, Path]) -> list[Checked]:
    """:func:`check_plugin` for a plugin that is already loaded."""
    every = [check_component(one, roots) for one in components_to_check(loaded, roots)]
    if problems := [problem for one in every for problem in one.problems]:
        raise ContractError(problems)
    return every


def plugins_called(name: str) -> list[loading.Loaded]:
    """Those of that entry-point or distribution name. Raises :class:`ContractError` when one of
    them does not load, :class:`PluginError` when there is none."""
    found = [one for one in catalog().loaded if _is_called(one.plugin, name)]
    problems = [str(one) for one in catalog().problems if _is_called(one.plugin, name)]
    if problems:
        raise ContractError(problems)
    if not found:
        known = [one.plugin.distribution for one in catalog().loaded]
        raise PluginError(
            f"plugin {name!r} is not installed{nearest(name, known)}; see: zoo plugins list"
        )
    return found


def check_component(component: Component, roots: Mapping[str, Path]) -> Checked:
    """``roots``: as in :func:`check_plugin`. What is wrong is in what is returned."""
    check, note = _check_of(component, roots)
    problems = tuple(f"{component}: {one}" for one in _problems(component, check))
    return Checked(component.kind, component.name, note, problems)


def components_to_check(
    loaded: loading.Loaded, roots: Mapping[str, Path], members: int | None = 1
) -> list[Component]:
    """All of the plugin's, but of a family only so many ``members``, and those that ``roots``
    names; None for all. Of several, small ones, where the family says how large they are."""
    alone = Catalog([loaded])
    found: list[Component] = []
    for kind in PLURALS:
        families: dict[int, list[Component]] = {}  # two may share a prefix
        for component in alone.components(kind):
            if not isinstance(component.spec, Family) or members is None:
                found.append(component)
            else:
                families.setdefault(id(component.spec), []).append(component)
        for family in families.values():
            sample = _sample(family, 1 if members is None else members)
            found += [one for one in family if one in sample or one.name in roots]
    return found


def _sample(family: Sequence[Component], members: int) -> Sequence[Component]:
    """The first that is small, or so many evenly spread over the names."""
    small = [one for one in family if _is_small(one)] or family
    return small[:: max(1, len(small) // members)][:members]


def _is_small(component: Component) -> bool:
    try:
        facts = facts_of(component)
    except ZooError:  # which its own check reports
        return True
    if facts is None:
        return True
    few = facts.parameters is None or facts.parameters <= _SMALL
    return few and max(facts.image_size or (0,)) <= _TRIED


def _is_called(plugin: loading.Plugin, name: str) -> bool:
    same_distribution = canonicalize_name(plugin.distribution) == canonicalize_name(name)
    return plugin.name == name or same_distribution


def _problems(component: Component, check: Check) -> Iterator[str]:
    if not component.spec.source:
        yield "no source: name the paper, book or library it comes from"
    try:
        component.bind({})
        facts_of(component)
        yield from check(component)
    except ZooError as error:
        # What the catalog raises names the component already, in either of two ways.
        text = str(error).removeprefix(str(component))
        yield text.removeprefix(f"{component.kind} {component.name!r}").lstrip(": ")
    except (Exception, SystemExit) as error:
        yield reason(error)


def _check_of(component: Component, roots: Mapping[str, Path]) -> tuple[Check, str]:
    """What to check of it, and what that leaves out."""
    if (missing := component.missing()) is not None:
        return _unbuilt, f"not built: {missing}"
    if not isinstance(component.spec, DatasetSpec | DatasetFamily):
        return _CHECKS[component.kind], ""
    root = roots.get(component.name)
    if component.spec.needs_root and root is None:
        note = f"not built: it needs files; give check_plugin roots={{{component.name!r}: folder}}"
        return check_inputs.rootless_dataset, note
    return functools.partial(check_inputs.dataset, root=root), ""


def _unbuilt(component: Component) -> Iterator[str]:
    return iter(())


_CHECKS: dict[str, Check] = {
    "architecture": check_networks.architecture,
    "loss": check_networks.loss,
    "sampler": check_inputs.sampler,
    "augmentation": check_inputs.augmentation,
    "optimizer": check_schedules.optimizer,
    "scheduler": check_schedules.scheduler,
    "tracker": check_schedules.tracker,
}
