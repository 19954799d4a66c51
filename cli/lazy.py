"""Commands that start quickly: imported when called, their arguments taken as typed."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Target(NamedTuple):
    """Where a command lives, and its line in the list of commands."""

    module: str  # beside this file
    attribute: str  # a function, or a typer.Typer for a group
    summary: str


class AsTyped:
    """Mixed into a command: strings and absent values are taken as they are.

    typer converts every value, an absent ``--help`` included, through pydantic, whose import takes
    longer than all the rest of listing components.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if not isinstance(parameter.process_value, functools.partial):
                parameter.process_value = functools.partial(
                    _as_typed, parameter, parameter.process_value
                )
        return parameters


def _as_typed(parameter: Any, convert: Callable[..., Any], context: Any, value: Any) -> Any:
    absent = value is None and not parameter.required
    if absent or (isinstance(value, str) and parameter.callback is None):
        return value
    return convert(context, value)


class WordCommand(AsTyped, TyperCommand):
    """A command whose parameters are all words and flags."""


class WordGroup(AsTyped, TyperGroup):
    """A group whose own parameters are all flags."""


def group(summary: str) -> typer.Typer:
    """An empty group of commands, such as ``zoo components``."""
    return typer.Typer(
        cls=WordGroup,
        help=summary,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
    )


def lazy_group(targets: Mapping[str, Target]) -> type[TyperGroup]:
    """A group class whose commands are ``targets``.

    The group holds stand-ins, a name and a summary each, which serve help, completion and the
    nearest name of a misspelt one; only the command that is called is loaded.
    """

    class LazyGroup(WordGroup):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            for name, target in targets.items():
                self.add_command(TyperCommand(name, help=target.summary))

        def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
            name, stand_in, rest = super().resolve_command(ctx, args)
            if name is None:  # while a shell completes an unfinished word
                return name, stand_in, rest
            return name, _load(name, targets[name]), rest

    return LazyGroup


def _load(name: str, target: Target) -> Any:
    found = getattr(importlib.import_module(f".{target.module}", __package__), target.attribute)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name)(found)
        found = single
    command = typer.main.get_command(found)
    command.name = name
    return command
