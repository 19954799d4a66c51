"""How the pages look: kept as pictures, and measured where that can be done.

``$ZOO_TEST_PICTURES``: a folder that keeps the pictures.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_pictures_of_the_pages(browser, people_site, tmp_path, width, dark):
    """Kept to be looked at; each fits its screen, is in the theme asked for, and can be read."""
    keep = Path(os.environ.get("ZOO_TEST_PICTURES") or tmp_path)
    keep.mkdir(parents=True, exist_ok=True)
    for name in ("index", "models/digits-simple-cnn", "models/mnist-ensemble"):
        browser.open((people_site / f"{name}.html").as_uri(), width=width, dark=dark)
        assert browser.run("document.documentElement.scrollWidth") == width, name
        assert browser.run(CONTRAST) == [], name
        assert browser.run(UNLABELLED) == [], name
        path = keep / f"{Path(name).name}-{width}-{'dark' if dark else 'light'}.png"
        browser.shoot(path)
        with Image.open(path) as taken:
            corner = taken.convert("L").getpixel((2, 2))
            assert (taken.width, corner < 60) == (width, dark)
            assert len(taken.convert("RGB").getcolors(1 << 24)) > 50


# Texts whose contrast with what lies behind them is below WCAG's 4.5 to 1, and the contrast.
CONTRAST = """(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  function over(colors) {
    canvas.globalAlpha = 1;
    canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    for (const [color, alpha] of colors) {
      canvas.globalAlpha = alpha; canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }
  const light = (rgb) => rgb.map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  for (const one of document.querySelectorAll("body *")) {
    const text = [...one.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("");
    if (!text.trim() || !one.getClientRects().length || one.disabled || one.tagName === "title")
      continue;
    const behind = [];
    for (let up = one; up; up = up.parentElement)
      behind.unshift([getComputedStyle(up).backgroundColor, 1]);
    const drawn = one instanceof SVGElement, style = getComputedStyle(one);
    const cell = drawn && one.parentElement.querySelector(":scope > rect");
    if (cell) behind.push([getComputedStyle(cell).fill, Number(cell.getAttribute("fill-opacity"))]);
    const back = light(over(behind));
    const front = light(over([...behind, [drawn ? style.fill : style.color, 1]]));
    const ratio = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
    if (ratio < 4.5) found.push([text.trim().slice(0, 40), ratio]);
  }
  return found;
})()"""
# What can be operated or seen and has no name that is read aloud.
UNLABELLED = """[...document.querySelectorAll("input, select, button, a, img, svg, [role=region]")]
  .filter((one) => !(one.labels?.length || one.ariaLabel || one.alt || one.textContent.trim()
    || one.getAttribute("aria-labelledby"))).map((one) => one.outerHTML)"""


def test_bad_contrast_would_be_seen(browser, people_site):
    browser.open((people_site / "models" / "digits-simple-cnn.html").as_uri())
    browser.run("document.querySelector('h1').style.setProperty('color', '#aaa')")
    assert [text for text, _ in browser.run(CONTRAST)] == ["digits-simple-cnn"]
    browser.run("document.querySelector('.command button').replaceChildren()")
    browser.run("document.querySelector('.command button').removeAttribute('aria-label')")
    assert len(browser.run(UNLABELLED)) == 1
