"""The public interface: every name in ``zoo.__all__``, with its signature and what it says."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import markdown

import zoo
from zoo.plugins import contexts, specs

LEAD = """\
The whole public interface: the names of `zoo`. Nothing else is promised, and plugins import nothing else. `import zoo` loads neither torch nor
numpy; each name is loaded when it is first used. The specs, families and contexts of plugins are in [Hooks](hooks.md), the errors in
[Errors](errors.md).
"""
_ELSEWHERE = {contexts.__name__, specs.__name__, "zoo.errors"}


def page() -> str:
    named = {name: getattr(zoo, name) for name in sorted(zoo.__all__, key=str.lower)}
    own = {name: one for name, one in named.items() if one.__module__ not in _ELSEWHERE}
    functions = {name: one for name, one in own.items() if not inspect.isclass(one)}
    classes = {name: one for name, one in own.items() if inspect.isclass(one)}
    parts = [markdown.title("Python", LEAD), "## Functions\n"]
    parts += [_described(name, one) for name, one in functions.items()]
    parts.append("## Classes\n")
    parts += [_described(name, one) for name, one in classes.items()]
    return "\n".join(parts)


def _described(name: str, one: Any) -> str:
    text = markdown.prose(inspect.getdoc(one)) + "\n"
    methods = ""
    if dataclasses.is_dataclass(one):
        block = markdown.signature_block(f"zoo.{name}", markdown.dataclass_fields(one))  # type: ignore[arg-type]
    elif inspect.isclass(one):
        block = ""
    elif isinstance(one, type(zoo.hookimpl)):
        block = f"```text\n@zoo.{name}\n```\n"
    else:
        block = _call(f"zoo.{name}", one)
    if inspect.isclass(one):
        methods = "".join(_method(key, value) for key, value in vars(one).items())
    return f"### `zoo.{name}`\n\n{block}\n{text}{methods}"


def _method(name: str, value: Any) -> str:
    if name.startswith("_") or not (inspect.isfunction(value) or isinstance(value, property)):
        return ""
    text = markdown.prose(inspect.getdoc(value)).replace("\n", " ")
    shown = name
    if not isinstance(value, property):
        given = [*inspect.signature(value).parameters.values()][1:]  # without self
        shown = f"{name}({', '.join(map(_parameter, given))})"
    return f"\n- `{shown}`" + (f": {text}" if text else "") + "\n"


def _call(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    fields = [_parameter(one) for one in signature.parameters.values()]
    keyword = [one.kind is one.KEYWORD_ONLY for one in signature.parameters.values()]
    if any(keyword):
        fields.insert(keyword.index(True), "*")
    return markdown.signature_block(name, fields, _type(signature.return_annotation))


def _parameter(one: inspect.Parameter) -> str:
    """Annotations are texts already, as all modules postpone them."""
    text = f"{one.name}: {_type(one.annotation)}"
    return text if one.default is one.empty else f"{text} = {one.default!r}"


def _type(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
