"""Every command with its arguments, options, defaults and examples, from the application itself."""

from __future__ import annotations

import enum
import inspect
import re
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import markdown
import typer
from zoo_cli import main

LEAD = """\
Written from the program itself; `zoo COMMAND --help` says the same. A command has one job, prints what to type next, and ends with one of
these exit codes:

| code | meaning |
|---|---|
| 0 | done |
| 1 | an expected failure; one line behind `zoo: error:` says what was given, what was expected, what to type |
| 2 | wrong usage: an unknown option, a missing argument |
| 130, 143 | ended by Ctrl-C, or by SIGTERM; a training saved first, and `zoo resume` goes on |
| 141 | whoever read its output has gone |

Before the command, or after it: `--debug` shows the traceback of an error. `zoo --version` says the version, `zoo --install-completion` makes the
shell complete commands, components, runs and models.

Most commands take a run (its folder, or the name of one in `runs/`), a model (`digits`, `digits@3`, `team:digits@best`,
`hf://owner/name`) or, for figures, a predictions file (`.npz`).
"""


def page() -> str:
    root = typer.main.get_command(main.app)
    with root.make_context(main.PROGRAM, ["doctor"], resilient_parsing=True) as context:
        found = list(_walk(root, context, "zoo"))
    rows = [(f"[`{name}`](#{_anchor(name)})", _summary(command)) for name, command in found]
    parts = [markdown.title("Commands", LEAD), markdown.table(("command", "what it does"), rows)]
    parts += [_command(name, command) for name, command in found]
    return "\n".join(parts)


def _walk(group: Any, context: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        inner = command.context_class(command, info_name=name, parent=context)
        full = f"{path} {name}"
        if hasattr(command, "list_commands"):
            yield from _walk(command, inner, full)
        else:
            yield full, command


def _command(name: str, command: Any) -> str:
    text, examples = _help(command)
    parts = [f"## `{name}`", "", text, ""]
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    placed = " ".join(_placeholder(one) for one in arguments)
    parts += ["```text", " ".join(f"{name} [OPTIONS] {placed}".split()), "```", ""]
    options = [one for one in command.params if one.param_type_name == "option"]
    rows = [_row(one, _annotations(command)) for one in [*arguments, *options]]
    parts.append(markdown.table(("argument, option", "default", "what"), rows))
    if examples:
        parts += ["```sh", *examples, "```", ""]
    return "\n".join(parts)


def _help(command: Any) -> tuple[str, list[str]]:
    """(what it does, the lines of its examples)."""
    text = inspect.cleandoc(command.help or "").replace("\b\n", "").replace("\b", "")
    text, _, examples = text.partition("Examples:\n")
    lines = [line for line in inspect.cleandoc(examples).splitlines() if line.strip()]
    return markdown.prose(text), [_remark(line) for line in lines]


def _remark(line: str) -> str:
    """What stands behind an example becomes a comment, so that the line can be pasted."""
    command, gap, remark = re.fullmatch(r"(\s*\S.*?)(?:(\s{2,})(\S.*))?", line).groups()  # type: ignore[union-attr]
    return f"{command}{gap}# {remark}" if remark else line


def _summary(command: Any) -> str:
    text = _help(command)[0].split("\n\n")[0]
    return re.split(r"(?<=\.)\s", " ".join(text.split()))[0]


def _placeholder(argument: Any) -> str:
    word = str(argument.metavar or argument.name.upper()) + ("..." if argument.nargs == -1 else "")
    return word if argument.required else f"[{word}]"


def _row(parameter: Any, annotations: Mapping[str, Any]) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        named = markdown.code(_placeholder(parameter))
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
        named = ", ".join(map(markdown.code, names))
        if not parameter.is_flag:
            value = parameter.metavar or _value(annotations[parameter.name])
            named += f" {markdown.code(value)}"
    text, said = re.fullmatch(r"(.*?)(?:\s*\[default: (.*)\]\.?)?", parameter.help or "").groups()  # type: ignore[union-attr]
    if parameter.multiple and "several times" not in text:
        text += " May be given several times."
    return named, said or _default(parameter), text


def _annotations(command: Any) -> Mapping[str, Any]:
    """The types of a command's parameters, as they are written in its signature."""
    return typing.get_type_hints(inspect.unwrap(command.callback), globalns=None)


def _value(annotation: Any) -> str:
    """The word for a value of that type."""
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return " | ".join(str(one.value) for one in annotation)
    parts = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return " | ".join(map(str, parts))
    if parts:
        return _value(next(one for one in parts if one is not type(None)))
    return {int: "INTEGER", float: "NUMBER", str: "TEXT", Path: "PATH"}[annotation]


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    value = parameter.default
    if value is None or value is False or value in ((), []) or callable(value):
        return ""
    return markdown.code(str(getattr(value, "value", value)))


def _anchor(name: str) -> str:
    return name.replace(" ", "-")
