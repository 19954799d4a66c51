"""The contract check that every plugin's tests run, first-party and third-party alike.

Each component is built with its default options and used as zoo will use it. What goes wrong is
collected, so that one run shows everything there is to mend.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from zoo.errors import ContractError, PluginError, ZooError, nearest, reason
from zoo.plugins import check_inputs, check_networks, check_schedules, loading
from zoo.plugins.catalog import Catalog, Component, catalog
from zoo.plugins.specs import PLURALS, DatasetFamily, DatasetSpec, Family

# Yields what is wrong; what it raises is wrong, too.
Check = Callable[[Component], Iterator[str]]


@dataclass(frozen=True)
class Checked:
    """A component that keeps its contract; ``note`` says what could not be tried."""

    kind: str
    name: str
    note: str = ""


def check_plugin(name: str, roots: Mapping[str, Path] | None = None) -> list[Checked]:
    """Check every component of the plugin of that entry-point or distribution name.

    ``roots``: folders of data, by dataset name; a dataset that needs a folder and has none here is
    not built, which its note says. Of a family the first member is checked, and those that
    ``roots`` names. Raises :class:`ContractError`, a ``PluginError``, with a line for each problem
    of each component.
    """
    found = [one for one in catalog().loaded if _is_called(one.plugin, name)]
    problems = [str(one) for one in catalog().problems if _is_called(one.plugin, name)]
    if problems:
        raise ContractError(problems)
    if not found:
        known = [one.plugin.distribution for one in catalog().loaded]
        raise PluginError(
            f"plugin {name!r} is not installed{nearest(name, known)}; see: zoo plugins list"
        )
    return [checked for one in found for checked in check_loaded(one, roots or {})]


def check_loaded(loaded: loading.Loaded, roots: Mapping[str, Path]) -> list[Checked]:
    """:func:`check_plugin` for a plugin that is already loaded."""
    every: list[Checked] = []
    problems: list[str] = []
    for component in _components(loaded, roots):
        check, note = _check_of(component, roots)
        what = list(_problems(component, check))
        problems += [f"{component}: {one}" for one in what]
        every.append(Checked(component.kind, component.name, note))
    if problems:
        raise ContractError(problems)
    return every


def _is_called(plugin: loading.Plugin, name: str) -> bool:
    same_distribution = canonicalize_name(plugin.distribution) == canonicalize_name(name)
    return plugin.name == name or same_distribution


def _components(loaded: loading.Loaded, roots: Mapping[str, Path]) -> Iterator[Component]:
    alone = Catalog([loaded])
    for kind in PLURALS:
        seen: set[int] = set()  # two families may share a prefix
        for component in alone.components(kind):
            if isinstance(component.spec, Family):
                first = id(component.spec) not in seen
                seen.add(id(component.spec))
                if not first and component.name not in roots:
                    continue
            yield component


def _problems(component: Component, check: Check) -> Iterator[str]:
    if not component.spec.source:
        yield "no source: name the paper, book or library it comes from"
    try:
        component.bind({})
        yield from check(component)
    except ZooError as error:
        # What the catalog raises names the component already, in either of two ways.
        text = str(error).removeprefix(str(component))
        yield text.removeprefix(f"{component.kind} {component.name!r}").lstrip(": ")
    except Exception as error:
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
