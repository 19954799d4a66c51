"""The report as one HTML page: no script, no network, pictures of the offenders inside it."""

from __future__ import annotations

import base64
import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from zoo.data.audit.findings import ERROR, KINDS, Finding, Report
from zoo.data.contact_sheet import fitted
from zoo.data.datasets import Split
from zoo.data.decoding import aligned_mask, is_gray, mask_ids, pixels, upright_size
from zoo.errors import printable
from zoo.tasks import SEGMENTATION, Task

TEMPLATE = Path(__file__).with_name("page.html.jinja")
SHOWN = 30  # findings of a kind that are shown one by one
PICTURES = 300  # in a page: about 3 MB
_TOGETHER = 6  # pictures of one finding
_SIDE = 96  # pixels; smaller pictures stay as they are and the page enlarges them


@dataclass(frozen=True)
class Shot:
    """A picture in the page: ``uri`` is empty where there is nothing to show."""

    name: str
    split: str
    uri: str


def render_page(report: Report, task: Task, splits: Mapping[str, Split]) -> str:
    """The whole page. ``splits``: those audited; at most :data:`PICTURES` images are decoded."""
    import jinja2

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True
    )
    environment.filters["printable"] = printable
    camera = _Camera(task, splits)
    groups = [
        {
            "kind": KINDS[kind],
            "split": split,
            "found": found,
            "shown": [(one, camera.shots(one)) for one in found[:SHOWN]],
        }
        for (kind, split), found in report.by_kind().items()
    ]
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        report=report,
        groups=groups,
        error=ERROR,
        classes=_classes(report.summary),
        samples=sum(one["samples"] for one in report.summary["splits"].values()),
    )


class _Camera:
    """Takes pictures until it has taken enough."""

    def __init__(self, task: Task, splits: Mapping[str, Split]) -> None:
        self._task, self._splits, self._left = task, splits, PICTURES

    def shots(self, one: Finding) -> list[Shot]:
        found = []
        for split, index in _spread(one.places):
            if self._left <= 0:
                break
            self._left -= 1
            uri = self._uri(self._splits[split], index)
            found.append(Shot(self._splits[split].ids[index], split, uri))
        # Where nothing can be decoded the words are enough.
        return found if any(shot.uri for shot in found) else []

    def _uri(self, split: Split, index: int) -> str:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                picture = self._picture(split, index)
        # What cannot be decoded is the finding itself.
        except Exception:
            return ""
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"

    def _picture(self, split: Split, index: int) -> Image.Image:
        image = split.image(index)
        array, ids = pixels(image, 1 if is_gray(image) else 3, ""), None
        if self._task.kind == SEGMENTATION:
            # Where the mask is what is wrong, the image alone.
            with contextlib.suppress(Exception):
                mask = aligned_mask(split.mask(index), image)
                ids = mask_ids(mask, self._task, upright_size(image), "")
        return fitted(array, ids, min(_SIDE, max(array.shape[:2])))


def _spread(places: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The first few, every split among them."""
    first = {split: (split, index) for split, index in reversed(places)}
    chosen = list(dict.fromkeys([*first.values(), *places]))[:_TOGETHER]
    return [place for place in dict.fromkeys(places) if place in chosen]


def _classes(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each split with counts: rows of (class, count, percent of the largest)."""
    tables = []
    for name, one in summary["splits"].items():
        counts = one["class_counts"]
        if counts:
            largest = max([*counts.values(), 1])
            rows = [(key, count, 100.0 * count / largest) for key, count in counts.items()]
            tables.append({"split": name, "rows": rows, "total": sum(counts.values())})
    return tables
