"""A card's Markdown, which strangers wrote, as HTML that can do nothing.

Raw HTML stays text. A link leads to http(s) or to a relative address; a picture is one of the
version's own files or its description. What the parser makes is a fixed set of elements without
event handlers and without styles.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo.errors import printable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\A---\n(?:.*\n)*?---(?:\n|\Z)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_WEB = re.compile(r"https?://[^/]", re.IGNORECASE)
_ALIGNED = {"text-align:left": "left", "text-align:center": "center", "text-align:right": "right"}
_COMMENT = re.compile(r"\s*<!--(?:(?!-->).)*-->\s*", re.DOTALL)
_REL = "noopener noreferrer nofollow"
_NESTING = 20  # of quotes and lists; deeper ones are dropped


def to_html(text: str, name: str, pictures: Mapping[str, str]) -> str:
    """The card without its metadata, its headings one level down, below the page's own.

    A first heading that is ``name`` is left out, for the page has it. ``pictures``: addresses of
    the version's pictures, by their path in the card; one that begins with ``#`` is where on the
    page the same is shown.
    """
    body = _FRONT_MATTER.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    parser = _parser()
    tokens = _without_comments(_without_title(parser.parse(body), name))
    for token in tokens:
        _tame(token, pictures)
    html: str = parser.renderer.render(tokens, parser.options, {})
    # After parsing, not before: &#x202e; is a direction mark only now.
    return "\n".join(map(printable, html.split("\n")))


def is_safe_link(url: str) -> bool:
    """Whether a click on ``url`` leads to http(s) or stays beside the page. ``//host`` would be a
    share of Windows when the page lies on a disk."""
    if "\\" in url or "%5c" in url.lower() or not url.isprintable():
        return False
    if _SCHEME.match(url):
        return _WEB.match(url) is not None
    return not url.startswith("/")


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    class Parser(MarkdownIt):
        def validateLink(self, url: str) -> bool:  # noqa: N802
            return is_safe_link(url)

    made = Parser("commonmark", {"html": False, "maxNesting": _NESTING}).enable("table")
    made.add_render_rule("table_open", _table_open)
    made.add_render_rule("table_close", _table_close)
    made.add_render_rule("image", _image)
    return made


def _without_title(tokens: Sequence[Token], name: str) -> list[Token]:
    if len(tokens) >= 3 and tokens[0].type == "heading_open" and tokens[1].content == name:
        return list(tokens[3:])
    return list(tokens)


def _without_comments(tokens: Sequence[Token]) -> list[Token]:
    """Without the paragraphs that are nothing but a comment, which nobody is meant to read."""
    dropped: set[int] = set()
    for at, token in enumerate(tokens):
        alone = token.type == "inline" and tokens[at - 1].type == "paragraph_open"
        if alone and _COMMENT.fullmatch(token.content):
            dropped |= {at - 1, at, at + 1}
    return [token for at, token in enumerate(tokens) if at not in dropped]


def _tame(token: Token, pictures: Mapping[str, str]) -> None:
    """Set what the page asks of a token, and of those inside it."""
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    elif token.type == "link_open":
        token.attrSet("rel", _REL)
    elif token.type == "image":
        # The address as written: the parser has percent-encoded nothing in a plain path.
        token.meta["shown"] = pictures.get(str(token.attrs.get("src", "")), "")
    elif token.type in ("td_open", "th_open"):
        aligned = _ALIGNED.get(str(token.attrs.pop("style", "")))
        if aligned:
            token.attrSet("class", aligned)
    for child in token.children or ():
        if token.type != "image":
            _tame(child, pictures)


def _table_open(*_: Any) -> str:
    return '<div class="scroll" role="region" aria-label="table" tabindex="0"><table>\n'


def _table_close(*_: Any) -> str:
    return "</table></div>\n"


def _image(
    renderer: Any, tokens: Sequence[Token], index: int, options: Any, environment: Any
) -> str:
    from markdown_it.common.utils import escapeHtml

    token = tokens[index]
    about = escapeHtml(renderer.renderInlineAsText(token.children or [], options, environment))
    address = escapeHtml(token.meta["shown"])
    if address.startswith("#"):
        return f'<a href="{address}">{about or "the picture"}</a>'
    if address:
        return f'<img src="{address}" alt="{about}">'
    return f"[picture: {about}]"
