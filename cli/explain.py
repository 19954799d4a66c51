"""``zoo explain``: pictures of what decided."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .bars import counting
from .completion import complete_runs_and_models, complete_words


def explain(
    subject: Annotated[
        str,
        typer.Argument(
            help="A run (its folder, or its name in runs/) or a model (name, name@3).",
            metavar="RUN|MODEL",
            autocompletion=complete_runs_and_models,
        ),
    ],
    images: Annotated[
        list[Path],
        typer.Argument(
            help="Images, and folders, whose images are taken at any depth.",
            metavar="IMAGE|FOLDER",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder for the pictures.")
    ] = Path("explained"),
    method: Annotated[
        str | None,
        typer.Option(
            help="gradcam, occlusion, or mask [default: gradcam; mask for segmentation].",
            metavar="METHOD",
            autocompletion=complete_words("gradcam", "occlusion", "mask"),
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--class", help="What speaks for that class [default: the decided one].", metavar="NAME"
        ),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(help="Where Grad-CAM looks [default: the last convolution].", metavar="NAME"),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            help="Of occlusion: pixels of the network's input [default: an eighth of a side].",
            metavar="PIXELS",
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            help="The true mask of an image, or a folder of them by the images' names.",
            metavar="FILE|FOLDER",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    registry: Annotated[
        str | None, typer.Option(help="Where the model is [default: as registry.toml says].")
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", metavar="DEVICE")
    ] = "auto",
) -> None:
    """Draw where a network looked in each image, or how a mask differs from the true one.

    \b
    Examples:
      zoo explain xray@1 scan.png                         Grad-CAM: explained/scan.gradcam.png
      zoo explain xray@1 scan.png --class normal --layer features.8
      zoo explain xray@1 scans/ --method occlusion --window 16
      zoo explain nuclei@best slides/ --mask masks/       errors: explained/1.errors.png
    """
    from zoo.reports.explaining import explain as draw

    with counting() as step:
        drawn = draw(
            subject,
            images,
            output,
            method=method,
            target=target,
            layer=layer,
            window=window,
            mask=mask,
            force=force,
            registry=registry,
            device=device,
            step=step,
        )
    for path in drawn:
        typer.echo(path)
