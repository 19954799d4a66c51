"""The tutorials and the first pages, done as a reader does them."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from printed import DOCS, blocks
from reading_along import Reader, reading

TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))
KINDS = {"dataset", "architecture", "loss", "sampler", "augmentation"}
# Where training and the contract take the longest.
LONG = {"dataset", "architecture", "start"}


def each(pages: list[Path]) -> list[object]:
    return [
        pytest.param(page, id=page.stem, marks=[pytest.mark.slow] if page.stem in LONG else [])
        for page in pages
    ]


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    with reading(tmp_path / "work", monkeypatch) as one:
        yield one


def test_there_is_a_tutorial_for_each_of_the_five_kinds() -> None:
    assert {page.stem for page in TUTORIALS} == KINDS


@pytest.mark.parametrize("page", each(TUTORIALS))
def test_a_tutorial_works_as_it_is_printed(page: Path, reader: Reader) -> None:
    reader.read(page)
    assert {"pip install", "zoo train", "pytest"} <= set(reader.done)


@pytest.mark.parametrize("page", each([DOCS / "start.md", DOCS / "notebook.md"]))
def test_the_first_pages_work_as_they_are_printed(page: Path, reader: Reader) -> None:
    reader.read(page)
    assert {"zoo train", "zoo eval"} <= set(reader.done)


@pytest.mark.parametrize("page", each(TUTORIALS))
def test_the_contract_that_is_printed_can_fail(page: Path, reader: Reader) -> None:
    """Without its source, which the contract asks for, the printed test goes red."""
    for block in blocks(page):
        if block.title:
            reader.follow(replace(block, text=re.sub(r'source="[^"]+"', 'source=""', block.text)))
    if page.stem == "dataset":
        runpy.run_path("make_folder.py", run_name="__main__")
    reader.install()
    with pytest.raises(Exception, match="no source: name the paper"):
        reader.test()
