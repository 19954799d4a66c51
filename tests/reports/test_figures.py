"""Every figure at half a page's width: nothing too small, cut off or on top of another."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from report_examples import names

from zoo.reports import style, svg
from zoo.reports.figures import bars, curves, matrix, ranking, reliability

ROUND = 0.5  # points by which letters may touch


def rng():
    return np.random.default_rng(0)


def history(epochs, **changes):
    at = np.arange(1, epochs + 1)
    given = {"label": "balanced accuracy", "best": max(1, epochs - 2)} | changes
    return curves.draw_history(at, np.exp(-at / 4) + 0.01, 1 / at, **given)


def confusion(classes, *, shares=False):
    counts = rng().poisson(0.3, (classes, classes)) + np.diag(rng().poisson(9000, classes))
    return matrix.draw_confusion(counts, names(classes), shares=shares)


def of_sides(classes):
    counts = rng().integers(0, 90_000, (classes, 4))
    return matrix.draw_confusion(counts, names(classes), shares=False)


def several(classes):
    across = np.linspace(0, 1, 60)
    found = [
        ranking.Curve(name, across, across ** (0.05 + 0.3 * k / classes), 0.99 - k / classes / 4)
        for k, name in enumerate(names(classes))
    ]
    return [
        *found,
        ranking.Curve("macro average", across, across**0.2, 0.91, mean=True),
        ranking.Curve("micro average", across, across**0.21, 0.9, mean=True),
    ]


def by_class(classes, *, spread=1.0):
    values = 1 - spread * rng().random(classes)
    low, high = values - 0.01, np.minimum(values + 0.01, 1)
    if classes > 4:
        values[3] = low[3] = high[3] = np.nan
    return bars.draw_classes(names(classes), values, low, high, label="recall", overall=0.9)


def bins(name, off):
    place = np.arange(15) / 15
    middle = place + 1 / 30
    share = np.clip(middle + off * np.sin(3 * middle), 0, 1)
    low, high = np.clip(share - 0.05, 0, 1), np.clip(share + 0.05, 0, 1)
    edges = np.stack([place, place + 1 / 15], 1)
    return reliability.Bins(name, edges, middle, share, low, high, np.arange(15) * 100)


def diagram(*given):
    return reliability.draw_reliability(
        [bins(*one) for one in given], said="probability of the positive class",
        found="share that is so",
    )  # fmt: skip


FIGURES = {
    "history of one epoch": lambda: history(1),
    "history of two": lambda: history(2, label="loss"),
    "history of twenty": lambda: history(20),
    "history of a thousand": lambda: history(1000),
    "a falling rate": lambda: curves.draw_rate(np.arange(1, 31), 0.1 ** np.arange(1, 6.99, 0.2)),
    "a constant rate": lambda: curves.draw_rate(np.arange(1, 4), np.full(3, 1e-3)),
    "speed": lambda: curves.draw_speed(np.linspace(0, 900, 60), 1e5 * rng().random(60)),
    "memory": lambda: curves.draw_memory(np.arange(1, 6), np.full(5, 1.3e9)),
    "sides of five": lambda: of_sides(5),
    "sides of fourteen": lambda: of_sides(14),
    "reliability": lambda: diagram(("", -0.1)),
    "reliability before and after": lambda: diagram(("as it is", -0.2), ("by temperature 1.73", 0)),
    "scores": lambda: reliability.draw_scores(
        [("pneumonia", rng().random(90)), ("normal", rng().random(9000) ** 2)], said="probability"
    ),
    "spread": lambda: bars.draw_spread(rng().beta(9, 2, 67), label="Dice of an image"),
    "one image": lambda: bars.draw_spread(np.ones(1), label="Dice of an image"),
    "a corner": lambda: ranking.draw_roc([ranking.Curve("a", np.array([0, 0.01, 1]),
                                                        np.array([0, 0.99, 1]), 0.9997)]),
    "binary roc": lambda: ranking.draw_roc(
        several(4)[:1], ranking.Point(0.1, 0.9, "decided at 0.5")
    ),
    **{f"bars of {k}": lambda k=k: by_class(k) for k in (2, 9, 100, 1000)},
    "bars of much the same": lambda: by_class(10, spread=0.01),
    **{f"confusion of {k}": lambda k=k: confusion(k) for k in (2, 3, 9, 12, 20, 100)},
    **{f"shares of {k}": lambda k=k: confusion(k, shares=True) for k in (2, 9)},
    **{f"roc of {k}": lambda k=k: ranking.draw_roc(several(k)) for k in (3, 9, 100, 1000)},
    **{f"recall of {k}": lambda k=k: ranking.draw_precision_recall(several(k), chance=0.3)
       for k in (3, 100)},
}  # fmt: skip


def letters(figure) -> list[tuple[Text, Bbox]]:
    """What is written, and where, in points."""
    figure.canvas.draw()
    scale = 72 / figure.dpi
    axes = [axis for one in figure.axes for axis in (one.xaxis, one.yaxis)]
    # matplotlib keeps ticks beyond the limits of an axis, and does not draw them.
    beyond = {tick for axis in axes for tick in axis.get_major_ticks()} - {
        tick for axis in axes for tick in axis._update_ticks()
    }
    hidden = {tick.label1 for tick in beyond}
    found = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and text not in hidden:
            box = text.get_window_extent()
            found.append((text, Bbox(box.get_points() * scale)))
    return found


def wrong(figure) -> list[str]:
    """What cannot be read."""
    page = Bbox.from_bounds(0, 0, *figure.get_size_inches() * 72)
    found, written = [], letters(figure)
    for text, box in written:
        if text.get_fontsize() < style.SMALLEST:
            found.append(f"{text.get_text()!r} is small")
        inside = page.x0 - ROUND <= box.x0 and page.y0 - ROUND <= box.y0
        if not (inside and box.x1 <= page.x1 + ROUND and box.y1 <= page.y1 + ROUND):
            found.append(f"{text.get_text()!r} is cut off")
    for k, (one, box) in enumerate(written):
        for other, second in written[k + 1 :]:
            straight = one.get_rotation() % 90 == other.get_rotation() % 90 == 0
            if straight and overlap(box, second) > 1:
                found.append(f"{one.get_text()!r} and {other.get_text()!r} overlap")
    return found


def overlap(one: Bbox, other: Bbox) -> float:
    """Square points, of what is more than touching."""
    wide = min(one.x1, other.x1) - max(one.x0, other.x0) - ROUND
    high = min(one.y1, other.y1) - max(one.y0, other.y0) - ROUND
    return wide * high if min(wide, high) > 0 else 0.0


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_can_be_read_at_half_a_pages_width(name, tmp_path):
    figure = FIGURES[name]()
    keep = Path(os.environ.get("ZOO_TEST_PICTURES") or tmp_path)
    keep.mkdir(parents=True, exist_ok=True)
    (keep / f"figure-{name.replace(' ', '-')}.png").write_bytes(svg.png_bytes(figure))
    width, height = figure.get_size_inches() * 25.4
    assert width == pytest.approx(84)
    assert 18 < height < 130
    assert wrong(figure) == []


@pytest.mark.parametrize("middle", np.linspace(0, 1, 21))
@pytest.mark.parametrize("wide", [0, 0.01, 0.05, 0.3, 1])
def test_an_axis_of_classes_holds_all_of_them(middle, wide):
    values = np.clip([middle - wide / 2, middle, middle + wide / 2, np.nan], 0, 1)
    left, right = bars._limits(values)
    assert 0 <= left <= np.nanmin(values) and np.nanmax(values) <= right < 1.02
    assert 0.05 < right - left <= max(0.051, 1.14 * wide)


def test_what_cannot_be_read_would_be_seen():
    figure = history(5)
    assert wrong(figure) == []
    axes = figure.axes[0]
    axes.set_ylabel("loss", fontsize=6.5)
    axes.text(1.4, 0.5, "far to the right", transform=axes.transAxes)
    axes.text(0.5, 0.5, "one", transform=axes.transAxes)
    axes.text(0.51, 0.51, "other", transform=axes.transAxes)
    figure.set_layout_engine("none")
    assert wrong(figure) == [
        "'far to the right' is cut off", "'loss' is small", "'one' and 'other' overlap"
    ] or {*wrong(figure)} == {
        "'far to the right' is cut off", "'loss' is small", "'one' and 'other' overlap"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["history of twenty", "confusion of 9", "confusion of 100",
                                  "roc of 100", "reliability"])  # fmt: skip
def test_equal_arrays_are_equal_bytes(name, monkeypatch):
    import matplotlib

    first, again = FIGURES[name](), FIGURES[name]()
    matplotlib.rcParams.update({"font.size": 20, "svg.hashsalt": None})  # whatever people set
    try:
        for made in (svg.svg_bytes, svg.png_bytes, lambda one: svg.inline_svg(one, "x", "y")):
            assert made(first) == made(again) == made(FIGURES[name]())
        text = svg.svg_bytes(first).decode()
        assert "<dc:date>" not in text and "<metadata>" not in text
    finally:
        matplotlib.rcdefaults()


def test_equal_arrays_would_not_be_equal_bytes_without_the_salt(monkeypatch):
    monkeypatch.setitem(style.SETTINGS, "svg.hashsalt", None)
    figure = FIGURES["history of twenty"]()
    assert svg.svg_bytes(figure) != svg.svg_bytes(figure)


def test_class_names_are_no_mathematics_and_no_markup():
    strange = ["$x^2$", "<b>&\"'</b>", "\u202eabc", "漢字", "a" * 400]
    figure = matrix.draw_confusion(np.eye(5, dtype=int) * 3, strange, shares=False)
    text = svg.inline_svg(figure, "x", '"><script>')
    assert "$x^2$" in text and "&lt;b&gt;&amp;\"'&lt;/b&gt;" in text
    assert "class 3" in text  # which the font cannot write
    assert "<b>" not in text and "<script>" not in text and "\u202e" not in text
    assert "a" * 20 not in text


def test_colours_differ_for_eyes_that_do_not_tell_red_from_green():
    """Deuteranopia, simulated (Viénot, Brettel and Mollon 1999): still 15 units of CIELAB apart."""
    seen = [lab(deuteranope(colour)) for colour, _, _ in style.SERIES]
    for k, one in enumerate(seen):
        for other in seen[k + 1 :]:
            assert np.linalg.norm(one - other) > 15
    red, green = (lab(deuteranope(one)) for one in ("#ff6060", "#a0a000"))
    assert np.linalg.norm(red - green) < 30  # the negative control: plain eyes see 88


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def deuteranope(colour: str) -> np.ndarray:
    """Linear RGB, as such eyes see it."""
    to_lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714],
                       [0.0299566, 0.184309, 1.46709]])  # fmt: skip
    long, _, short = to_lms @ linear(colour)
    middle = 0.494207 * long + 1.24827 * short
    return np.clip(np.linalg.solve(to_lms, [long, middle, short]), 0, 1)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB, D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722],
                       [0.0193, 0.1192, 0.9505]])  # fmt: skip
    xyz = to_xyz @ rgb / [0.9505, 1.0, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
