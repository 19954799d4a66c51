"""A figure as bytes: files of its own, and SVG that stands in a page.

Equal figures are equal bytes, with the same matplotlib: no date, no counter, no random names. What
stands in a page is taken apart and put together again from what is known to be harmless, with the
page's own colours in place of the figure's, so that it can be read in the dark too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from zoo.reports import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NOTHING = {"Date": None, "Creator": None, "Format": None, "Type": None}
# What matplotlib draws with. Anything else is left out, with all that is in it.
_TAGS = {"svg", "g", "path", "use", "defs", "clipPath", "rect", "text", "tspan", "image"}
_ATTRIBUTES = {
    "viewBox", "d", "x", "y", "width", "height", "transform", "clip-path", "id", "href", "fill",
    "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap",
    "stroke-linejoin", "stroke-dasharray", "stroke-dashoffset", "stroke-miterlimit", "opacity",
    "font-size", "font-weight", "text-anchor", "preserveAspectRatio",
}  # fmt: skip
_PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]*")
_PLACES = re.compile(r"-?\d+\.\d{3,}")
_SIZE = re.compile(r"([\d.]+)px")
_COLOURS = {
    getattr(style, name): f"var(--{name.lower()})"
    for name in (
        "INK", "FAINT", "LINE", "PAPER", "BLUE", "VERMILLION", "GREEN", "PURPLE", "ORANGE", "SKY",
    )
}  # fmt: skip


def svg_bytes(figure: Figure, *, transparent: bool = False) -> bytes:
    """An SVG file; its letters are letters, not outlines."""
    buffer = io.BytesIO()
    with style.styled():
        figure.savefig(buffer, format="svg", metadata=_NOTHING, transparent=transparent)
    return buffer.getvalue()


def png_bytes(figure: Figure) -> bytes:
    """A PNG file of 300 dots an inch."""
    buffer = io.BytesIO()
    with style.styled():
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def inline_svg(figure: Figure, name: str, label: str) -> str:
    """An ``<svg>`` for a page. ``name``: letters, digits and ``-``, unlike every other in the page,
    for the names of its parts begin with it; ``label``: what is read aloud."""
    root = ElementTree.fromstring(svg_bytes(figure, transparent=True))
    clean = _cleaned(root, _targets(root), name)
    assert clean is not None
    for one in ("width", "height"):
        clean.attrib.pop(one, None)
    # What the file's own style sheet says of everything in it.
    clean.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    clean.attrib |= {"role": "img", "aria-label": label}
    return ElementTree.tostring(clean, encoding="unicode")


def _targets(root: ElementTree.Element) -> set[str]:
    """The ids that something refers to."""
    found = set()
    for one in root.iter():
        for value in one.attrib.values():
            found |= {*re.findall(r"#([\w-]+)", value)}
    return found


def _cleaned(
    element: ElementTree.Element, targets: set[str], name: str
) -> ElementTree.Element | None:
    tag = _bare(element.tag)
    if tag not in _TAGS:
        return None
    given = {_bare(key): value for key, value in element.attrib.items()}
    given |= _as_attributes(given.pop("style", ""))
    kept = {key: value for key, value in given.items() if key in _ATTRIBUTES}
    if kept.get("id") not in targets:
        kept.pop("id", None)
    clean = ElementTree.Element(tag)
    for key, value in kept.items():
        if (shown := _value(key, value, name)) is not None:
            clean.set(key, shown)
    clean.text = element.text if tag in ("text", "tspan") else None
    children = (_cleaned(one, targets, name) for one in element)
    clean.extend(one for one in children if one is not None)
    return clean


def _bare(name: str) -> str:
    """Without the namespace."""
    return name.rpartition("}")[2]


def _as_attributes(css: str) -> dict[str, str]:
    """``fill: #fff; font: 7px 'DejaVu Sans'`` as attributes, which no policy of a page forbids."""
    found = {}
    for part in css.split(";"):
        key, _, value = part.partition(":")
        key, value = key.strip(), value.strip()
        if key == "font":
            if size := _SIZE.search(value):
                found["font-size"] = size[1]
            if re.search(r"\b(?:bold|[6-9]00)\b", value):
                found["font-weight"] = "600"
        elif key == "font-size":
            found[key] = value.removesuffix("px")
        elif key:
            found[key] = value
    return found


def _value(key: str, value: str, name: str) -> str | None:
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        if value.startswith("#"):
            return f"#{name}-{value[1:]}"
        return "".join(value.split()) if _PICTURE.fullmatch(value) else None
    if key == "clip-path":
        return value.replace("url(#", f"url(#{name}-")
    if key in ("fill", "stroke"):
        return _colour(value)
    return _PLACES.sub(lambda number: f"{float(number[0]):.2f}", value)


def _colour(value: str, known: Mapping[str, str] = _COLOURS) -> str:
    return known.get(value.lower(), value)
