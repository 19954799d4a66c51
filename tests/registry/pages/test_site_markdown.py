"""A card's Markdown as HTML: what is shown, and what is only text."""

from __future__ import annotations

import time

import pytest
from page_reader import Page

from zoo.registry.site import markdown
from zoo.registry.site.building import CARD_BYTES
from zoo.registry.site.markdown import is_safe_link, to_html

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<!-- --><iframe srcdoc='<script>1</script>'>",
    "<style>*{display:none}</style>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](&#x6A;avascript&colon;alert(1))",
    "[a](<javascript:alert(1)>)",
    "[a](vbscript:x)",
    "[a](data:text/html,x)",
    "[a](file:///etc/passwd)",
    "[a](//evil.example)",
    "[a](/\\evil.example)",
    "[a](\\\\\\\\evil.example\\x)",
    "[a](https:evil)",
    "[a](mailto:x@y.z)",
    "[a]: javascript:alert(1)\n\n[a]",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "![a](https://evil.example/x.png)",
    "![a](javascript:alert(1))",
    "![a](data:image/svg+xml,<svg onload=alert(1)>)",
    "![a](x.svg)",
    '[a](https://e.example "\\" onclick=alert(1) x=\\"")',
    '[a](https://e.example/"onclick=alert(1))',
    "```\"><script>alert(1)</script>\nx\n```",
    "```html onload=alert(1)\n<script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`",
    "| <script>1</script> |\n| :-: |\n| <img onerror=1 src=x> |",
    "# <script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "a\x00b<script\x00>alert(1)</script>",
)  # fmt: skip


def page(text: str, pictures: dict[str, str] | None = None) -> Page:
    return Page(f"<script src=x></script>{to_html(text, 'name', pictures or {})}")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_stay_text(payload):
    for text in (payload, f"> {payload}", f"- {payload}", f"*{payload}*", f"a {payload} b"):
        found = page(text)
        assert found.wrong == []
        far = [link for link in found.links if link.startswith("http")]
        assert all(link.startswith("https://e.example") for link in far)


def test_the_payloads_would_do_something_elsewhere():
    """With raw HTML and every link let through, as many parsers are set by default."""
    from markdown_it import MarkdownIt

    careless = MarkdownIt("commonmark", {"html": True}).enable("table")
    careless.validateLink = lambda url: True  # type: ignore[method-assign]
    caught = [payload for payload in PAYLOADS
              if Page(f"<script src=x></script>{careless.render(payload)}").wrong]  # fmt: skip
    assert len(caught) >= 25


def test_what_a_card_may_do():
    html = to_html(
        "---\na: 1\n---\n\n# name\n\n## Use\n\n*a* **b** `c` [d](https://e.example/f?g=1&h=2)"
        " [near](other.html#v2)\n\n1. one\n2. two\n\n> said\n\n| a | b |\n| --- | ---: |\n| 1 | 2 |"
        "\n\n```toml\nx = 1\n```\n\n###### deep\n",
        "name",
        {},
    )
    for part in (
        "<h3>Use</h3>", "<em>a</em>", "<strong>b</strong>", "<code>c</code>", "<ol>",
        "<blockquote>",
        '<a href="https://e.example/f?g=1&amp;h=2" rel="noopener noreferrer nofollow">d</a>',
        '<a href="other.html#v2"', '<td class="right">2</td>', '<code class="language-toml">',
        '<div class="scroll" role="region" aria-label="table" tabindex="0"><table>',
        "<h6>deep</h6>",
    ):  # fmt: skip
        assert part in html, part
    assert "name" not in html
    assert "a: 1" not in html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# other\n", "<h2>other</h2>"),
        ("---\nnever closed\n", "<hr />\n<p>never closed</p>"),
        ("a\n\n---\nb\n---\n", "<hr />\n<h3>b</h3>"),
        ("---\r\na: 1\r\n---\r\ntext", "<p>text</p>"),
        ("", ""),
    ],
)
def test_only_a_beginning_is_taken_for_metadata_and_title(text, shown):
    html = to_html(text, "name", {})
    assert shown in html
    assert "a: 1" not in html


def test_comments_are_left_out_and_what_only_begins_like_one_is_not():
    text = "a\n\n<!-- ours:\n1 -->\n\nb <!-- c -->\n\n<!-- d --> e <!-- f -->\n\n`<!-- g -->`"
    found = page(text)
    assert found.wrong == []
    assert "ours" not in found.text
    assert all(part in found.text for part in ("b <!-- c -->", "<!-- d --> e <!-- f -->", "g"))


def test_marks_that_move_text_are_shown(monkeypatch):
    text = "a\u202eb &#x202e; `\u2066` [c](https://e.example/\u202e) ![\u200f](x)"
    assert not {"\u202e", "\u2066", "\u200f"} & set(to_html(text, "n", {}))
    assert "a\\u202eb \\u202e" in to_html(text, "n", {})
    monkeypatch.setattr(markdown, "printable", lambda line: line)
    assert {"\u202e", "\u2066", "\u200f"} <= set(to_html(text, "n", {}))


def test_pictures_are_the_versions_own():
    found = page('![a "b](look.png) ![c](far.png)', {"look.png": "../pictures/1.png"})
    assert found.links == ["x", "../pictures/1.png"]
    assert found.wrong == []
    assert "[picture: c]" in found.text
    assert page("![m](m.png)", {"m.png": "#matrix"}).links == ["x", "#matrix"]


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.b", True), ("http://a.b/c", True), ("HTTPS://a", True), ("x.html", True),
        ("#part", True), ("?q=1", True), ("a/b:c", True), ("", True),
        ("javascript:x", False), ("https:", False), ("https:///x", False), ("//a", False),
        ("/a", False), ("\\a", False), ("%5C%5Ca", False), ("a b\n", False), ("c:x", False),
    ],
)  # fmt: skip
def test_links(url, safe):
    assert is_safe_link(url) is safe


@pytest.mark.parametrize(
    "piece",
    ["[", "![", "*a_", "`", "> ", "- a\n", "|a|b|\n|-|-|\n", "[a](b \"", "<a ", "&", "a\n===\n",
     "***", "[a]: x\n", "\\", "|a"],
)  # fmt: skip
def test_no_card_takes_long(piece):
    """In proportion to its length: four times as long, about four times the time."""
    taken = []
    for length in (CARD_BYTES // 16, CARD_BYTES // 4):
        text = (piece * (length // len(piece) + 1))[:length]
        tries = []
        for _ in range(3):  # the least of them: a machine that is busy makes any one slower
            start = time.process_time()
            to_html(text, "name", {})
            tries.append(time.process_time() - start)
        taken.append(min(tries))
    assert taken[1] < max(10 * taken[0], 0.5)
