"""How good it is, in one look: the figures that people ask for first, and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zoo.reports import wording
from zoo.reports.blocks import Block, Facts, Missing, Section, Table, Tile, Tiles
from zoo.reports.history import History
from zoo.reports.measured import Measured
from zoo.reports.subject import RUN, Subject
from zoo.reports.wording import is_number
from zoo.tasks import BINARY, MULTILABEL, SEGMENTATION, Task

_CLASSES = (
    "accuracy", "balanced_accuracy", "f1", "auroc", "average_precision", "mcc", "log_loss", "ece",
)  # fmt: skip
_SIDES = (
    "accuracy", "balanced_accuracy", "recall", "specificity", "precision", "f1", "auroc",
    "average_precision",
)  # fmt: skip
_SETS = ("exact_match", "accuracy", "f1", "auroc", "average_precision", "log_loss", "ece")
_IMAGES, _PIXELS = ("dice", "iou", "hd95"), ("dice", "iou", "precision", "recall", "accuracy")
_AVERAGES = ("macro", "micro", "weighted")


def summary(subject: Subject, measured: Measured, history: History | None) -> Section:
    blocks: list[Block] = [*measured.notices]
    if measured:
        tiles = [one for one in _tiles(subject.task, measured) if one is not None]
        blocks.append(Tiles(tiles, str(measured.intervals)))
    elif measured.said is not None:
        why = f"Split {measured.split!r} has no labels to measure against."
        blocks.append(Missing(why))
    else:
        why = f"Nothing was measured on {measured.split!r} yet."
        blocks.append(Missing(why, subject.evaluate(measured.split)))
    blocks.append(Facts(_facts(subject, measured, history)))
    if measured:
        blocks.append(_every_figure(measured))
    return Section("Summary", "summary", blocks)


def _tiles(task: Task, measured: Measured) -> Sequence[Tile | None]:
    if task.kind == SEGMENTATION:
        images = [_tile(measured, "per_image", name, ", mean over images") for name in _IMAGES]
        return [*images, *(_tile(measured, "overall", name, ", all pixels") for name in _PIXELS)]
    names = {MULTILABEL: _SETS, BINARY: _SIDES}.get(task.kind, _CLASSES)
    return [_tile(measured, "overall", name) for name in names]


def _tile(measured: Measured, scope: str, name: str, more: str = "") -> Tile | None:
    holder = measured.figures if scope == "overall" else measured.figures.get(scope, {})
    if name not in holder:
        return None
    interval = wording.between(measured.intervals.of(scope, name))
    title = wording.head(wording.words(name)) + more
    return Tile(title, wording.number(holder[name]), interval)


def _facts(
    subject: Subject, measured: Measured, history: History | None
) -> Sequence[tuple[str, str]]:
    task, about = subject.task, subject.about
    samples = wording.table(wording.table(subject.data, "splits"), measured.split).get("samples")
    began = history.began if history else {}
    decides = f"{task.positive}, above {task.threshold:g}" if task.positive else ""
    return [
        ("task", f"{task.kind}, {wording.several(len(task.classes), 'class', 'classes')}"),
        ("positive class", decides),
        ("architecture", subject.architecture),
        ("parameters", wording.count(began["parameters"]) if "parameters" in began else ""),
        ("input", _input(subject.preprocessing)),
        ("dataset", wording.text(subject.data.get("dataset"))),
        ("measured on", f"{measured.split}, {wording.count(samples)} samples" if samples else ""),
        *(_of_run(about) if subject.kind == RUN else _of_version(about)),
    ]


def _input(preprocessing: Mapping[str, object]) -> str:
    size, channels = preprocessing.get("size"), preprocessing.get("channels")
    if not isinstance(size, list) or not all(type(one) is int for one in size):
        return ""
    shown = " × ".join(f"{one}" for one in size)
    return (
        f"{shown} pixels, {wording.several(channels, 'channel')}" if type(channels) is int else ""
    )


def _of_run(about: Mapping[str, object]) -> Sequence[tuple[str, str]]:
    status, reason = wording.text(about.get("status")), wording.text(about.get("reason"))
    best = wording.table(about, "best")
    figures = [f"{wording.words(name)} {wording.number(value)}"
               for name, value in wording.table(best, "metrics").items()
               if is_number(value) and name in ("loss", "accuracy", "dice")]  # fmt: skip
    epoch = best.get("epoch")
    return [
        ("status", f"{status} ({reason})" if reason else status),
        ("epochs", wording.count(about["epochs_done"]) if "epochs_done" in about else ""),
        ("best epoch", f"{epoch:,}; val {', '.join(figures)}" if type(epoch) is int else ""),
        ("weights", {"best": "of the best epoch", "last": "of the last epoch"}.get(
            wording.text(about.get("weights")), "")),
        ("training time", wording.duration(about.get("seconds"))),
        ("started", wording.moment(about.get("created"))),
    ]  # fmt: skip


def _of_version(about: Mapping[str, object]) -> Sequence[tuple[str, str]]:
    return [
        ("licence", wording.text(about.get("licence"))),
        ("published", wording.moment(about.get("created"))),
    ]


def _every_figure(measured: Measured) -> Table:
    """A row for each; folded."""
    figures = measured.figures
    grids = [("", figures)]
    if "own_size" in figures:
        grids = [("network's size", figures), ("images' size", figures["own_size"])]
    columns: dict[str, Mapping[str, object]] = {}
    for grid, table in grids:
        columns[grid or "overall"] = {name: value for name, value in table.items()
                                      if value is None or type(value) is float}  # fmt: skip
        if "per_image" in table:
            columns[f"{grid}: mean over images" if grid else "mean over images"] = {
                name: value for name, value in table["per_image"].items() if name != "undefined"
            }
        for kind in _AVERAGES if len(grids) == 1 else ():
            if table.get("averages", {}).get(kind):
                columns[kind] = table["averages"][kind]
    names = list(dict.fromkeys(name for table in columns.values() for name in table))
    rows = [
        [wording.words(name), *(wording.number(table[name]) if name in table else "–"
                                for table in columns.values())]
        for name in names
    ]  # fmt: skip
    return Table(["figure", *columns], rows, folded="Every figure")
