"""What ``zoo eval`` prints of masks."""

import json
from pathlib import Path

import numpy as np
import pytest

from zoo.predictions import counts
from zoo.runs import evaluate
from zoo.tasks import Task

TASK = Task.segmentation(["ground", "thing"], positive="thing")


@pytest.fixture
def measured(monkeypatch):
    """Of three images, one without the thing."""
    tables = np.array([[[90, 10], [20, 80]], [[120, 0], [0, 80]], [[200, 0], [0, 0]]])
    whole = tables.sum(0)
    figures = {
        "samples": 3,
        **counts.metrics(TASK, whole),
        "per_image": counts.mean_over_images(counts.of_images(TASK, tables)),
        "confusion": whole.tolist(),
        "per_class": counts.per_class(TASK, whole),
    }
    done = evaluate.Evaluation("runs/a", "tools", "test", 3, figures, Path("p.npz"))
    monkeypatch.setattr(evaluate, "evaluate", lambda *_, **__: done)
    return figures


def test_tables(measured, zoo):
    code, out, err = zoo("eval", "runs/a")
    assert (code, err) == (0, "")
    assert (
        out
        == """\
runs/a on tools, split test, 3 samples

dice               0.9143
iou                0.8421
accuracy           0.9500
balanced_accuracy  0.9325
precision          0.9412
recall             0.8889
f1                 0.9143

MEAN OVER IMAGES    VALUE  IMAGES
dice               0.9211       2
iou                0.8636       2
accuracy           0.9500       3
balanced_accuracy  0.9500       3
precision          0.9444       2
recall             0.9000       2
f1                 0.9211       2
dice is undefined for 1: nothing there, and nothing found

CLASS   SUPPORT  PRECISION  RECALL  F1      IOU     DICE
ground      420  0.9535     0.9762  0.9647  0.9318  0.9647
thing       180  0.9412     0.8889  0.9143  0.8421  0.9143

confusion matrix: rows are the truth, columns what was decided
        ground  thing
ground     410     10
thing       20    160

predictions: p.npz
"""
    )


def test_json(measured, zoo):
    code, out, _ = zoo("eval", "runs/a", "--json")
    told = json.loads(out)
    assert (code, told["per_image"]["undefined"], told["labelled"]) == (0, 1, True)
    assert {name: told[name] for name in TASK.figures} == counts.metrics(
        TASK, np.array(told["confusion"])
    )
