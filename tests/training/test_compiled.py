"""``compile = true``: the same training through torch's compiler."""

import shutil

import pytest
import torch

import zoo
from zoo.errors import TrainingError
from zoo.training.compiled import Compiled

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
RECIPE = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "simple_cnn"},
    "training": {"epochs": 1, "threads": 1, "device": "cpu", "batch_size": 256},
}


@needs_compiler
@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the compiler's own
def test_a_compiled_run_learns_the_same_and_keeps_plain_weights(tmp_path):
    plain = zoo.train(RECIPE, folder=tmp_path / "plain")
    fast = zoo.train(RECIPE, folder=tmp_path / "fast", overrides={"training.compile": True})
    one, other = (run.info["best"]["metrics"]["loss"] for run in (plain, fast))
    assert other == pytest.approx(one, abs=1e-3)
    assert zoo.evaluate(fast.path).metrics["accuracy"] > 0.1


def test_what_the_compiler_cannot_take_is_said_in_one_line(monkeypatch):
    def broken(images):
        raise torch._dynamo.exc.BackendCompilerFailed(lambda: None, RuntimeError("no g++"), None)

    monkeypatch.setattr(torch, "compile", lambda network, **options: broken)
    fast = Compiled(torch.nn.Flatten(), torch.device("cpu"))
    with pytest.raises(TrainingError, match=r"cannot take this network: .*; leave training\.comp"):
        fast(torch.zeros(1, 1, 2, 2))
