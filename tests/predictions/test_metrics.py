"""What is told of a predictions file, and what nothing can be told of."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from zoo.errors import PredictionsError
from zoo.predictions.file import Predictions
from zoo.predictions.metrics import evaluate
from zoo.tasks import Task


def predictions(task, targets, seed=0):
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(size=(len(targets), task.outputs)).astype(np.float32))
    return Predictions(
        task, "d", "test", "", "", "m", np.array([str(i) for i in range(len(targets))]),
        logits.numpy(), task.probabilities(logits).numpy(), np.asarray(targets),
        task.decisions(logits).numpy(),
    )  # fmt: skip


@pytest.mark.parametrize("task", [
    Task.multiclass(["a", "b", "c"]), Task.binary(["no", "yes"], positive="no"),
    Task.multilabel(["p", "q", "r"]),
])  # fmt: skip
def test_what_stands_in_the_file_of_figures(task):
    """The figures themselves are compared with scikit-learn's in test_classification.py."""
    shape = (60, 3) if task.kind == "multilabel" else 60
    targets = np.random.default_rng(3).integers(0, 2, shape)
    found = evaluate(predictions(task, targets))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    names = [name for name, value in found.items() if value is None or isinstance(value, float)]
    one = ["accuracy", "exact_match", "balanced_accuracy", "precision", "recall", "specificity",
           "f1", "auroc", "average_precision", "mcc", "kappa", "log_loss", "brier",
           "ece"]  # fmt: skip
    assert names == [name for name in one if name != "exact_match" or task.kind == "multilabel"]
    assert set(found) - {*names} == {"samples", "averages", "confusion", "per_class", "curves"}
    assert set(found["averages"]) == {"macro", "micro", "weighted"}
    for k, (row, curve) in enumerate(
        zip(found["per_class"], found["curves"]["per_class"], strict=True)
    ):
        assert row["class"] == curve["class"] == task.classes[k]
        assert list(row) == ["class", "support", *one[3:11], "brier", "ece"]
    assert ("micro" in found["curves"]) == (task.kind != "binary")


@pytest.mark.parametrize("positive", ["no", "yes"])
def test_binary_figures_are_the_positive_class_s(positive):
    task = Task.binary(["no", "yes"], positive=positive)
    targets = np.random.default_rng(3).integers(0, 2, 60)
    found = evaluate(predictions(task, targets))
    row = found["per_class"][task.positive_index]
    for name in ("precision", "recall", "specificity", "f1", "auroc", "average_precision"):
        assert found[name] == row[name]


def test_a_class_that_never_occurs_is_undefined_and_in_no_mean():
    given = predictions(Task.multiclass(["a", "b", "c"]), [0, 1, 0, 1])
    found = evaluate(given)
    absent = found["per_class"][2]
    assert absent["support"] == 0
    for name in ("precision", "recall", "f1", "auroc", "average_precision", "mcc", "kappa"):
        assert absent[name] is None
        if name not in ("mcc", "kappa"):
            others = [found["per_class"][k][name] for k in (0, 1)]
            assert found[name] == pytest.approx(np.mean(others))
    assert found["curves"]["per_class"][2] == {"class": "c", "roc": None, "precision_recall": None}


def test_curves_of_many_classes_are_of_all_together():
    task = Task.multiclass([f"c{k}" for k in range(21)])
    found = evaluate(predictions(task, [0, 1, 20]))
    assert found["curves"]["per_class"] == []
    assert found["curves"]["micro"]["roc"]["tpr"][-1] == 1.0


def test_no_labels_and_no_samples_are_said():
    task = Task.multiclass(["a", "b"])
    given = predictions(task, [0, 1])
    for wrong, message in (
        (dataclasses.replace(given, targets=None), "has no labels to measure against"),
        (predictions(task, np.zeros(0, int)), "is empty"),
    ):
        with pytest.raises(PredictionsError) as caught:
            evaluate(wrong)
        assert str(caught.value) == f"split 'test' of 'd' {message}"


def test_a_certain_wrong_answer_has_a_finite_log_loss():
    task = Task.multiclass(["a", "b"])
    given = predictions(task, [0, 1])
    sure = np.array([[0.0, 1.0], [0.0, 1.0]], np.float32)
    found = evaluate(dataclasses.replace(given, probabilities=sure))
    assert np.isfinite(found["log_loss"])


def test_outputs_that_are_not_finite_are_said():
    given = predictions(Task.multiclass(["a", "b"]), [0, 1])
    given.probabilities[0] = np.nan
    with pytest.raises(PredictionsError, match="are not finite; its training diverged"):
        evaluate(given)
