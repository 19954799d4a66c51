"""A run or a model asked about images: a table of classes, or a mask for each image."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.device import choose_device
from zoo.data.splits import TEST
from zoo.errors import DataError, ZooWarning, printable
from zoo.registry.model import Predictor
from zoo.runs import asked_images, output_files
from zoo.runs.answer_masks import OVERLAY_SUFFIX, SUFFIX, write_mask, write_overlay
from zoo.runs.answer_rows import MASKS, Rows, Submission, format_for, rows_for
from zoo.runs.answering import answers
from zoo.runs.asked_images import AskedImages
from zoo.runs.output_names import file_names
from zoo.runs.subjects import open_subject

STDOUT = "-"
Step = Callable[[str, int, int], None]  # what is done, how many, and of how many


@dataclass(frozen=True)
class Answered:
    """``images``: how many were answered; ``left_out``: why others were not, by id; ``output``:
    None for stdout."""

    images: int
    left_out: Mapping[str, str]
    output: Path | None


def predict(
    reference: str | Path,
    images: str | Path | Sequence[str | Path] = (),
    output: str | Path = STDOUT,
    *,
    format: str | None = None,
    ids: str | None = None,
    id_column: str | None = None,
    label_column: str | None = None,
    values: str | None = None,
    overlay: bool = False,
    dataset: str | None = None,
    split: str | None = None,
    root: str | None = None,
    skip_bad: bool = False,
    force: bool = False,
    registry: str | None = None,
    device: str = "auto",
    step: Step | None = None,
) -> Answered:
    """Write what a run (its path or name) or a version (its reference) says of ``images``, files or
    folders of them, or of a ``split`` of ``dataset``, whose labels are not read.

    A table goes to the file ``output``, ``"-"`` for stdout, as ``csv``, ``json`` (an object a line)
    or ``kaggle``, whose columns and ``values`` (``class``, ``index``, ``probability``) are chosen;
    masks go to the folder ``output``. Either is there at the end and whole, or not at all; memory
    holds a batch of it. ``ids``: ``path``, ``name`` or ``stem``, which of it stands in the table.

    An image that cannot be read is warned of and left out. When all others are written, that is a
    :class:`DataError`, unless ``skip_bad``."""
    where = choose_device(device)
    several = [images] if isinstance(images, str | Path) else list(images)
    _check_asked(several, dataset, split=split, root=root, ids=ids)
    listed = None if dataset else asked_images.images_at(several, ids or asked_images.PATH)
    subject = open_subject(str(reference), registry)
    asked = listed or asked_images.images_of(subject, str(dataset), split or TEST, root)
    work = _Work(subject.predictor(where), asked, step)
    columns = Submission(id_column, label_column, values)
    return _written(work, output, format, columns, overlay=overlay, skip_bad=skip_bad, force=force)


def predict_with(
    predictor: Predictor,
    images: Path,
    output: Path,
    *,
    format: str,
    ids: str | None,
    columns: Submission,
) -> Answered:
    """:func:`predict` by what is open already, of a folder; what cannot be read is left out, and a
    file that is there is replaced."""
    work = _Work(predictor, asked_images.images_at([images], ids or asked_images.PATH), None)
    return _written(work, output, format, columns, overlay=False, skip_bad=True, force=True)


def _written(
    work: _Work,
    output: str | Path,
    format_: str | None,
    columns: Submission,
    *,
    overlay: bool,
    skip_bad: bool,
    force: bool,
) -> Answered:
    task, asked = work.predictor.task, work.asked
    chosen = format_for(task, format_, Path(output).suffix)
    if chosen == MASKS:
        _check_masks(output, **vars(columns))
        _write_masks(work, Path(output), overlay, force)
    else:
        if overlay:
            raise DataError("overlay: only for masks; the model's task is " + task.kind)
        _write_table(work, rows_for(task, chosen, columns), output, force)
    if work.left_out and not skip_bad:
        raise DataError(
            f"{len(work.left_out)} of {len(asked)} images cannot be read and are left out, the "
            f"first is {next(iter(work.left_out))!r}; all others are written; to accept that add "
            f"--skip-bad"
        )
    return Answered(work.done, work.left_out, None if output == STDOUT else Path(output))


@dataclass
class _Work:
    """Images on their way through a network; what is read of it is counted."""

    predictor: Predictor
    asked: AskedImages
    step: Step | None
    done: int = 0
    left_out: dict[str, str] = field(default_factory=dict)

    def answers(self) -> Iterator[tuple[int, Any, np.ndarray]]:
        """As :func:`zoo.runs.answering.answers`. Raises :class:`DataError` at the end where no
        image could be read."""
        for answer in answers(self.predictor, self.asked, self._leave_out):
            yield answer
            self.done += 1
            self._tell()
        if not self.done:
            first = next(iter(self.left_out.values()))
            raise DataError(f"none of the {len(self.asked)} images can be read; the first: {first}")

    def _leave_out(self, index: int, why: str) -> None:
        self.left_out[self.asked.ids[index]] = why
        warnings.warn(f"left out: {why}", ZooWarning, stacklevel=2)
        self._tell()

    def _tell(self) -> None:
        if self.step is not None:
            self.step("predicting", self.done + len(self.left_out), len(self.asked))


def _write_table(work: _Work, rows: Rows, output: str | Path, force: bool) -> None:
    if output == STDOUT:
        on_terminal = sys.stdout.isatty()
        for line in _lines(work, rows):
            # A file's name may move a terminal's cursor.
            sys.stdout.write(f"{printable(line[:-1])}\n" if on_terminal else line)
        return

    def fill(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            stream.writelines(_lines(work, rows))

    output_files.check_file(Path(output), force)
    output_files.write_file(Path(output), fill, force)


def _lines(work: _Work, rows: Rows) -> Iterator[str]:
    head = rows.head
    for index, decided, probabilities in work.answers():
        yield head + rows.line(work.asked.ids[index], decided, probabilities)
        head = ""


def _write_masks(work: _Work, output: Path, overlay: bool, force: bool) -> None:
    asked = work.asked
    names = file_names(asked.names, (SUFFIX, OVERLAY_SUFFIX) if overlay else (SUFFIX,))
    with output_files.written_folder(output, force) as folder:
        for index, mask, _ in work.answers():
            write_mask(folder, names[index], mask)
            if overlay:
                write_overlay(folder, names[index], asked.image(index), mask)


def _check_asked(images: Sequence[object], dataset: str | None, **given: str | None) -> None:
    """Raise :class:`DataError` unless there are images or a dataset, and what goes with it."""
    if bool(images) == (dataset is not None):
        raise DataError("give images or folders of them, or else --dataset NAME")
    of_dataset = {"split": True, "root": True, "ids": False}
    for name, value in given.items():
        if value is not None and of_dataset[name] != (dataset is not None):
            of = "a dataset" if of_dataset[name] else "images that are files"
            raise DataError(f"{name} {value!r}: only for {of}")


def _check_masks(output: str | Path, **given: str | None) -> None:
    if output == STDOUT:
        raise DataError("masks are written to a folder; name it with --output")
    for name, value in given.items():
        if value is not None:
            raise DataError(
                f"{name.replace('_', ' ')} {value!r}: a model for segmentation has none"
            )
