"""Write a site: read the registry once for the lists, then version by version for its pages."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import RegistryError, ZooError
from zoo.registry.record import CARD, confusion_file, metrics_file
from zoo.registry.site import folder
from zoo.registry.site.facts import by_split
from zoo.registry.site.inventory import Model, Progress, read_record, take
from zoo.registry.site.markdown import to_html
from zoo.registry.site.pages import Content, Pages, asset
from zoo.registry.site.plots import CLASSES, Confusion, confusion
from zoo.registry.store import Registry
from zoo.storage import limits, strict_json
from zoo.storage.failures import reported

CARD_BYTES = 128 << 10  # a hostile card of that length takes three seconds to parse
METRICS_BYTES = 4 << 20
PICTURE_BYTES, PICTURE_SIDE = 2 << 20, 4096  # pixels
PICTURES = 20  # of a version


@dataclass(frozen=True)
class Built:
    """``problems``: a line for each thing that is not on the site because it cannot be read."""

    index: Path
    models: int
    problems: list[str]


def build_site(
    registry: Registry, path: Path, title: str, progress: Progress | None = None
) -> Built:
    """Make ``path`` a site of ``registry``, in place of an earlier one. The same registry gives
    the same bytes. ``progress``: called for each model that is read and each page written. Raises
    :class:`ZooError`, and leaves ``path`` as it was, when that is not possible."""
    with folder.replacing(path) as fresh:
        inventory = take(registry, progress)
        pages = Pages(inventory, title, f"registry {registry.name}")
        for name in (folder.STYLE, folder.SCRIPT, folder.ICON):
            _write(fresh / name, asset(name).encode())
        for done, model in enumerate(inventory.models, 1):
            reader = _Reader(registry, model, fresh / folder.PICTURES, inventory.problems)
            page = pages.model(model, reader.content())
            _write(fresh / folder.MODELS / f"{model.name}.html", page.encode())
            if progress is not None:
                progress("pages", done, len(inventory.models))
        _write(fresh / folder.INDEX, pages.index().encode())
    return Built(path / folder.INDEX, len(inventory.models), inventory.problems)


class _Reader:
    """Reads what the page of one model shows; what cannot be read is a line in ``problems``."""

    def __init__(
        self, registry: Registry, model: Model, pictures: Path, problems: list[str]
    ) -> None:
        self._registry, self._pictures, self._problems = registry, pictures, problems
        self._record = read_record(registry, model.name, model.shown.number)
        self._paths = {file["path"] for file in self._record.files}

    def content(self) -> Content:
        matrices = [one for one in map(self._matrix, self._splits()) if one is not None]
        # Drawn above, where it can be read in the dark too: the card only leads there.
        shown = {confusion_file(one.split): "#matrix" for one in matrices}
        return Content(self._record, matrices, self._card(shown))

    def _splits(self) -> list[str]:
        return [split for split, _ in by_split(self._record.metrics)]

    def _matrix(self, split: str) -> Confusion | None:
        task = self._record.task
        if len(task.classes) > CLASSES:
            return None
        return confusion(self._figures(split), split, task.classes, task.kind)

    def _figures(self, split: str) -> Mapping[str, Any]:
        """All that was measured, where the version has a file that says it."""
        path = metrics_file(split)
        if path not in self._paths:
            return self._record.metrics[split]
        try:
            data = self._file(path, METRICS_BYTES)
            what = f"{path} of {self._record}"
            figures = strict_json.loads(data, what, METRICS_BYTES, METRICS_BYTES)
        except ZooError as error:
            self._problems.append(str(error))
            return {}
        return figures if isinstance(figures, dict) else {}

    def _card(self, shown: Mapping[str, str]) -> str | None:
        try:
            text = self._file(CARD, CARD_BYTES).decode("utf-8")
        except UnicodeDecodeError:
            self._problems.append(f"{CARD} of {self._record} is not UTF-8")
            return None
        except ZooError as error:
            self._problems.append(str(error))
            return None
        return to_html(text, self._record.model, {**self._copied(text), **shown})

    def _copied(self, card: str) -> dict[str, str]:
        """Copy the pictures that the card may show; their addresses from a model's page."""
        found: dict[str, str] = {}
        for file in self._record.files:
            path, name = file["path"], f"{file['sha256']}{folder.PICTURE_SUFFIX}"
            if not path.endswith(folder.PICTURE_SUFFIX) or path not in card:
                continue
            try:
                data = self._file(path, PICTURE_BYTES)
                _check_picture(data, f"{path} of {self._record}")
            except ZooError as error:
                self._problems.append(str(error))
                continue
            _write(self._pictures / name, data)
            found[path] = f"../{folder.PICTURES}/{name}"
            if len(found) == PICTURES:
                break
        return found

    def _file(self, path: str, limit: int) -> bytes:
        entry = self._record.file(path)
        if entry["size"] > limit:
            raise RegistryError(f"{limits.longer(f'{path} of {self._record}', limit)}: not shown")
        return self._registry.read_file(self._record, path)


def _check_picture(data: bytes, what: str) -> None:
    """Raise :class:`RegistryError` unless ``data`` begins like a PNG that a browser can hold."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            side = max(image.size)
    # Pillow raises errors of many kinds.
    except Exception:
        side = 0
    if not 0 < side <= PICTURE_SIDE:
        raise RegistryError(f"{what} is no PNG of at most {PICTURE_SIDE} pixels a side: not shown")


def _write(path: Path, data: bytes) -> None:
    with reported("write", path):
        path.write_bytes(data)
