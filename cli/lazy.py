"""Commands that are imported when they are called, not when help lists them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Target(NamedTuple):
    """Where a command lives, and its line in the list of commands."""

    module: str  # beside this file
    attribute: str  # a function, or a typer.Typer for a group
    summary: str


def group(summary: str) -> typer.Typer:
    """An empty group of commands, such as ``zoo components``."""
    return typer.Typer(
        help=summary, no_args_is_help=True, add_completion=False, rich_markup_mode=None
    )


def lazy_group(targets: Mapping[str, Target]) -> type[TyperGroup]:
    """A group class whose commands are ``targets``.

    The group holds stand-ins, a name and a summary each, which serve help, completion and the
    nearest name of a misspelt one; only the command that is called is loaded.
    """

    class LazyGroup(TyperGroup):
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
