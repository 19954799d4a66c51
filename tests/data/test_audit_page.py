"""The report as a page: self-contained, escaped, of bounded size."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.data.audit import page
from zoo.data.audit.auditing import audit
from zoo.data.audit.page import render_page

HOSTILE = "<script>alert(1)</script>\u202egnp.exe"
TASK = zoo.Task.multiclass(["<b>bold</b>", "plain"])


def rendered(count: int = 12, side: int = 20, name: str = "made") -> str:
    """Every picture twice; one id is hostile."""
    rng = np.random.default_rng(0)
    images = np.repeat(rng.integers(0, 256, (count, side, side), dtype=np.uint8), 2, axis=0)
    ids = [HOSTILE, *(str(number) for number in range(1, 2 * count))]
    split = zoo.ArraySplit(images, np.repeat(np.arange(count) % 2, 2), ids)
    dataset = zoo.Dataset(TASK, {"train": split}, zoo.Provenance(licence="x"), {"note": "read me"})
    report = audit(name, dataset, dataset.splits, threads=1)
    assert len(report.findings) >= count
    return render_page(report, TASK, dataset.splits)


class Tags(HTMLParser):
    """Notes that every tag is closed, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_nothing_of_the_network():
    text = rendered()
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.seen.isdisjoint({"script", "link", "iframe"})
    assert tags.addresses
    assert all(one.startswith(("#g", "data:image/png;base64,")) for one in tags.addresses)
    assert "url(" not in text
    assert "read me" in text


def test_names_are_escaped():
    text = rendered(name="<i>made")
    assert "<script" not in text
    assert "<b>bold" not in text
    assert "<i>made" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\u202e" not in text


def test_pictures_are_those_of_the_offenders():
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', rendered(2))
    pictures = [Image.open(io.BytesIO(base64.b64decode(one))) for one in found]
    assert [one.size for one in pictures] == [(20, 20)] * 4


def test_a_page_stays_small(monkeypatch):
    monkeypatch.setattr(page, "PICTURES", 10)
    monkeypatch.setattr(page, "SHOWN", 8)
    text = rendered(20)
    assert text.count("data:image/png") == 10
    assert text.count('class="one"') == 9  # 8 pairs and the note
    assert "and 12 more" in text
    sides = re.findall(r'src="data:image/png;base64,([^"]+)"', rendered(1, side=400))
    assert Image.open(io.BytesIO(base64.b64decode(sides[0]))).size == (96, 96)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xd8\xff"])
def test_what_cannot_be_decoded_has_words_only(content, tmp_path):
    path = tmp_path / "one.jpg"
    path.write_bytes(content)
    split = zoo.FileSplit([path], np.array([0]), ["one.jpg"])
    dataset = zoo.Dataset(TASK, {"test": split}, zoo.Provenance(licence="x"))
    report = audit("made", dataset, dataset.splits, threads=1)
    text = render_page(report, TASK, dataset.splits)
    assert "<img" not in text
    assert "one.jpg" in text
