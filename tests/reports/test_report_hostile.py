"""What strangers write into a run or a predictions file is text in a report, and no more."""

from __future__ import annotations

import copy
import json
import time
import warnings
from xml.etree import ElementTree

import pytest
import report_examples as examples
from report_reader import Report

import zoo
from zoo.errors import ZooError
from zoo.reports import page as pages
from zoo.reports import svg

SCRIPT, IMAGE = examples.SCRIPT, examples.IMAGE
STRANGE = '"><b>x</b>\u202egnp.exe'
POLICY = "Content-Security-Policy"


def hostile(here, kind="multiclass"):
    """A run whose every text is an attack."""
    names = [SCRIPT, IMAGE, STRANGE] if kind in ("multiclass", "multilabel") else [SCRIPT, IMAGE]
    ids = [f"{SCRIPT}{IMAGE}{k}" for k in range(60)]
    run = examples.planted(
        here / "one", kind, classes=names, ids=ids,
        architecture=IMAGE, status=SCRIPT, reason=IMAGE, created=SCRIPT,
        environment={SCRIPT: IMAGE, "device": STRANGE}, plugin={"distribution": SCRIPT},
        initialized={"parent": {"model": SCRIPT, "version": IMAGE, "digest": STRANGE}},
    )  # fmt: skip
    info = run.info
    info["data"] |= {"citation": SCRIPT, "licence": IMAGE, "dataset": "made"}
    info["data"]["splits"][f"{SCRIPT}"] = {"samples": 3, "fingerprint": IMAGE}
    (run.path / "run.json").write_text(json.dumps(info))
    with (run.path / "recipe.toml").open("a") as file:
        file.write(f"[card]\ndescription = '''{SCRIPT}'''\n\"{SCRIPT}\" = 1\n")
    lines = [{"event": "training_ended", "reason": SCRIPT, "monitor": IMAGE, "best_epoch": 2}]
    with (run.path / "events.jsonl").open("a") as file:
        file.write("\n" + "".join(json.dumps(one) + "\n" for one in lines))
    return run


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "segmentation"])
def test_every_text_is_escaped(here, kind):
    run = hostile(here, kind)
    text = zoo.report(run.path).path.read_text(encoding="utf-8")
    page = Report(text)
    assert page.wrong == []
    assert page.text.count(SCRIPT) > 5 and page.text.count(IMAGE) > 5
    assert "\u202e" not in text
    if len(run.info["task"]["classes"]) == 3:
        assert "\\u202egnp.exe" in page.text


def test_without_escaping_it_would_not_be(here, monkeypatch):
    """The negative control: the same run, with autoescape off."""
    run = hostile(here)
    bare = pages.environment(autoescape=False)
    monkeypatch.setattr(pages, "environment", lambda: bare)
    wrong = Report(zoo.report(run.path).path.read_text(encoding="utf-8")).wrong
    assert {"<script>", "<b>", "<img onerror>"} <= {*wrong}


@pytest.fixture
def opened(browser):
    browser.console(), browser.asked()
    return browser


def test_in_a_browser_nothing_of_it_is_carried_out(here, opened):
    run = hostile(here)
    opened.open(zoo.report(run.path).path.as_uri())
    time.sleep(0.2)
    assert opened.driver.title == "one"
    assert opened.all("script, [onerror], b") == []
    assert SCRIPT in opened.one("#classes ~ .scroll").text
    assert opened.console() == []


@pytest.mark.parametrize("guards", ["policy alone", "none"])
def test_without_escaping_the_policy_alone_would_stop_it(here, opened, monkeypatch, guards):
    """The negative control: unescaped they are elements, which run where there is no policy."""
    run = hostile(here)
    bare = pages.environment(autoescape=False)
    monkeypatch.setattr(pages, "environment", lambda: bare)
    path = zoo.report(run.path).path
    if guards == "none":
        text = path.read_text(encoding="utf-8")
        assert POLICY in text
        path.write_text(text.replace(POLICY, "X-Nothing"), encoding="utf-8")
    opened.open(path.as_uri())
    time.sleep(0.3)
    assert opened.all("[onerror]") != []
    assert opened.driver.title == ("pwned" if guards == "none" else "one")
    blocked = [line for line in opened.console() if "Content Security Policy" in line]
    assert bool(blocked) == (guards == "policy alone")


