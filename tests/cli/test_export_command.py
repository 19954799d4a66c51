"""``zoo export`` as people type it."""

from __future__ import annotations

import pytest
import torch

import zoo as library

RECIPE = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "linear"},
    "training": {"epochs": 1, "threads": 1, "device": "cpu"},
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return library.train(RECIPE, folder=tmp_path_factory.mktemp("digits") / "run").path


def test_the_difference_is_printed(digits, here, zoo):
    given = ["export", str(digits), "--format", "torch-export", "-o", "n.pt2"]
    code, out, err = zoo(*given)
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first == f"n.pt2: {(here / 'n.pt2').stat().st_size / 1000:.1f} kB"
    assert second.startswith("largest difference from the original: ")
    assert second.endswith(f"; 4 and 1 images at once, by torch {torch.__version__}")
    assert torch.export.load("n.pt2").module()(torch.zeros(3, 1, 8, 8)).shape == (3, 10)
    assert zoo(*given) == (
        1, "", "zoo: error: output 'n.pt2' exists already; add --force to replace it\n"
    )  # fmt: skip
    assert zoo(*given, "--force")[0] == 0
    code, out, err = zoo("export", str(digits), "--format", "onxx")
    assert (code, out) == (1, "")
    assert err == (
        "zoo: error: format 'onxx' (did you mean 'onnx'?); expected one of onnx, torch-export\n"
    )
