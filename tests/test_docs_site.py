"""The site: it builds without a warning, links lead somewhere, nothing comes from elsewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from printed import DOCS, ROOT

pytestmark = pytest.mark.skipif(
    find_spec("zensical") is None, reason="needs: pip install 'zoo[docs]'"
)
LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "srcset"),
          ("iframe", "src")}  # fmt: skip


class Page(HTMLParser):
    """``links``: (tag, attribute, target); ``anchors``: what can be led to within the page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[tuple[str, str, str]] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src", "srcset") and value:
                self.links.append((tag, name, value))
            if name in ("id", "name") and value:
                self.anchors.add(value)


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def copied(folder: Path) -> Path:
    shutil.copytree(DOCS, folder / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "zensical.toml", folder)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    folder = copied(tmp_path_factory.mktemp("site"))
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return {path: Page(path) for path in (folder / "site").rglob("*.html")}


def test_every_page_is_in_the_navigation_and_built(site: dict[Path, Page]) -> None:
    config = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    named = set(re.findall(r'= "([\w/-]+\.md)" \}', config))
    assert pages == named, "name the page in zensical.toml"
    assert len(site) >= len(pages)


def test_every_link_and_picture_leads_somewhere(site: dict[Path, Page]) -> None:
    lost = []
    for path, page in site.items():
        if path.name == "404.html":  # its links begin at the root of wherever it is
            continue
        for _, _, target in page.links:
            where = urlsplit(target)
            if where.scheme or where.netloc or target.startswith("data:"):
                continue
            there = (path.parent / unquote(where.path)).resolve() if where.path else path
            anchored = not where.fragment or there not in site
            if not there.is_file() or not (anchored or where.fragment in site[there].anchors):
                lost.append(f"{path.name}: {target}")
    assert lost == []


def test_no_row_of_a_table_is_left_as_text(site: dict[Path, Page]) -> None:
    """As those behind an empty line, which ends a table."""
    left = [path.name for path in site if "<p>|" in path.read_text(encoding="utf-8")]
    assert left == []


def test_nothing_is_loaded_from_elsewhere(site: dict[Path, Page]) -> None:
    foreign = [
        f"{path.name}: {target}"
        for path, page in site.items()
        for tag, name, target in page.links
        if (tag, name) in LOADED and re.match(r"(https?:)?//", target)
    ]
    assert foreign == []
    (root,) = {path.parent for path in site if path.name == "index.html"}
    for style in root.rglob("*.css"):
        assert not re.search(r"(url\(|@import )['\"]?(https?:)?//", style.read_text()), style.name


def test_a_broken_link_ends_the_build(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    page = folder / "docs/index.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n[lost](nowhere.md)\n", encoding="utf-8")
    assert build(folder).returncode != 0
