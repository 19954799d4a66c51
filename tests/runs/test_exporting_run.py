"""A run as an ONNX file that onnxruntime answers from."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.runs.exporting import export


@pytest.mark.slow
def test_a_run_of_ones_own(run, here):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    done = export(run.path, "run.onnx")
    images = np.zeros((5, 1, 8, 8), np.float32)
    session = runtime.InferenceSession(done.path, providers=["CPUExecutionProvider"])
    assert session.run(None, {"images": images})[0].shape == (5, 10)
