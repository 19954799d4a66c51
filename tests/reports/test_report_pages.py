"""Reports as files and in a browser: equal bytes, small, quick, quiet, and readable.

``$ZOO_TEST_PICTURES``: a folder that keeps the pictures.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import report_examples as examples
from report_reader import Report

import zoo

KINDS = ["binary", "multiclass", "multilabel", "segmentation"]
# Two processes that have nothing in common but the run.
ELSEWHERE = """
import sys; sys.path[:0] = {paths!r}
import pytest, report_examples as examples, zoo, shutil
from pathlib import Path
from zoo.plugins import loading
from zoo.plugins.catalog import catalog
from zoo.plugins.loading import Loaded, Plugin
found, problems = loading.load_all()
build = lambda context: examples.DATASETS["made"]
spec = zoo.DatasetSpec(name="made", build=build, summary="x", source="y")
loading.load_all = lambda: ([*found, Loaded(Plugin("fake", "zoo-fake", "1"), (spec,))], problems)
import zoo.runs.opening
zoo.runs.opening.dataset_folder = lambda component, root: None
catalog.cache_clear()
examples.planted(Path("theirs"), samples=40)
shutil.rmtree("theirs")
zoo.report("runs/one", output="elsewhere.html", figures="elsewhere")
"""


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_run_is_the_same_bytes_here_and_in_another_process(here):
    examples.planted(here / "runs" / "one", samples=40)
    first = zoo.report("runs/one", output="first.html", figures="first")
    again = zoo.report("runs/one", output="again.html", figures="again")
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    code, other = ELSEWHERE.format(paths=paths), {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **other},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = first.path.read_bytes()
    assert page == again.path.read_bytes() == Path("elsewhere.html").read_bytes()
    assert files(here / "first") == files(here / "again") == files(here / "elsewhere")
    assert "report.html" not in {path.name for path in (here / "runs" / "one").iterdir()}


def test_figures_lie_beside_it_as_svg_and_png(here):
    run = examples.planted(here / "one", samples=40)
    made = zoo.report(run.path, figures=here / "figures")
    assert made.path == run.path / "report.html"
    assert {path.name for path in made.figures} == {path.name for path in files_of(here)}
    names = {path.stem for path in made.figures}
    assert names >= {"roc", "precision-recall", "confusion-counts", "confusion-shares",
                     "reliability", "training-loss", "learning-rate", "speed", "memory",
                     "class-recall"}  # fmt: skip
    assert len(made.figures) == 2 * len(names)
    for path in made.figures:
        data = path.read_bytes()
        if path.suffix == ".png":
            assert data.startswith(b"\x89PNG")
            width = int.from_bytes(data[16:20], "big")
            assert width == round(84 / 25.4 * 300)
        else:
            size = re.search(rb'<svg [^>]*width="([\d.]+)pt"', data)
            assert size is not None and float(size[1]) == pytest.approx(84 / 25.4 * 72, abs=0.01)


def files_of(here: Path) -> list[Path]:
    return sorted((here / "figures").iterdir())


def test_a_split_has_its_own_page_and_an_output_any_name(here):
    run = examples.planted(here / "one", samples=30)
    assert zoo.report(run.path, split="train").path == run.path / "report-train.html"
    assert zoo.report(run.path, output=here / "new" / "x.HTML").path == here / "new" / "x.HTML"
    assert sorted(path.name for path in run.path.glob("*.html")) == ["report-train.html"]


def test_a_large_run_is_a_small_page_made_quickly(here):
    """10,000 images of 10 classes, with the intervals that zoo eval left. Processor seconds, for
    others compute here too."""
    run = examples.planted(here / "one", classes=examples.names(10), samples=10_000, epochs=200)
    start = time.process_time()
    made = zoo.report(run.path)
    took, size = time.process_time() - start, made.path.stat().st_size
    print(f"10,000 samples, 10 classes: {size / 1e6:.2f} MB in {took:.1f} s of a processor")
    assert size < 3e6
    assert took < 10


@pytest.mark.parametrize("classes", [9, pytest.param(100, marks=pytest.mark.slow), 1000])
def test_long_lists_of_classes_stay_whole_and_stay_small(here, classes):
    run = examples.planted(
        here / "one", classes=examples.names(classes), samples=2 * classes, intervals=False
    )
    made = zoo.report(run.path)
    page = Report(made.path.read_text(encoding="utf-8"))
    assert page.wrong == []
    [[_, *rows]] = page.tables["classes"]
    assert [row[0] for row in rows] == examples.names(classes)
    assert made.path.stat().st_size < 3e6
    assert ("Confusion matrix, percent of each row" in page.texts) == (classes <= 100)
    assert all(len(texts) < 120 for name, texts in page.texts.items() if "Confusion" not in name)


# Texts of figures, tables and captions that are hard to read on what is behind them: the sum of
# what is painted below is taken from the picture itself, so cells and pictures are left out.
CONTRAST = """(() => {
  const light = (rgb) => rgb.map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const numbers = (css) => css.match(/[\\d.]+/g).map(Number);
  const found = [];
  for (const one of document.querySelectorAll("body *")) {
    const text = [...one.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("");
    if (!text.trim() || one.closest("[aria-label^='Confusion']")) continue;
    let back = [255, 255, 255];
    for (let up = one; up; up = up.parentElement) {
      const colour = numbers(getComputedStyle(up).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.9) { back = colour.slice(0, 3); break; }
    }
    const style = getComputedStyle(one);
    const front = numbers(one.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(front.slice(0, 3)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([text.trim().slice(0, 40), ratio]);
  }
  return found;
})()"""
# Letters on the screen, in CSS pixels, that are smaller than 9: figures scale with the page.
TINY = """[...document.querySelectorAll("svg text")].filter((one) => {
  const scale = one.ownerSVGElement.getScreenCTM().a;
  return scale * parseFloat(getComputedStyle(one).fontSize) < 9;
}).map((one) => one.textContent)"""
WIDE = "[...document.querySelectorAll('main *')].filter((one) => !one.closest('.scroll, pre, svg') "
WIDE += "&& one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML)"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("width", "dark"),
    [
        pytest.param(375, False, marks=pytest.mark.slow, id="375-light"),
        pytest.param(375, True, id="375-dark"),
        pytest.param(1280, False, id="1280-light"),
        pytest.param(1280, True, marks=pytest.mark.slow, id="1280-dark"),
    ],
)
def test_in_a_browser_it_is_quiet_and_can_be_read(browser, here, tmp_path, kind, dark, width):
    keep = Path(os.environ.get("ZOO_TEST_PICTURES") or tmp_path)
    keep.mkdir(parents=True, exist_ok=True)
    classes = examples.names(9) if kind == "multiclass" else None
    run = examples.planted(here / "one", kind, classes=classes, samples=45)
    made = zoo.report(run.path)
    browser.console(), browser.asked()
    browser.open(made.path.as_uri(), width=width, dark=dark)
    assert browser.console() == []
    elsewhere = [url for url in browser.asked() if not url.startswith(("data:", "about:"))]
    assert elsewhere == [made.path.as_uri()]
    assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.run(WIDE) == []
    assert browser.run(CONTRAST) == []
    assert browser.run(TINY) == []
    assert browser.run("[...document.images].every((one) => one.naturalWidth > 0)")
    browser.shoot(keep / f"report-{kind}-{width}{'-dark' if dark else ''}.png")


def test_what_cannot_be_read_would_be_seen(browser, here):
    """The negative controls of what each page is asked above."""
    run = examples.planted(here / "one", samples=30)
    browser.open(zoo.report(run.path).path.as_uri(), width=375)
    browser.run("document.querySelector('h1').style.setProperty('color', '#999')")
    browser.run("document.querySelector('svg text').style.setProperty('font-size', '3px')")
    browser.run("document.querySelector('.tiles').style.setProperty('width', '500px')")
    assert [text for text, _ in browser.run(CONTRAST)] == ["one"]
    assert len(browser.run(TINY)) == 1
    assert len(browser.run(WIDE)) > 0
    assert browser.run("document.documentElement.scrollWidth") > 375


def test_links_lead_to_every_section(browser, here):
    run = examples.planted(here / "one", samples=30)
    browser.open(zoo.report(run.path).path.as_uri())
    links = browser.run("[...document.querySelectorAll('nav a')].map((one) => one.hash.slice(1))")
    there = browser.run("[...document.querySelectorAll('h2')].map((one) => one.id)")
    assert links == there and len(links) == 12
    names = browser.run("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(names) == len({*names})


def test_nothing_of_a_page_needs_a_dataset(here):
    """The random images of the examples are those of the page, by their pixels."""
    import base64
    import io

    from PIL import Image

    run = examples.planted(here / "one", samples=30)
    page = Report(zoo.report(run.path).path.read_text(encoding="utf-8"))
    split = examples.DATASETS["made"].splits["test"]
    shown = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("L"))
        for uri in page.pictures
    ]
    known = {image.tobytes() for image in split.images}
    assert len(shown) == 36
    assert all(one.tobytes() in known for one in shown)
