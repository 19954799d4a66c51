"""``zoo eval``: measure a run or a published model on a split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .completion import complete_component, complete_runs_and_models
from .tables import show_fields, show_json, show_table

_HEADLINES = (
    "dice", "iou", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "auroc",
    "log_loss",
)  # fmt: skip
_OF_A_CLASS = ("precision", "recall", "f1", "iou", "dice", "auroc")
_MOST_CLASSES = 20  # a wider confusion matrix does not fit a terminal


def evaluate(
    subject: Annotated[
        str,
        typer.Argument(
            help="A run (its folder, or its name in runs/) or a model (name, name@3).",
            metavar="RUN|MODEL",
            autocompletion=complete_runs_and_models,
        ),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Another dataset than it was trained on; of the same classes.",
            metavar="NAME",
            autocompletion=complete_component("dataset"),
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    root: Annotated[
        str | None, typer.Option(help="The folder with the dataset's files.", metavar="FOLDER")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The predictions file [default: in the run, or predictions/]."),
    ] = None,
    registry: Annotated[
        str | None, typer.Option(help="Where the model is [default: as registry.toml says].")
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", metavar="DEVICE")
    ] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Write the predictions on a split, and print every figure computed from them.

    \b
    Examples:
      zoo eval runs/digits-simple_cnn-1
      zoo eval digits-simple_cnn-1 --split val     a run in runs/, by its name
      zoo eval digits-simple-cnn@1 --split val --json
    """
    from zoo.runs.evaluate import evaluate as measure

    done = measure(
        subject,
        dataset=dataset,
        split=split,
        root=root,
        output=output,
        registry=registry,
        device=device,
    )
    if json:
        about = {"source": done.source, "dataset": done.dataset, "split": done.split}
        files = {"predictions": str(done.path), "differs": done.differs}
        figures = {"samples": done.samples, "labelled": bool(done.metrics), **done.metrics}
        show_json({**about, **files, **figures})
        return
    typer.echo(f"{done.source} on {done.dataset}, split {done.split}, {done.samples:,} samples")
    if done.differs:
        typer.echo(f"not the data it was trained with: {done.differs}")
    if not done.metrics:
        typer.echo(f"predictions: {done.path}; there are no labels to measure them against")
        return
    typer.echo("")
    there = [name for name in _HEADLINES if name in done.metrics]
    show_fields({name: _figure(done.metrics[name]) for name in there})
    _show_images(done.metrics.get("per_image"))
    _show_classes(done.metrics)
    typer.echo(f"\npredictions: {done.path}")


def _show_images(means: Any) -> None:
    """Of segmentation: what the figures are when every image weighs the same."""
    if means is None:
        return
    images = means["images"]
    rows = [
        (name, _figure(means[name]), f"{images[name]:,}") for name in _HEADLINES if name in images
    ]
    typer.echo("")
    columns = ("mean over images", "value", "images")
    show_table(columns, rows, empty="no figures", right=("value", "images"))
    if means["undefined"]:
        typer.echo(
            f"dice is undefined for {means['undefined']:,}: nothing there, and nothing found"
        )


def _show_classes(metrics: Any) -> None:
    rows, matrix = metrics["per_class"], metrics["confusion"]
    names = [name for name in _OF_A_CLASS if name in rows[0]]
    table = [
        [row["class"], row["support"], *(_figure(row[name]) for name in names)] for row in rows
    ]
    typer.echo("")
    show_table(["class", "support", *names], table, empty="no classes")
    square = isinstance(matrix[0][0], int)
    if square and len(rows) <= _MOST_CLASSES:
        typer.echo("\nconfusion matrix: rows are the truth, columns what was decided")
        classes = [row["class"] for row in rows]
        table = [[name, *row] for name, row in zip(classes, matrix, strict=True)]
        show_table(["", *classes], table, empty="no classes", named=True)


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
