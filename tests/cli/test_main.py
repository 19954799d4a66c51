"""The frame of the command line: help, version, --debug, misspelt words, exit codes."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable

import pytest
import typer
from zoo_cli import lazy
from zoo_cli.main import COMMANDS

import zoo as library

Zoo = Callable[..., tuple[int, str, str]]
GROUPS = ("data", "components", "plugins", "models", "registry", "runs")


def test_version(zoo: Zoo) -> None:
    assert zoo("--version") == (0, f"zoo {library.__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_every_command_with_its_line(zoo: Zoo, arguments: tuple[str, ...]) -> None:
    code, out, err = zoo(*arguments)
    assert (code, err) == (0, "")
    for name, target in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(target.summary)}$", out, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(zoo: Zoo, name: str) -> None:
    code, out, err = zoo(name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: zoo {name} ")
    if name not in GROUPS:
        assert re.search(rf"^  Examples:\n    zoo {name}\b", out, re.MULTILINE)


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_alone_prints_its_help_and_its_commands_have_examples(zoo: Zoo, name: str) -> None:
    code, out, err = zoo(name)
    assert (code, err) == (0, "")
    assert zoo(name, "-h") == (0, out, "")
    some = {"data": ("get", "split"), "registry": ("init", "list", "alias", "yank", "verify", "gc")}
    for command in some.get(name, ("list", "show")):
        assert f"\n  {command} " in out
        assert f"\n  Examples:\n    zoo {name} {command}" in zoo(name, command, "-h")[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_names_what_there_is(name: str) -> None:
    target = COMMANDS[name]
    found = getattr(importlib.import_module(f"zoo_cli.{target.module}"), target.attribute)
    assert callable(found)
    assert isinstance(found, typer.Typer) == (name in GROUPS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "no such command 'trian' (did you mean 'train'?); see: zoo --help"),
        (["nothing-like-it"], "no such command 'nothing-like-it'; see: zoo --help"),
        (
            ["runs", "lst"],
            "no such command 'lst' (did you mean 'list'?); see: zoo runs --help",
        ),
        (
            ["runs", "list", "--jsn"],
            "no such option '--jsn' (did you mean '--json'?); see: zoo runs list --help",
        ),
        (["runs", "show"], "missing argument 'run'; see: zoo runs show --help"),
        (
            ["components", "list", "datasts"],
            "invalid value for kind: 'datasts' (did you mean 'datasets'?); expected one of "
            "datasets, architectures, losses, samplers, augmentations, optimizers, schedulers, "
            "trackers; see: zoo components list --help",
        ),
        (
            ["components", "list", "--task", "multi\x1bclass"],
            "invalid value for task: 'multi\\x1bclass' (did you mean 'multiclass'?); expected one "
            "of binary, multiclass, multilabel, segmentation; see: zoo components list --help",
        ),
    ],
)
def test_usage_errors_exit_2_with_the_nearest_and_the_help(
    zoo: Zoo, arguments: list[str], said: str
) -> None:
    code, out, err = zoo(*arguments)
    assert (code, out) == (2, "")
    assert err.lower() == f"zoo: error: {said}\n".lower()


def test_an_expected_failure_exits_1_with_one_line(zoo: Zoo) -> None:
    assert zoo("runs", "list", "nowhere") == (
        1,
        "",
        "zoo: error: folder 'nowhere': no such file or folder\n",
    )


@pytest.mark.parametrize(
    ("recipe", "more"),
    [
        ("a1_in1k", "; a tag of published weights is typed --init pretrained:a1_in1k"),
        ("none.toml", ""),
    ],
)
def test_a_tag_behind_pretrained_is_told_from_a_recipe(zoo: Zoo, recipe: str, more: str) -> None:
    assert zoo("train", "--architecture", "linear", "--pretrained", recipe) == (
        1,
        "",
        f"zoo: error: recipe {recipe!r}: no such file or folder{more}\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [("--debug", "runs", "list", "nowhere"), ("runs", "list", "nowhere", "--debug")],
)
def test_debug_may_stand_anywhere(zoo: Zoo, arguments: tuple[str, ...]) -> None:
    code, out, err = zoo(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("Traceback")
    assert err.endswith("\nzoo: error: folder 'nowhere': no such file or folder\n")


def test_a_command_that_is_not_called_is_not_loaded() -> None:
    broken = {"fine": lazy.Target("runs", "app", "Works."),
              "broken": lazy.Target("not_there", "app", "Does not.")}  # fmt: skip
    command = typer.main.get_command(_app(broken))
    with command.make_context("zoo", []) as context:
        assert "broken  Does not." in context.get_help()
        name, found, rest = command.resolve_command(context, ["fine", "list"])  # type: ignore[attr-defined]
        assert (name, found.name, rest) == ("fine", "fine", ["list"])
        with pytest.raises(ModuleNotFoundError):
            command.resolve_command(context, ["broken"])  # type: ignore[attr-defined]


def _app(targets: dict[str, lazy.Target]) -> typer.Typer:
    app = typer.Typer(cls=lazy.lazy_group(targets), rich_markup_mode=None)
    app.callback(invoke_without_command=True)(lambda: None)
    return app


@pytest.mark.parametrize("arguments", [(), *((name,) for name in GROUPS)])
def test_no_line_of_a_list_of_commands_is_cut(zoo: Zoo, arguments: tuple[str, ...]) -> None:
    """Lines are cut where a terminal of 80 columns ends."""
    _, out, _ = zoo(*arguments, "--help")
    assert "Commands:\n" in out
    assert "..." not in out.partition("Commands:\n")[2]