BAD_SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
  viewBox="0 0 1 1" onload="evil()"><script>evil()</script><style>* {fill: red}</style>
  <foreignObject><b>evil</b></foreignObject><a xlink:href="https://evil.example"><text>x</text></a>
  <image xlink:href="https://evil.example/x.png"/><image xlink:href="data:text/html,evil"/>
  <image xlink:href="data:image/png;base64,AAAA"/><use xlink:href="other.svg#x"/>
  <g id="kept"><rect style="fill: #0072b2; background: url(https://evil.example)"/></g>
  <use xlink:href="#kept" clip-path="url(#kept)"/><g id="unused"/></svg>"""


def test_what_matplotlib_does_not_draw_with_is_left_out_of_an_svg():
    root = ElementTree.fromstring(BAD_SVG)
    clean = svg._cleaned(root, svg._targets(root), "chart")
    text = ElementTree.tostring(clean, encoding="unicode")
    for evil in ("evil", "script", "onload", "style", "foreign", "background", "other.svg", "html"):
        assert evil in BAD_SVG and evil not in text
    assert 'href="data:image/png;base64,AAAA"' in text
    assert 'id="chart-kept"' in text and "unused" not in text
    assert 'href="#chart-kept"' in text and "url(#chart-kept)" in text
    assert 'fill="var(--blue)"' in text


JUNK = [None, True, -1, 10**400, 1e308, "x" * 50, SCRIPT, [], [1], {}, {"a": 1}, "2026-13-99T99:99"]


def damaged(value, rng):
    """``value`` with one thing in it, at any depth, replaced by junk."""
    value = copy.deepcopy(value)
    holder, key = value, None
    while True:
        keys = [*holder] if isinstance(holder, dict) else [*range(len(holder))]
        if not keys:
            return value
        key = keys[rng.integers(len(keys))]
        inner = holder[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.75:
            holder = inner
            continue
        holder[key] = JUNK[rng.integers(len(JUNK))]
        return value


@pytest.mark.parametrize(
    "times", [3, pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
@pytest.mark.parametrize("name", ["run.json", "metrics/test.json", "events.jsonl"])
@pytest.mark.parametrize("kind", ["multiclass", "segmentation"])
def test_damaged_files_are_one_line_or_a_report_without_them(here, monkeypatch, name, kind, times):
    import numpy as np

    # Figures are made; to turn them into SVG takes longest, and is tried elsewhere.
    monkeypatch.setattr(pages, "inline_svg", lambda figure, *_: "<svg></svg>")
    run = examples.planted(here / "one", kind, samples=20, seed=150)
    if name.startswith("metrics"):
        run.predictions_path("test").unlink()  # else they are computed anew
    path, rng = run.path / name, np.random.default_rng(150)
    original = path.read_text()
    told = 0
    for _ in range(times):
        if name.endswith("l"):
            lines = original.splitlines()
            at = int(rng.integers(len(lines) - 1))
            lines[at] = json.dumps(damaged(json.loads(lines[at]), rng))
            path.write_text("\n".join(lines))
        else:
            path.write_text(json.dumps(damaged(json.loads(original), rng)))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", zoo.ZooWarning)
                page = Report(zoo.report(run.path).path.read_text(encoding="utf-8"))
            assert page.wrong == []
        except ZooError as error:
            told += 1
            assert "\n" not in str(error)
    if name != "run.json":
        assert told <= times / 10  # these are read as far as they go
