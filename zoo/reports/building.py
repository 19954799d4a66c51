"""The report of a run or a version: read it, measure what is there, draw, and write one file."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import ReportError
from zoo.reports.blocks import Chart, Charts, Section
from zoo.reports.history import History, read_history
from zoo.reports.measured import Measured, measure
from zoo.reports.page import render_page
from zoo.reports.pictures import Pictures, open_pictures
from zoo.reports.sections.calibration import calibration
from zoo.reports.sections.classes import classes
from zoo.reports.sections.confusion import confusion
from zoo.reports.sections.data import data
from zoo.reports.sections.gallery import gallery
from zoo.reports.sections.masks import masks
from zoo.reports.sections.provenance import environment, provenance, recipe
from zoo.reports.sections.ranking import ranking
from zoo.reports.sections.resources import resources
from zoo.reports.sections.summary import summary
from zoo.reports.sections.training import training
from zoo.reports.subject import RUN, Subject, open_subject
from zoo.reports.svg import png_bytes, svg_bytes
from zoo.storage import commit

SUFFIX = ".html"
FOLDER = Path("reports")  # for versions, which have no folder of their own


@dataclass(frozen=True)
class Report:
    """``figures``: the files beside it, two of each, where they were asked for."""

    path: Path
    source: str
    split: str
    figures: tuple[Path, ...] = ()


def report(
    reference: str | Path,
    *,
    output: str | Path | None = None,
    split: str | None = None,
    root: str | None = None,
    registry: str | None = None,
    figures: str | Path | None = None,
) -> Report:
    """Write the report of a run (its path or name) or a version (its reference) as one HTML file
    that needs nothing else: by default ``report.html`` in the run's folder, or
    ``reports/<name>-<number>.html``.

    ``split``: what it is measured on, test by default, or else val; ``root``: where the images are,
    if not where the recipe says; ``figures``: a folder for the figures as SVG and PNG. Nothing is
    measured or trained: what is missing is said, with the command that makes it. Equal runs give
    equal bytes. Raises :class:`zoo.errors.ZooError` where what is there is damaged."""
    subject = open_subject(str(reference), registry)
    chosen = subject.split(split)
    path = _output(subject, chosen, output)
    sections = list(_sections(subject, measure(subject, chosen), root))
    dataset = str(subject.data.get("dataset"))
    page = render_page(subject.name, f"{subject.kind} · {dataset} · {chosen}", sections)
    drawn = tuple(_figures(sections, figures)) if figures is not None else ()
    commit.make_folder(path.absolute().parent)
    commit.write(path, page.encode())
    return Report(path, subject.name, chosen, drawn)


def _output(subject: Subject, split: str, asked: str | Path | None) -> Path:
    if asked is not None:
        path = Path(asked).expanduser()
        if path.suffix.lower() != SUFFIX:
            raise ReportError(
                f"output {str(asked)!r}: expected the name of a file that ends in {SUFFIX}"
            )
        return path
    own = subject.split(None)
    more = "" if split == own else f"-{split}"
    if subject.kind == RUN:
        assert subject.events is not None
        return subject.events.parent / f"report{more}{SUFFIX}"
    return FOLDER / f"{subject.name.replace('@', '-')}{more}{SUFFIX}"


def _sections(subject: Subject, measured: Measured, root: str | None) -> Iterator[Section]:
    history = _history(subject)

    @functools.cache
    def pictures() -> Pictures | None:
        return None if measured.said is None else open_pictures(subject, measured.said, root)

    found = (
        summary(subject, measured, history),
        training(subject, history),
        classes(subject, measured),
        confusion(subject, measured),
        ranking(subject, measured),
        calibration(subject, measured),
        gallery(subject, measured, pictures),
        masks(subject, measured, pictures),
        data(subject, measured),
        resources(subject, history),
        recipe(subject),
        environment(subject),
        provenance(subject, measured),
    )
    yield from (one for one in found if one is not None)


def _history(subject: Subject) -> History | None:
    """None where no epoch was completed."""
    if subject.events is None or not subject.events.is_file():
        return None
    return read_history(subject.events) or None


def _figures(sections: list[Section], asked: str | Path) -> Iterator[Path]:
    folder = Path(asked).expanduser()
    commit.make_folder(folder)
    for chart in _charts(sections):
        for suffix, made in ((".svg", svg_bytes), (".png", png_bytes)):
            path = folder / f"{chart.name}{suffix}"
            commit.write(path, made(chart.figure))
            yield path


def _charts(sections: list[Section]) -> Iterator[Chart]:
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Charts):
                yield from block.charts
