"""Figures from a predictions file, against scikit-learn."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn import metrics as reference

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


def test_multiclass_equals_scikit_learn():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        classes = int(rng.integers(3, 6))
        targets = np.concatenate([np.arange(classes), rng.integers(0, classes, 40)])
        given = predictions(Task.multiclass([f"c{i}" for i in range(classes)]), targets, seed)
        found = evaluate(given)
        sure = given.probabilities.astype(np.float64)
        sure /= sure.sum(axis=1, keepdims=True)
        assert found["auroc"] == pytest.approx(
            reference.roc_auc_score(targets, sure, multi_class="ovr"), abs=1e-9
        )
        assert found["log_loss"] == pytest.approx(reference.log_loss(targets, sure), abs=1e-6)
        assert found["samples"] == len(targets)


@pytest.mark.parametrize("positive", ["no", "yes"])
def test_binary_equals_scikit_learn(positive):
    task = Task.binary(["no", "yes"], positive=positive)
    targets = np.random.default_rng(3).integers(0, 2, 60)
    given = predictions(task, targets)
    found = evaluate(given)
    truth = targets == task.positive_index
    score = given.probabilities[:, task.positive_index]
    assert found["auroc"] == pytest.approx(reference.roc_auc_score(truth, score), abs=1e-9)
    assert found["log_loss"] == pytest.approx(reference.log_loss(truth, score), abs=1e-6)


def test_multilabel_equals_scikit_learn():
    targets = np.random.default_rng(4).integers(0, 2, (50, 3))
    given = predictions(Task.multilabel(["a", "b", "c"]), targets)
    assert evaluate(given)["auroc"] == pytest.approx(
        reference.roc_auc_score(targets, given.probabilities, average="macro"), abs=1e-9
    )


def test_a_class_that_never_occurs_is_undefined():
    found = evaluate(predictions(Task.multiclass(["a", "b", "c"]), [0, 1, 0, 1]))
    assert found["auroc"] is None
    assert found["per_class"][2]["auroc"] is None
    assert found["per_class"][0]["auroc"] is not None


def test_no_labels_and_no_samples_are_said():
    task = Task.multiclass(["a", "b"])
    given = predictions(task, [0, 1])
    with pytest.raises(PredictionsError, match="has no labels to measure against"):
        evaluate(dataclasses.replace(given, targets=None))
    with pytest.raises(PredictionsError, match="is empty"):
        evaluate(predictions(task, np.zeros(0, int)))


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
