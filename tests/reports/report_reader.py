"""Reads a report as a browser's parser does: what stands where, and what no page may hold."""

from __future__ import annotations

import re
from html.parser import HTMLParser

ALLOWED = {
    "a", "body", "clippath", "code", "dd", "defs", "details", "div", "dl", "dt", "figcaption",
    "figure", "footer", "g", "h1", "h2", "h3", "head", "header", "html", "image", "img", "li",
    "link", "main", "meta", "nav", "p", "path", "pre", "rect", "section", "span", "style",
    "summary", "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr", "tspan", "ul",
    "use",
}  # fmt: skip
VOID = {"meta", "link", "img", "path", "rect", "use", "image"}
INSIDE = re.compile(r"#[\w-]+|data:(?:image/(?:png|jpeg);base64,[A-Za-z0-9+/=]*|,)")


class Report(HTMLParser):
    """``wrong``: a line for each thing that may not be; ``sections``: anchors in their order;
    ``text``: all that is read; ``texts``: of the figures, by the label of each; ``tiles``: figure
    -> (value, interval); ``facts``: by section and name; ``tables``: by section, rows of cells, the
    heads first; ``missing``, ``notices``, ``commands``: their texts; ``pictures``: addresses."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.sections: list[str] = []
        self.text = ""
        self.texts: dict[str, list[str]] = {}
        self.tiles: dict[str, tuple[str, str]] = {}
        self.facts: dict[tuple[str, str], str] = {}
        self.tables: dict[str, list[list[list[str]]]] = {}
        self.missing: list[str] = []
        self.notices: list[str] = []
        self.commands: list[str] = []
        self.pictures: list[str] = []
        self._open: list[tuple[str, str]] = []  # (tag, class)
        self._figure = ""
        self._name: list[str] = []
        self._parts: list[str] = []
        self._small = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._check(tag, given)
        if tag == "img":
            self.pictures.append(given.get("src", ""))
        if tag not in VOID:
            self._open.append((tag, given.get("class", "")))
        if tag == "h2":
            self.sections.append(given.get("id", ""))
        elif tag == "svg" and "aria-label" in given:
            self._figure = given["aria-label"]
            self.texts[self._figure] = []
        elif tag == "table":
            self.tables.setdefault(self._section, []).append([])
        elif tag == "tr":
            self.tables[self._section][-1].append([])
        elif tag in ("td", "th", "dt", "dd", "p", "code"):
            self._parts, self._small = [], ""

    def _check(self, tag: str, given: dict[str, str]) -> None:
        if tag not in ALLOWED:
            self.wrong.append(f"<{tag}>")
        for name, value in given.items():
            if name.startswith("on") or name in ("style", "srcdoc", "formaction", "ping", "srcset"):
                self.wrong.append(f"<{tag} {name}>")
            if name in ("href", "src", "xlink:href") and not INSIDE.fullmatch(value):
                self.wrong.append(f"<{tag} {name}={value[:80]}>")
            if "url(" in value and not re.fullmatch(r"url\(#[\w-]+\)", value):
                self.wrong.append(f"<{tag} {name}={value[:80]}>")

    @property
    def _section(self) -> str:
        return self.sections[-1] if self.sections else ""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass
        text = "".join(self._parts).strip()
        if tag in ("td", "th"):
            self.tables[self._section][-1][-1].append(text)
        elif tag == "dt":
            self._name = [text]
        elif tag == "dd" and self._name:
            if self._inside("tiles"):
                self.tiles[self._name[0]] = (text, self._small)
            self.facts.setdefault((self._section, self._name[0]), text)
        elif tag == "code":
            self.commands.append(text)
        elif tag == "svg":
            self._figure = ""

    def _inside(self, name: str) -> bool:
        return any(name == one for _, one in self._open)

    def handle_data(self, data: str) -> None:
        tag, name = self._open[-1] if self._open else ("", "")
        if tag == "style":
            return
        self.text += data
        if self._figure and tag in ("text", "tspan"):
            self.texts[self._figure].append(data)
        elif name == "interval":
            self._small += data
        else:
            self._parts.append(data)
        if tag == "p" and name in ("missing", "notice"):
            (self.missing if name == "missing" else self.notices).append(data.strip())
