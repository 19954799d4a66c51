"""Sections as one HTML page: no script, nothing from elsewhere, every text escaped.

Its policy allows pictures that stand in the page and the one style sheet in it, known by its
digest; so even a text that got through unescaped could load and run nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from zoo import __version__
from zoo.errors import printable
from zoo.reports.blocks import Chart, Section
from zoo.reports.svg import inline_svg

if TYPE_CHECKING:
    import jinja2

TEMPLATE, STYLE = "page.html.jinja", "page.css"
_POLICY = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"


def render_page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """The whole page. Equal sections are equal pages."""
    css = asset(STYLE)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return (
        environment()
        .get_template(TEMPLATE)
        .render(
            title=title,
            subtitle=subtitle,
            sections=sections,
            css=css,
            policy=f"{_POLICY}; style-src 'sha256-{digest}'",
            zoo_version=__version__,
        )
    )


def environment(*, autoescape: bool = True) -> jinja2.Environment:
    """Templates and their filters. ``autoescape``: off only to prove what it is good for."""
    import jinja2
    from markupsafe import Markup

    def drawn(chart: Chart) -> Markup:
        return Markup(inline_svg(chart.figure, chart.name, chart.title))

    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(asset),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=autoescape,
        finalize=_visible,
    )
    made.filters["drawn"] = drawn
    return made


def asset(name: str) -> str:
    """A template or style sheet of the package."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _visible(value: Any) -> Any:
    """What an expression gives, as it is printed; HTML that is made already stays."""
    if type(value) is str:
        return "\n".join(map(printable, value.split("\n")))
    return value
