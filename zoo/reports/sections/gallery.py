"""The samples that it is most wrong about, and those that it is least sure of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zoo.errors import clipped
from zoo.predictions.file import Predictions
from zoo.predictions.probabilities import log_losses
from zoo.reports.blocks import Block, Gallery, Missing, Section, Shot
from zoo.reports.measured import Measured
from zoo.reports.pictures import Pictures, command, is_small, thumbnail
from zoo.reports.sections.classes import nothing_measured
from zoo.reports.subject import Subject
from zoo.tasks import MULTILABEL, Task

WORST, UNSURE = 24, 12
_NAMED = 2  # labels of a multilabel sample


def gallery(
    subject: Subject, measured: Measured, pictures: Callable[[], Pictures | None]
) -> Section | None:
    """None of masks, which have a section of their own. ``pictures``: called where there is
    something to show."""
    said = measured.said
    if said is None:
        return Section("Samples", "samples", [nothing_measured(subject, measured)])
    if not isinstance(said, Predictions):
        return None
    found = pictures()
    blocks: list[Block] = []
    if found is None:
        why = "The images are not at hand; say where they are:"
        blocks.append(Missing(why, command(subject)))
    if said.targets is not None:
        loss = log_losses(said.task, _truth(said), said.probabilities.astype(np.float64))
        order = np.argsort(-loss, kind="stable")[:WORST]
        shots = [_shot(said, int(k), found, ("loss", f"{loss[k]:.3f}")) for k in order]
        blocks.append(Gallery("Worst", shots, "Those with the highest loss."))
    doubt = entropies(said.task, said.probabilities)
    order = np.argsort(-doubt, kind="stable")[:UNSURE]
    shots = [_shot(said, int(k), found, ("entropy", f"{doubt[k]:.3f}")) for k in order]
    blocks.append(
        Gallery("Least sure", shots, "Those whose probabilities have the highest entropy.")
    )
    return Section("Samples", "samples", blocks)


def entropies(task: Task, probabilities: np.ndarray) -> np.ndarray:
    """float64 (N,), in nats, of probabilities (N, K): of what was said of the classes; multilabel:
    the mean over the classes of that of each one's two sides."""
    sure = probabilities.astype(np.float64)
    terms = _surprise(sure)
    if task.kind == MULTILABEL:
        found: np.ndarray = (terms + _surprise(1 - sure)).mean(1)
        return found
    found = terms.sum(1)
    return found


def _surprise(sure: np.ndarray) -> np.ndarray:
    """-p log p, 0 for 0."""
    found: np.ndarray = -sure * np.log(np.where(sure > 0, sure, 1.0))
    return found


def _truth(said: Predictions) -> np.ndarray:
    assert said.targets is not None
    if said.task.kind == MULTILABEL:
        return said.targets
    return np.asarray(said.targets[:, None] == np.arange(len(said.task.classes)), np.int64)


def _shot(said: Predictions, k: int, pictures: Pictures | None, ranked: tuple[str, str]) -> Shot:
    name = str(said.ids[k])
    image = pictures.pixels(name) if pictures is not None else None
    truth = None if said.targets is None else said.targets[k]
    return Shot(
        uri="" if image is None else thumbnail(image),
        name=name,
        lines=[*_lines(said, k, truth), (ranked[0], "", ranked[1])],
        wrong=None if truth is None else bool(np.any(truth != said.decisions[k])),
        small=image is not None and is_small(*image.shape[:2]),
    )


def _lines(said: Predictions, k: int, truth: np.ndarray | None) -> list[tuple[str, str, str]]:
    task, sure = said.task, said.probabilities[k]
    if task.kind == MULTILABEL:
        lines = [] if truth is None else [("truth", _set(task, truth), "")]
        return [*lines, ("decided", _set(task, said.decisions[k]), "")]
    decided = int(said.decisions[k])
    lines = [("decided", _name(task, decided), _share(sure[decided]))]
    if truth is not None:
        label = int(truth)
        lines.insert(0, ("truth", _name(task, label), _share(sure[label])))
    return lines


def _set(task: Task, which: np.ndarray) -> str:
    names = [_name(task, int(k)) for k in np.flatnonzero(which)]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more if names else "none"


def _name(task: Task, label: int) -> str:
    return clipped(task.classes[label], 40)


def _share(probability: float) -> str:
    """Two decimals, and never 0 or 1 for what is only near it."""
    if 0 < probability < 0.005:
        return "<0.01"
    return ">0.99" if 0.995 <= probability < 1 else f"{probability:.2f}"
