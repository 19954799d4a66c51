"""The command ``zoo``: its table of commands, its own options, and how it starts and ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

import zoo
from zoo.runs.launch import hush, require_alone

from . import endings
from .lazy import Target, lazy_group

PROGRAM = "zoo"
COMMANDS = {
    "train": Target("train", "train", "Train a model from a recipe or from flags."),
    "resume": Target("resume", "resume", "Go on with a run that was interrupted."),
    "eval": Target("evaluate", "evaluate", "Measure a run or a model on a split."),
    "ensemble": Target("ensemble", "ensemble", "Several models as one, and what that gains."),
    "compare": Target("compare", "compare", "Compare models on the same samples."),
    "predict": Target("predict", "predict", "The class of images, or their masks."),
    "explain": Target("explain", "explain", "Where a network looked, or how its mask is wrong."),
    "export": Target("export", "export", "A network as ONNX or torch.export, with its classes."),
    "study": Target("study", "study", "Many runs of a recipe that varies, as tables and figures."),
    "report": Target("report", "report", "A run or a model as one page of figures."),
    "import": Target("import_", "import_", "Publish weights that were trained elsewhere."),
    "publish": Target("publish", "publish", "Publish a run as a new version of a model."),
    "pull": Target("pull", "pull", "Bring a version to this machine, compared with its record."),
    "push": Target("push", "push", "Push a version to the Hugging Face Hub."),
    "data": Target("data", "app", "The files behind datasets: get, check, show, split, cache."),
    "components": Target("components", "app", "What plugins provide: list, show."),
    "plugins": Target("plugins", "app", "Plugins: list, show, check, new."),
    "models": Target("models", "app", "Published models and their versions: list, show."),
    "registry": Target("registry", "app", "Registries: make, list, change, serve, keep."),
    "runs": Target("runs", "app", "Runs in a folder: list, show."),
    "doctor": Target("doctor", "doctor", "Look for what would stop zoo from working here."),
}
_SHARED = ("train", "resume")  # among the processes that torchrun starts
_DEBUG = "--debug"
_COMPLETION_REQUEST = "_ZOO_COMPLETE"  # set by the shell's completion script

app = typer.Typer(
    cls=lazy_group(COMMANDS),
    # Plain help: importing rich for it costs more than all the rest of `zoo --help`.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _zoo(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    debug: Annotated[
        bool, typer.Option(_DEBUG, help="Show the traceback of an error; may stand anywhere.")
    ] = False,
) -> None:
    """Train, measure, publish and re-use image models whose every part comes from a plugin.

    \b
    Examples:
      zoo train --dataset digits --architecture simple_cnn --epochs 5
      zoo eval runs/digits-simple_cnn-1 --split test
      zoo publish runs/digits-simple_cnn-1 --name digits-simple-cnn
      zoo components list losses
    """
    if version:
        typer.echo(f"zoo {zoo.__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
    elif context.invoked_subcommand in _SHARED:
        hush()
    else:
        require_alone(f"{PROGRAM} {context.invoked_subcommand}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 an expected failure, 2 usage, 130 and
    143 after the signals INT and TERM, 141 when the reader of a pipe has gone."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = typer.main.get_command(app)
    if _COMPLETION_REQUEST in os.environ:
        command.main(prog_name=PROGRAM)  # answers the shell and exits
    debug = _DEBUG in given
    given = [argument for argument in given if argument != _DEBUG]
    return endings.run(lambda: _invoke(command, given), debug=debug)


def _invoke(command: Any, arguments: list[str]) -> None:
    # Not command.main(): that one would end the process itself, in its own words.
    with command.make_context(PROGRAM, arguments) as context:
        command.invoke(context)
