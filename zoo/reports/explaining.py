"""Pictures of what decided: a map of each image with the image, or the errors of its mask.

Shapes: H by W pixels of the image, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from zoo.data.decoding import IGNORE, open_image, pixels
from zoo.data.device import choose_device
from zoo.data.restoring import restored
from zoo.errors import DataError, clipped, nearest
from zoo.registry.calibrated import Calibrated
from zoo.registry.model import Predictor, Prepared
from zoo.reports.figures.explained import draw_attention, draw_errors, draw_mask
from zoo.reports.svg import png_bytes
from zoo.runs import mask_errors, output_files, saliency
from zoo.runs.asked_images import images_at
from zoo.runs.output_names import file_names
from zoo.runs.saliency import GRADCAM, OCCLUSION
from zoo.runs.subjects import Subject, open_subject
from zoo.storage import commit
from zoo.tasks import MULTILABEL, SEGMENTATION, Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MASK = "mask"
METHODS = (GRADCAM, OCCLUSION, MASK)
Step = Callable[[str, int, int], None]
_WINDOWS = 8  # of occlusion, along a side
_LETTERS = 56  # of a line above a picture


@dataclass(frozen=True)
class Wanted:
    """What is to be drawn; None is explained by :func:`explain`. ``target``: a class's place."""

    method: str
    target: int | None
    layer: str | None
    window: int | None


def explain(
    reference: str | Path,
    images: str | Path | Sequence[str | Path],
    output: str | Path = "explained",
    *,
    method: str | None = None,
    target: str | None = None,
    layer: str | None = None,
    window: int | None = None,
    mask: str | Path | None = None,
    force: bool = False,
    registry: str | None = None,
    device: str = "auto",
    step: Step | None = None,
) -> list[Path]:
    """Draw what a run (its path or name) or a version (its reference) makes of ``images``, files or
    folders of them: a PNG of each in the folder ``output``, which are returned.

    ``gradcam``, unless another ``method`` is named, is a map of what speaks for the class
    ``target`` (the decided one; of several the likeliest) at ``layer`` (the last convolution);
    ``occlusion`` how far its probability falls when a square of ``window`` pixels of the network's
    input (an eighth of a side) is hidden. Both need captum. ``mask``, the default for segmentation,
    is the decided mask, or with ``mask``, the true one or a folder of them, its errors.

    Raises :class:`DataError` for an image that cannot be read; pictures of those before it are
    there, each whole."""
    where = choose_device(device)
    several = [images] if isinstance(images, str | Path) else list(images)
    asked = images_at(several)
    subject = open_subject(str(reference), registry)
    wanted = _wanted(subject, method, target, layer, window, mask)
    if wanted.method != MASK:
        if subject.combined is not None:
            raise DataError(
                f"{subject.name!r} is an ensemble, and has no network of its own; explain its "
                f"members"
            )
        saliency.require()
    kind = "errors" if mask is not None else wanted.method
    paths = [Path(output) / f"{name}.{kind}.png"
             for name in file_names(asked.names, (f".{kind}.png",))]  # fmt: skip
    for path in paths:
        output_files.check_file(path, force)
    truth = {} if mask is None else mask_errors.masks_for(Path(mask).expanduser(), asked.names)
    explained = _Explained(subject.predictor(where), wanted)
    for index, path in enumerate(paths):
        figure = explained.figure(asked.image(index), truth.get(asked.names[index]))
        commit.make_folder(path.absolute().parent)
        commit.write(path, png_bytes(figure))
        if step is not None:
            step("explaining", index + 1, len(asked))
    return paths


