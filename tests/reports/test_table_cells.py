"""A table of many columns in a browser: words stay whole, and what has no end is broken."""

from __future__ import annotations

from zoo.reports.blocks import Section, Table
from zoo.reports.page import render_page

LINES = """[...document.querySelectorAll('tbody tr')].map(row => [...row.children].map(
  cell => { const all = document.createRange(); all.selectNodeContents(cell);
            return new Set([...all.getClientRects()].map(one => one.top)).size; }))
"""


def test_a_word_of_a_cell_is_broken_only_where_it_has_no_end(browser, tmp_path):
    rows = [["tiny_convolution", "Linear+ReLU", *["10^-4"] * 10], ["w" * 200] * 12]
    table = Table(["Model", "Class", *["Hidden units"] * 10], rows, names=12)
    path = tmp_path / "page.html"
    path.write_text(render_page("x", "y", [Section("T", "t", [table])]))
    browser.open(path.as_uri(), width=1000)
    whole, broken = browser.run(LINES)
    assert whole == [1] * 12 and min(broken) > 3
    assert browser.run("document.documentElement.scrollWidth") == 1000
