"""What ``zoo components`` shows of components."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .dry_run import count_text, form_text, show_layers
from .tables import show_fields, show_table

if TYPE_CHECKING:
    from zoo.plugins.catalog import Component
    from zoo.plugins.listing import Listed
    from zoo.plugins.options import Option
    from zoo.plugins.specs import Facts
    from zoo.training.architecture_cost import Cost

_BOUND = "its rates span all epochs of the recipe, so zoo resume --epochs refuses it"


@dataclass(frozen=True)
class Form:
    """How an architecture is looked at. ``size``: (height, width); None: as it was made.
    ``sides``: whether to try which ones it takes."""

    size: tuple[int, int] | None = None
    channels: int = 3
    outputs: int | None = None
    sides: bool = False


@dataclass
class Seen:
    """A component and what was learnt of it. ``sides``: those taken and those refused, in pixels;
    ``problems``: a line for each thing that could not be learnt."""

    component: Component
    tasks: frozenset[str]
    facts: Facts | None = None
    options: list[Option] | None = None
    cost: Cost | None = None
    sides: tuple[list[int], list[int]] | None = None
    problems: list[str] = field(default_factory=list)


def look_at(component: Component, form: Form) -> Seen:
    from zoo.errors import ZooError
    from zoo.plugins.facts import facts_of, tasks_of

    seen = Seen(component, frozenset(component.spec.tasks))
    try:
        seen.facts = facts_of(component)
    except ZooError as error:
        seen.problems.append(str(error))
    seen.tasks = tasks_of(component, seen.facts)
    try:
        seen.options = list(component.options)
        if component.kind == "architecture" and not any(one.required for one in seen.options):
            _look_inside(seen, form)
    except ZooError as error:
        seen.problems.append(str(error))
    return seen


def _look_inside(seen: Seen, form: Form) -> None:
    from zoo.training.architecture_cost import cost_of, sides_of

    made_for = None if seen.facts is None else seen.facts.image_size
    if form.sides:
        seen.sides = sides_of(seen.component, seen.tasks, form.channels, form.outputs)
    seen.cost = cost_of(
        seen.component,
        seen.tasks,
        size=form.size,
        made_for=made_for,
        channels=form.channels,
        outputs=form.outputs,
    )


def show_list(found: Sequence[Listed], kind: str, *, narrowed: bool) -> None:
    from zoo.plugins.specs import PLURALS
    from zoo.tasks import KINDS

    columns: dict[str, list[object]] = {"name": [one.component.name for one in found]}
    if any(one.facts for one in found):
        columns["parameters"] = [_parameters(one.facts) or None for one in found]
        columns["pretrained"] = [_first_tag(one.facts) for one in found]
    columns["plugin"] = [one.component.plugin.distribution for one in found]
    if any(len(one.tasks) < len(KINDS) for one in found):
        columns["tasks"] = [sorted(one.tasks) for one in found]
    columns["summary"] = [one.component.summary for one in found]
    plural = PLURALS[kind]
    empty = f"no {plural} found; see: zoo plugins list"
    if narrowed:
        empty = f"no {plural} like that; all of them: zoo components list {plural}"
    rows = list(zip(*columns.values(), strict=True))
    show_table(list(columns), rows, empty=empty, right=("parameters",))


def listed_row(one: Listed) -> dict[str, Any]:
    return {**_row(one.component, one.tasks), **_facts(one.component, one.facts)}


def seen_data(seen: Seen) -> dict[str, Any]:
    """For JSON; what could not be learnt is null."""
    component, options, cost = seen.component, seen.options, seen.cost
    data = {
        **_row(component, seen.tasks),
        "source": component.spec.source,
        **_traits(component),
        **_facts(component, seen.facts),
    }
    if component.kind == "architecture":
        shape = {} if cost is None else {"output": cost.output, **dataclasses.asdict(cost.layers)}
        data["cost"] = shape or None
    if seen.sides is not None:
        data["sides"] = dict(zip(("taken", "refused"), seen.sides, strict=True))
    data["options"] = None if options is None else [_option(option) for option in options]
    return {**data, "problems": seen.problems}


def show_seen(seen: Seen, *, layers: bool) -> None:
    component, options = seen.component, seen.options
    bound = _traits(component).get("bound_to_budget")
    show_fields(
        {
            component.kind: component.name,
            "summary": component.summary,
            "source": component.spec.source,
            "tasks": sorted(seen.tasks),
            "plugin": f"{component.plugin.name} of {component.plugin}",
            "files": getattr(component.spec, "files", ""),
            "budget": _BOUND if bound else "",
            "missing": component.missing() or "",
            **_facts_fields(seen.facts),
            **_sides_fields(seen.sides),
            **_cost_fields(seen.cost),
        }
    )
    if options:
        print()
        rows = [
            (one.name, one.type_text, "required" if one.required else repr(one.default))
            for one in options
        ]
        show_table(("option", "type", "default"), rows, empty="")
    elif options is not None:
        print("it has no options")
    if layers and seen.cost is not None:
        print()
        show_layers(seen.cost.layers)


def _facts_fields(facts: Facts | None) -> Mapping[str, object]:
    if facts is None:
        return {}
    size, smallest = facts.image_size, facts.smallest
    return {
        "paper": facts.source,
        "published": f"{_parameters(facts)} parameters" if facts.parameters else "",
        "pretrained": facts.pretrained or "",
        "licence": facts.licence,
        "made for": f"{form_text(size)} pixels" if size else "",
        "smallest": f"{smallest} pixels a side" if smallest else "",
    }


def _sides_fields(sides: tuple[list[int], list[int]] | None) -> Mapping[str, object]:
    if sides is None:
        return {}
    return {"takes sides": sides[0] or "", "refuses sides": sides[1] or ""}


def _cost_fields(cost: Cost | None) -> Mapping[str, object]:
    if cost is None:
        return {}
    layers = cost.layers
    return {
        "input": f"{form_text(layers.image)}, to {form_text(cost.output)} outputs",
        "parameters": f"{layers.parameters:,}",
        "FLOPs": f"{count_text(layers.flops)} forward, two a multiply-add; about "
        f"{count_text(layers.training_flops)} in training",
    }


def _parameters(facts: Facts | None) -> str:
    known = None if facts is None else facts.parameters
    return "" if known is None else count_text(known).strip()


def _first_tag(facts: Facts | None) -> str | None:
    """The default tag, and how many others there are."""
    if facts is None or not facts.pretrained:
        return None
    first, *others = facts.pretrained
    return f"{first} +{len(others)}" if others else first


def _row(component: Component, tasks: frozenset[str]) -> dict[str, Any]:
    return {
        "kind": component.kind,
        "name": component.name,
        "summary": component.summary,
        "tasks": sorted(tasks),
        "plugin": component.plugin.name,
        "distribution": component.plugin.distribution,
        "version": component.plugin.version,
    }


def _facts(component: Component, facts: Facts | None) -> dict[str, Any]:
    """``facts``: null where nobody says."""
    if component.kind != "architecture":
        return {}
    if facts is None:
        return {"facts": None}
    said = dataclasses.asdict(facts)
    del said["tasks"]  # they stand with the component's
    return {"facts": said}


def _traits(component: Component) -> dict[str, Any]:
    """What only some kinds say of themselves."""
    named = ("bound_to_budget", "requires")
    return {name: getattr(component.spec, name) for name in named if hasattr(component.spec, name)}


def _option(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "type": option.type_text,
        "required": option.required,
        "default": None if option.required else option.default,
    }