class _Explained:
    """Pictures by one network."""

    def __init__(self, predictor: Predictor, wanted: Wanted) -> None:
        self.predictor, self.wanted, self.task = predictor, wanted, predictor.task

    def figure(self, path: Path, truth: Path | None) -> Figure:
        original = open_image(path)
        image = pixels(original, 3, f"image {str(path)!r}")
        prepared = self.predictor.prepared(path, f"image {str(path)!r}")
        name = clipped(path.name, _LETTERS)
        if self.wanted.method != MASK:
            return self._attention(image, prepared, name)
        decided, planes = next(iter(self.predictor.masks([prepared])))
        if truth is None:
            return self._mask(image, decided, planes, name)
        return self._errors(image, mask_errors.read_mask(truth, original, self.task), decided, name)

    def _attention(self, image: np.ndarray, prepared: Prepared, name: str) -> Figure:
        logits = self.predictor.logits([prepared])
        target = self.wanted.target
        if target is None:
            target = saliency.most_likely(self.task, logits)
        heat, called, how, unit = self._heat(prepared, logits, target)
        planes, seen = restored(heat[None].cpu(), self.predictor.preprocessing, prepared.size)
        if self.wanted.method == GRADCAM:
            planes = planes / planes.max().clamp(min=1e-30)
        heat_HW = torch.where(seen, planes[0], torch.nan).numpy()
        lines = [name, _said(self.task, logits, target), how]
        return draw_attention(image, heat_HW, lines, name=called, unit=unit)

    def _heat(
        self, prepared: Prepared, logits: Tensor, target: int
    ) -> tuple[Tensor, str, str, str]:
        """(float32 of the network's size, the map's name, how it was made, its values' unit)."""
        network, wanted = self.predictor.network, self.wanted
        batch = self.predictor.batch([prepared])
        region = saliency.region_of(self.task, logits.to(batch.device), target)
        if wanted.method == GRADCAM:
            # Its layers have the names that the architecture gave them.
            network = network.network if isinstance(network, Calibrated) else network
            scores = saliency.ClassScores(network, self.task, region)
            layer = saliency.chosen_layer(network, batch, self.task, wanted.layer)
            heat = saliency.gradcam(scores, batch, target, layer)
            how = clipped(f"Grad-CAM at {layer}", _LETTERS)
            return heat, "Grad-CAM", how, "share of the largest"
        scores = saliency.ClassScores(network, self.task, region, as_probabilities=True)
        window = wanted.window or max(2, min(batch.shape[-2:]) // _WINDOWS)
        heat = saliency.occlusion(scores, batch, target, window, self.predictor.together)
        height, width = batch.shape[-2:]
        how = f"squares of {window} x {window} hidden in {height} x {width} pixels"
        return heat, "occlusion", how, "fall of the probability"

    def _mask(
        self, image: np.ndarray, decided: np.ndarray, planes: np.ndarray, name: str
    ) -> Figure:
        target = self.wanted.target
        if target is None:
            target = _shown(self.task, decided)
        known = decided != IGNORE
        share = float((decided == target).sum() / max(1, known.sum()))
        probability = np.where(known, planes[target], np.nan).astype(np.float32)
        called = self.task.classes[target]
        lines = [name, f"{clipped(called, 24)}: {share:.1%} of the image"]
        return draw_mask(image, probability, decided, lines, self.task.classes, name=called)

    def _errors(
        self, image: np.ndarray, truth: np.ndarray, decided: np.ndarray, name: str
    ) -> Figure:
        target, classes = self.wanted.target, self.task.classes
        if target is None and len(classes) == 2:
            target = 1 if self.task.positive is None else self.task.positive_index
        errors = mask_errors.mask_errors(truth, decided, target)
        dice, counted = mask_errors.dice(errors), int((errors != IGNORE).sum())
        right = np.isin(errors, (mask_errors.NEGATIVE, mask_errors.POSITIVE)).sum()
        of = "all classes but the first" if target is None else clipped(classes[target], 24)
        found = "undefined" if dice is None else f"{dice:.3f}"
        wrong = (counted - right) / max(1, counted)
        lines = [name, f"{of}: Dice {found}, {wrong:.1%} of pixels wrong"]
        return draw_errors(image, truth, decided, errors, lines, classes)


def _wanted(
    subject: Subject,
    method: str | None,
    target: str | None,
    layer: str | None,
    window: int | None,
    mask: object,
) -> Wanted:
    """Raises :class:`DataError` for what does not go together."""
    task, size = subject.task, subject.preprocessing.size
    masks = task.kind == SEGMENTATION
    if method is not None and method not in METHODS:
        raise DataError(
            f"method {method!r}{nearest(method, METHODS)}; expected one of {', '.join(METHODS)}"
        )
    chosen = method or (MASK if masks else GRADCAM)
    if (chosen == MASK or mask is not None) and not masks:
        raise DataError(f"masks are of segmentation; the model's task is {task.kind}")
    for name, given, of in (
        ("layer", layer, GRADCAM), ("window", window, OCCLUSION), ("mask", mask, MASK),
    ):  # fmt: skip
        if given is not None and chosen != of:
            raise DataError(f"{name} {given!r}: only for the method {of!r}, not for {chosen!r}")
    if window is not None and window < 1:
        raise DataError(f"window {window!r}: expected 1 pixel or more")
    if window is not None and window > min(size):
        raise DataError(
            f"window {window!r}: the network's input has {size[0]} x {size[1]} pixels; expected at "
            f"most {min(size)}"
        )
    if target is not None and target not in task.classes:
        raise DataError(
            f"class {target!r}{nearest(target, task.classes)}; expected one of "
            f"{', '.join(task.classes)}"
        )
    place = None if target is None else task.classes.index(target)
    return Wanted(chosen, place, layer, window)


def _said(task: Task, logits: Tensor, target: int) -> str:
    """What was decided, and how likely; and what is explained where that is something else."""
    if task.kind == SEGMENTATION:
        somewhere = bool((task.decisions(logits) == target).any())
        where = "where that was decided" if somewhere else "decided nowhere: of all pixels"
        return f"for {clipped(task.classes[target], 24)}, {where}"
    probabilities = task.probabilities(logits)[0].tolist()
    explained = f"{clipped(task.classes[target], 24)}, probability {_near(probabilities[target])}"
    if task.kind == MULTILABEL:
        chosen = int(task.decisions(logits)[0, target])
        return f"{explained}, {'chosen' if chosen else 'not chosen'}"
    decided = int(task.decisions(logits)[0])
    if decided == target:
        return f"decided: {explained}"
    return f"for {explained}; decided: {clipped(task.classes[decided], 16)}"


def _near(probability: float) -> str:
    """Never 0 or 1 for what is only near it."""
    if 0 < probability < 0.0005:
        return "<0.001"
    return ">0.999" if 0.9995 <= probability < 1 else f"{probability:.3f}"


def _shown(task: Task, decided: np.ndarray) -> int:
    """The class whose probability is shown: the positive one, or the largest but the first."""
    if task.positive is not None:
        return task.positive_index
    counts = np.bincount(decided[decided != IGNORE], minlength=len(task.classes))
    return int(counts[1:].argmax()) + 1
