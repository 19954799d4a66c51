"""``zoo train``: train a model from a recipe, from flags, or from both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from zoo.runs.folder import RunFolder

from .choices import number_or_word
from .completion import complete_component
from .tables import show_json


def _name(kind: str, text: str) -> Any:
    return typer.Option(help=text, autocompletion=complete_component(kind), metavar="NAME")


def train(
    recipe: Annotated[
        Path | None, typer.Argument(help="A recipe (TOML). Flags go over what it says.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="The run's new folder [default: runs/DATASET-ARCHITECTURE-N]."),
    ] = None,
    dataset: Annotated[str | None, _name("dataset", "What to learn from.")] = None,
    root: Annotated[
        str | None, typer.Option(help="The folder with the dataset's files.", metavar="FOLDER")
    ] = None,
    positive: Annotated[
        str | None, typer.Option(help="The positive class of a dataset of two.", metavar="CLASS")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side of the network's input, in pixels.")
    ] = None,
    architecture: Annotated[str | None, _name("architecture", "The network.")] = None,
    pretrained: Annotated[
        bool | None,
        typer.Option(
            "--pretrained", help="Start from its published weights; a tag: --init pretrained:TAG."
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="Weights to start from: a model, a .safetensors file, or pretrained.",
            metavar="MODEL",
        ),
    ] = None,
    loss: Annotated[str | None, _name("loss", "The loss.")] = None,
    sampler: Annotated[str | None, _name("sampler", "What an epoch draws.")] = None,
    augmentation: Annotated[
        list[str] | None, _name("augmentation", "An augmentation; may be given several times.")
    ] = None,
    optimizer: Annotated[str | None, _name("optimizer", "The optimizer.")] = None,
    scheduler: Annotated[str | None, _name("scheduler", "The learning-rate schedule.")] = None,
    tracker: Annotated[
        list[str] | None, _name("tracker", "Where events go too; may be given several times.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over what the sampler draws.")] = None,
    batch_size: Annotated[
        str | None, typer.Option(help="Images a step; auto: as many as fit.", metavar="N")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a better one.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, order, augmentation.")] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", metavar="DEVICE")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Processor threads; 0: every core.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="auto, fp32, bf16 or fp16.", metavar="FORMAT")
    ] = None,
    max_time: Annotated[
        str | None,
        typer.Option(help="Save and end after so much training: 45s, 90m, 2h.", metavar="TIME"),
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Under which the model may be published.")
    ] = None,
    intended_use: Annotated[str | None, typer.Option(help="For its card.")] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any key of a recipe: optimizer.lr=1e-3.", metavar="KEY=VALUE"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON, and no progress.")
    ] = False,
) -> None:
    """Train a model in a new run's folder.

    \b
    Examples:
      zoo train recipes/digits.toml
      zoo train --dataset digits --architecture simple_cnn --sampler weighted --epochs 5
      zoo train --dataset digits --architecture torchvision/resnet18 --pretrained --size 64
      zoo train recipes/digits.toml --set optimizer.lr=3e-4 --set augmentations.0.degrees=5
      zoo train runs/digits-simple_cnn-1/recipe.toml     the same run again
      zoo train recipes/digits.toml --dry-run            layers, memory, classes
    """
    from zoo.recipes.flags import flag_overrides

    if pretrained and recipe is not None:
        _refuse_tag(recipe)
    overrides = flag_overrides(
        sets or (), dataset=dataset, root=root, positive=positive, size=size,
        architecture=architecture, pretrained=pretrained, init=init, loss=loss,
        sampler=sampler, augmentation=augmentation, optimizer=optimizer, scheduler=scheduler,
        tracker=tracker, epochs=epochs, batch_size=number_or_word(batch_size), patience=patience,
        seed=seed, device=device, threads=threads, precision=precision, max_time=max_time,
        licence=licence, intended_use=intended_use,
    )  # fmt: skip
    if dry_run:
        from zoo.runs.launch import require_alone

        from . import dry_run as dry

        require_alone("zoo train --dry-run")
        dry.run(recipe, overrides, json=json)
        return
    if json:
        from zoo.runs.train import train as carry_out

        done = carry_out(recipe, folder=run, overrides=overrides)
        finish(done, json=True)
        return
    from rich.console import Console

    from zoo.runs.progress import TerminalProgress
    from zoo.runs.train import train as carry_out

    console = Console()
    with TerminalProgress(console) as progress:
        done = carry_out(recipe, folder=run, overrides=overrides, subscribers=[progress])
    finish(done)


def _refuse_tag(recipe: Path) -> None:
    """``--pretrained TAG``: the flag takes no value, so a tag after it is read as the recipe."""
    from zoo.errors import RecipeError, missing_path

    if not recipe.suffix and not recipe.exists():
        tag = f"a tag of published weights is typed --init pretrained:{recipe}"
        raise RecipeError([f"{missing_path('recipe', recipe)}; {tag}"])


def finish(done: RunFolder, *, json: bool = False) -> None:
    """Say where the run is and what comes next; of several processes the first one does."""
    from zoo.runs.launch import launched
    from zoo.runs.naming import as_argument
    from zoo.runs.sources import has_weights, part_of

    launch = launched()
    if launch is not None and launch.rank:
        return
    if json:
        show_json({"run": str(done.path), **done.info})
        return
    typer.echo(f"run: {done.path}")
    if not has_weights(done):
        typer.echo("no epoch was completed, so there are no weights yet")
        typer.echo(f"next: zoo resume {as_argument(done.path)} --max-time TIME")
        return
    split = "" if "test" in part_of(done, "data")["splits"] else " --split val"
    typer.echo(f"next: zoo eval {as_argument(done.path)}{split}")
    if done.info.get("reason") == "time":
        typer.echo(f"to go on: zoo resume {as_argument(done.path)} --max-time TIME")
