"""Reads pages as a browser's parser does, and says what no page of a stranger may hold."""

from __future__ import annotations

import re
from html.parser import HTMLParser

ALLOWED = {
    "a", "article", "blockquote", "body", "br", "button", "caption", "circle", "code", "data",
    "dd", "details", "div", "dl", "dt", "em", "fieldset", "figcaption", "figure", "footer", "g",
    "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "img", "input", "label",
    "legend", "li", "line", "link", "main", "meta", "nav", "ol", "option", "p", "polyline", "pre",
    "rect", "script", "section", "select", "span", "strong", "summary", "svg", "table", "tbody",
    "td", "text", "th", "thead", "time", "title", "tr", "ul", "bdi",
}  # fmt: skip
ADDRESSES = {"href", "src"}
SAFE = re.compile(r"https?://|(?!//)(?![A-Za-z][A-Za-z0-9+.-]*:)[^\\/]")
FROM_ELSEWHERE = ("img", "script", "link")  # what a browser fetches by itself


class Page(HTMLParser):
    """``wrong``: a line for each thing that may not be; ``links``, ``ids``: of all elements;
    ``text``: all that is read."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.scripts = 0
        self.text = ""
        self._in_script = False
        self.feed(html)
        self.close()
        if self.scripts != 1:
            self.wrong.append(f"{self.scripts} scripts")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED:
            self.wrong.append(f"<{tag}>")
        if tag == "script":
            self.scripts += 1
            self._in_script = True
            if not dict(attrs).get("src"):
                self.wrong.append("a script that stands in the page")
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on") or name in ("style", "srcdoc", "formaction", "ping"):
            self.wrong.append(f"<{tag} {name}>")
        if name in ADDRESSES:
            self.links.append(value)
            local = not value.startswith(("http:", "https:"))
            if not (SAFE.match(value) or value.startswith("#")) or (
                tag in FROM_ELSEWHERE and not local
            ):
                self.wrong.append(f"<{tag} {name}={value}>")
        if name == "id":
            self.ids.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.wrong.append("a script that stands in the page")
        self.text += data
