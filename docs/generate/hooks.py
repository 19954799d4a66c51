"""The eight hooks, with what a plugin returns from each and what zoo hands to it."""

from __future__ import annotations

import inspect

import markdown

from zoo.plugins import families, hookspecs, specs

LEAD = """\
What a plugin may register, from the code. How to write one: [Writing a plugin](../plugins.md), with a tutorial for each of five kinds.

A hook is a function without arguments, marked with `@zoo.hookimpl`, that returns a list of specs. A spec's `build` gets the context as its only
positional argument (augmentations have none), and the component's options as keyword-only parameters. Every name here is
imported as `zoo.NAME`.
"""


def page() -> str:
    parts = [markdown.title("Hooks", LEAD)]
    parts.append("## What every spec has\n")
    parts.append(_described(specs.Spec))
    parts.append("## What every family has\n")
    parts.append(_described(families.Family))
    parts += [_hook(spec) for spec in specs.SPECS]
    parts.append("## What goes with them\n")
    parts += [f"### `{one.__name__}`\n\n{_described(one)}" for one in
              (specs.RemoteFile, specs.Pretrained, specs.Facts)]  # fmt: skip
    return "\n".join(parts)


def _hook(spec: type[specs.Spec]) -> str:
    name = f"register_{specs.PLURALS[spec.kind]}"
    hook = getattr(hookspecs, name)
    parts = [f"## `{name}`\n", markdown.prose(inspect.getdoc(hook)) + "\n"]
    parts.append(f"### `{spec.__name__}`\n\n{_described(spec, specs.Spec)}")
    family = families.FAMILIES.get(spec.kind)
    if family is not None:
        parts.append(f"### `{family.__name__}`\n\n{_described(family, families.Family)}")
    if spec.context is not None:
        parts.append(f"### `{spec.context.__name__}`\n\n{_described(spec.context)}")
    return "\n".join(parts)


def _described(owner: type, inherited: type | None = None) -> str:
    """Its docstring, and its fields; of those it inherits only the names."""
    fields = markdown.dataclass_fields(owner)
    if inherited is not None:
        known = set(markdown.dataclass_fields(inherited))
        own = [field for field in fields if field not in known]
        named = ", ".join(f"`{field.partition(':')[0]}`" for field in fields if field in known)
        text = markdown.prose(inspect.getdoc(owner)) + "\n\n"
        if own:
            text += markdown.signature_block(owner.__name__, own)
        return text + f"\nBesides: {named}.\n"
    return (
        markdown.prose(inspect.getdoc(owner))
        + "\n\n"
        + markdown.signature_block(owner.__name__, fields)
    )
