"""A network for people without zoo: one file that answers as the original does, and says how
images become its input.

Shapes: B images, C channels, H by W pixels, O outputs.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo import __version__
from zoo.errors import ExportError, nearest, reason
from zoo.registry.gate import TOLERANCE, make_probe
from zoo.runs import export_onnx, export_torch, output_files
from zoo.runs.subjects import Subject, open_subject

ONNX, TORCH = "onnx", "torch-export"
FORMATS = {ONNX: export_onnx.SUFFIX, TORCH: export_torch.SUFFIX}
TRACED = 2  # images in the batch that a network is traced with; of 1 its size would be fixed


@dataclass(frozen=True)
class Exported:
    """``difference``: the largest from the original's logits, on ``checked`` images at once, of
    which the largest is ``logit``; ``runner``: what computed them from the file."""

    path: Path
    format: str
    difference: float
    logit: float
    checked: tuple[int, ...]
    runner: str


def export(
    reference: str | Path,
    output: str | Path | None = None,
    *,
    format: str = ONNX,
    force: bool = False,
    registry: str | None = None,
) -> Exported:
    """Write the network of a run (its path or name) or of a version (its reference) to ``output``,
    by default its name, here, as ``onnx`` or ``torch-export``: float32 images (B, C, H, W), as
    preprocessing makes them, of any number at once -> logits.

    Task, classes and preprocessing stand in the file. Raises :class:`ExportError`, and leaves
    nothing, unless the file answers a synthetic batch as the original does, to 1e-4 of the largest
    logit."""
    if format not in FORMATS:
        raise ExportError(
            f"format {format!r}{nearest(format, FORMATS)}; expected one of {', '.join(FORMATS)}"
        )
    if format == ONNX:
        export_onnx.require()
    subject = open_subject(str(reference), registry)
    if subject.combined is not None:
        raise ExportError(
            f"{subject.name!r} is an ensemble, and has no network of its own; export its members"
        )
    path = Path(output or subject.name.replace("@", "-") + FORMATS[format])
    if path.suffix != FORMATS[format]:
        raise ExportError(f"output {str(path)!r}: expected a name that ends in {FORMATS[format]}")
    output_files.check_file(path, force)
    done: list[Exported] = []
    writer = export_onnx if format == ONNX else export_torch

    def fill(temporary: Path) -> None:
        with _explained(subject.name):
            writer.write(subject.network, _example(subject), about(subject), temporary)
            run = writer.open_written(temporary)
        done.append(Exported(path, format, *_compared(subject, run), writer.runner()))

    output_files.write_file(path, fill, force)
    return done[0]


def about(subject: Subject) -> dict[str, Any]:
    """What the file says of itself, as JSON would have it."""
    return {
        "task": subject.task.as_json(),
        "preprocessing": subject.preprocessing.as_json(),
        "source": subject.name,
        "weights_sha256": subject.digest,
        "zoo": __version__,
    }


def _example(subject: Subject) -> Tensor:
    return _probe(subject)[0][:TRACED]


def _probe(subject: Subject) -> tuple[Tensor, Tensor]:
    """(float32 (4, C, H, W), the original's logits)."""
    probe = make_probe(subject.network, subject.preprocessing)
    return subject.preprocessing(probe["images"]).contiguous(), probe["logits"]


def _compared(
    subject: Subject, run: Callable[[Tensor], Tensor]
) -> tuple[float, float, tuple[int, ...]]:
    """(largest difference, largest logit, how many images at once). Two numbers of images: that any
    number may come was told to the exporter, and is seen here."""
    images, expected = _probe(subject)
    logit, difference, sizes = float(expected.abs().max()), 0.0, (len(images), 1)
    for size in sizes:
        with _explained(subject.name):
            said = run(images[:size])
        if said.shape != expected[:size].shape:
            raise ExportError(
                f"{subject.name!r}: the exported network answers {size} images with shape "
                f"{tuple(said.shape)}; expected {tuple(expected[:size].shape)}"
            )
        difference = max(difference, float((said - expected[:size]).abs().max()))
    if not difference <= TOLERANCE * logit:
        raise ExportError(
            f"{subject.name!r}: the exported network's answers differ by {difference:.2g} from "
            f"the original's, whose largest is {logit:.2g}; nothing was written"
        )
    return difference, logit, sizes


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """What torch, or a plugin's network, raises while it is exported, in one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch's own deprecations
            yield
    except (ExportError, OSError):
        raise
    except Exception as error:
        raise ExportError(f"the network of {name!r} cannot be exported: {reason(error)}") from error
