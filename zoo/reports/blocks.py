"""What a page is made of: plain values, which the template turns into HTML and escapes.

Nothing here is HTML but ``Chart.svg``, which :mod:`zoo.reports.svg` made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Missing:
    """What a section cannot show: ``why``, and the ``command`` that makes it, or nothing."""

    why: str
    command: str = ""
    kind: Literal["missing"] = "missing"


@dataclass(frozen=True)
class Notice:
    """What has to be known before anything here is believed."""

    text: str
    command: str = ""
    kind: Literal["notice"] = "notice"


@dataclass(frozen=True)
class Text:
    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True)
class Tile:
    name: str
    value: str
    interval: str = ""


@dataclass(frozen=True)
class Tiles:
    """``detail``: what all their intervals are."""

    tiles: Sequence[Tile]
    detail: str = ""
    kind: Literal["tiles"] = "tiles"


@dataclass(frozen=True)
class Facts:
    """(name, text) of each; those without a text are left out. ``title``: may be empty."""

    facts: Sequence[tuple[str, str]]
    title: str = ""
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True)
class Chart:
    """``name``: of its file, without a suffix, and unlike any other in the report; ``wide``: it has
    panels, and takes the page's whole width."""

    name: str
    title: str
    figure: Figure
    caption: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Charts:
    charts: Sequence[Chart]
    kind: Literal["charts"] = "charts"


@dataclass(frozen=True)
class Cell:
    """``small``: what stands below it, such as an interval."""

    text: str
    small: str = ""


@dataclass(frozen=True)
class Table:
    """``rows``: as long as ``head``; ``names``: how many columns hold words and stand at the left.
    ``folded``: what stands for the table until it is opened; empty: it is open."""

    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    names: int = 1
    title: str = ""
    folded: str = ""
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Code:
    text: str
    folded: str = ""
    kind: Literal["code"] = "code"


@dataclass(frozen=True)
class Shot:
    """A picture with what there is to say of it. ``uri``: empty where it cannot be shown;
    ``lines``: (what, text, number) of each; ``wrong``: whether what was decided is not the truth,
    None where nobody knows; ``small``: it is enlarged pixel by pixel."""

    uri: str
    name: str
    lines: Sequence[tuple[str, str, str]] = ()
    wrong: bool | None = None
    small: bool = False


@dataclass(frozen=True)
class Gallery:
    title: str
    shots: Sequence[Shot]
    caption: str = ""
    kind: Literal["gallery"] = "gallery"


@dataclass(frozen=True)
class Strip:
    """Pictures side by side, under the heads of a :class:`Strips`."""

    name: str
    detail: str
    uris: Sequence[str]
    small: bool = False


@dataclass(frozen=True)
class Strips:
    title: str
    head: Sequence[str]
    strips: Sequence[Strip]
    kind: Literal["strips"] = "strips"


@dataclass(frozen=True)
class Legend:
    """(colour of the palette, what it means) of each."""

    entries: Sequence[tuple[str, str]]
    kind: Literal["legend"] = "legend"


Block = Missing | Notice | Text | Tiles | Facts | Charts | Table | Code | Gallery | Strips | Legend


@dataclass(frozen=True)
class Section:
    """``anchor``: letters and ``-``, unlike every other."""

    title: str
    anchor: str
    blocks: Sequence[Block] = field(default_factory=tuple)
