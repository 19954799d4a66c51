"""``zoo explain`` as people type it."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

import zoo as library

RECIPE = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "simple_cnn"},
    "training": {"epochs": 1, "threads": 1, "device": "cpu"},
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return library.train(RECIPE, folder=tmp_path_factory.mktemp("digits") / "run").path


def test_pictures_are_named(digits, here, zoo):
    pytest.importorskip("captum", reason="needs: pip install 'zoo[explain]'")
    (here / "in").mkdir()
    for name in "ab":
        image = np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(image).save(here / f"in/{name}.png")
    code, out, err = zoo("explain", str(digits), "in", "-o", "out", "--class", "3")
    assert (code, out, err) == (0, "out/a.gradcam.png\nout/b.gradcam.png\n", "")
    assert sorted(path.name for path in (here / "out").iterdir()) == [
        "a.gradcam.png", "b.gradcam.png"
    ]  # fmt: skip
    code, out, err = zoo("explain", str(digits), "in/a.png", "--method", "occlusion", "-o", "out")
    assert (code, out, err) == (0, "out/a.occlusion.png\n", "")
    (here / "in/b.png").write_bytes(b"no image")
    code, out, err = zoo("explain", str(digits), "in/b.png", "-o", "more")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("zoo: error: image 'in/b.png' cannot be decoded: ")


def test_a_missing_captum_is_one_line(digits, here, zoo, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    Image.new("L", (8, 8)).save(here / "a.png")
    code, out, err = zoo("explain", str(digits), "a.png")
    assert (code, out) == (1, "")
    assert err == (
        "zoo: error: zoo explain needs captum; install it with: pip install 'zoo[explain]'\n"
    )
