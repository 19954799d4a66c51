"""What is known of an architecture without building it: from its family, which imports nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from zoo.errors import PluginError, ZooError, reason
from zoo.plugins.catalog import Component, resolve
from zoo.plugins.families import ArchitectureFamily
from zoo.plugins.specs import Facts


def facts_of(component: Component) -> Facts | None:
    """None where nobody says: of every architecture that is no family's, and of families without
    facts. Raises :class:`PluginError` when the family fails to say."""
    spec = component.spec
    if not isinstance(spec, ArchitectureFamily) or spec.facts is None:
        return None
    try:
        found = _source(Component(spec.kind, spec.prefix, spec, component.plugin))(
            component.name.partition("/")[2]
        )
    except ZooError:
        raise
    except Exception as error:
        raise PluginError(f"{component}: its facts cannot be read: {reason(error)}") from error
    if not isinstance(found, Facts):
        raise PluginError(f"{component}: facts returned {found!r}; expected a zoo.Facts")
    return found


def tasks_of(component: Component, facts: Facts | None) -> frozenset[str]:
    """The tasks it serves; a family may hold members that serve only some of its own."""
    tasks = component.spec.tasks if facts is None or facts.tasks is None else facts.tasks
    return frozenset(tasks)


def has_pretrained(component: Component, facts: Facts | None) -> bool:
    """Whether it has published weights; where there are no facts, whether it can be asked for."""
    if facts is not None:
        return bool(facts.pretrained)
    return getattr(component.spec, "pretrained", None) is not None


@functools.cache
def _source(family: Component) -> Callable[[str], Any]:
    assert isinstance(family.spec, ArchitectureFamily) and family.spec.facts is not None
    return resolve(family, family.spec.facts)
