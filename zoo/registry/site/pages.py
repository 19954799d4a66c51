"""The pages of a site, as HTML. Every text is a stranger's: autoescaped, its control and direction
marks made visible."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from zoo import __version__
from zoo.errors import printable
from zoo.registry.record import Record
from zoo.registry.site import facts, folder, plots
from zoo.registry.site.inventory import (
    MEMBER,
    Inventory,
    Made,
    Model,
    sources,
)
from zoo.registry.site.plots import Confusion
from zoo.tasks import LOWER_IS_BETTER

if TYPE_CHECKING:
    import jinja2

SHOWN_COLUMNS = 5  # figures that the list shows before one asks for others
_VERSION_COLUMNS = 6  # figures in the table of versions
_PREDICT = 'result = model.predict(["image.png"])'
_WORDS = {"auroc": "AUROC", "iou": "IoU", "f1": "F1"}


@dataclass(frozen=True)
class Related:
    """``known``: whether this site has that very version; ``of``: the version it was made from."""

    made: Made
    known: bool
    of: int = 0


@dataclass(frozen=True)
class Content:
    """What is read of the shown version beside its record. ``card``: safe HTML, None where it
    cannot be read."""

    record: Record
    matrices: Sequence[Confusion]
    card: str | None


class Pages:
    """Renders the pages of one inventory. ``title``: the site's; ``registry``: whose it is."""

    def __init__(self, inventory: Inventory, title: str, registry: str) -> None:
        self._inventory = inventory
        self._environment = environment()
        self._environment.globals.update(
            title=title, registry=registry, zoo_version=__version__, stamp=_stamps(), plot=plots
        )

    def index(self) -> str:
        return self._environment.get_template("index.html.jinja").render(
            up="",
            models=self._inventory.models,
            figures=self._inventory.figures(),
            lower=LOWER_IS_BETTER,
            shown_columns=SHOWN_COLUMNS,
        )

    def model(self, model: Model, content: Content) -> str:
        record, shown = content.record, model.shown
        return self._environment.get_template("model.html.jinja").render(
            up="../",
            model=model,
            shown=shown,
            record=record,
            commands=self._commands(record),
            scores=facts.scores(record),
            facts=list(facts.facts(record).items()),
            more_classes=len(record.task.classes) > facts.CLASSES,
            matrices=content.matrices,
            charts=plots.charts(model.versions, shown.split),
            any_yanked=any(one.yanked is not None for one in model.versions),
            columns=_columns(model),
            sources=self._sources(record),
            children=self._children(model),
            member=MEMBER,
            card=content.card,
        )

    def _commands(self, record: Record) -> list[tuple[str, str]]:
        """(what for, what to type)."""
        reference = f"{record.model}@{record.version}"
        load = (
            f'import zoo\n\nmodel = zoo.load("{reference}")\nresult = model.predict(["image.png"])'
        )
        found = [("Fetch it", f"zoo pull {reference}"), ("Load it in Python", load)]
        if record.ensemble is None:
            plugin = record.plugin
            install = f"pip install {plugin['distribution']}=={plugin['version']}"
            found.append(("Install its plugin", install))
        return found

    def _sources(self, record: Record) -> list[Related]:
        found = []
        for made in sources(record):
            known = self._inventory.version(made.model, made.version)
            found.append(Related(made, known is not None and known.digest == made.digest))
        return found

    def _children(self, model: Model) -> list[Related]:
        return [
            Related(made, known=True, of=one.number)
            for one in model.versions
            for made in self._inventory.children.get((model.name, one.number), ())
        ]


def environment(*, autoescape: bool = True) -> jinja2.Environment:
    """Templates and their filters. ``autoescape``: off only to prove what it is good for."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(asset),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=autoescape,
        finalize=_visible,
    )
    made.filters |= {"words": _words, "head": _head, "figure": _figure, "compact": _compact}
    return made


def asset(name: str) -> str:
    """A template, style sheet or script of the package."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _stamps() -> dict[str, str]:
    """What makes a browser fetch a style sheet or script that has changed."""
    files = {"style": folder.STYLE, "script": folder.SCRIPT}
    return {
        key: hashlib.sha256(asset(name).encode()).hexdigest()[:8] for key, name in files.items()
    }


def _visible(value: Any) -> Any:
    """What an expression gives, as it is printed; HTML that is made already stays."""
    if type(value) is str:
        return "\n".join(map(printable, value.split("\n")))
    return value


def _words(figure: str) -> str:
    return _WORDS.get(figure, figure.replace("_", " ")[:40])


def _head(text: str) -> str:
    return text[:1].upper() + text[1:]


def _figure(value: float) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3g}"


def _compact(count: int) -> str:
    """At most five signs: ``9999``, ``12.3k``, ``4.56M``."""
    if count < 10_000:
        return str(count)
    power = min((len(str(count)) - 1) // 3, 6)
    return f"{float(f'{count / 1000**power:.3g}'):g}{'kMGTPE'[power - 1]}"


def _columns(model: Model) -> list[str]:
    return facts.in_order(name for one in model.versions for name in one.figures)[:_VERSION_COLUMNS]
