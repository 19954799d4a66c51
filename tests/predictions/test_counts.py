"""Metrics of a confusion matrix against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as reference

from zoo.predictions import counts
from zoo.tasks import Task


def random_case(rng):
    classes = int(rng.integers(2, 6))
    size = int(rng.integers(1, 60))
    return classes, rng.integers(0, classes, size), rng.integers(0, classes, size)


@pytest.mark.filterwarnings("ignore")
def test_multiclass_equals_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(200):
        classes, truth, decided = random_case(rng)
        task = Task.multiclass([f"c{i}" for i in range(classes)])
        table = counts.count(task, truth, decided)
        occurring = np.unique(truth)
        expected = {
            "accuracy": reference.accuracy_score(truth, decided),
            "balanced_accuracy": reference.balanced_accuracy_score(truth, decided),
        }
        for name, score in (
            ("precision", reference.precision_score),
            ("recall", reference.recall_score),
            ("f1", reference.f1_score),
        ):
            expected[name] = score(
                truth, decided, labels=occurring, average="macro", zero_division=0
            )
        assert np.array_equal(
            table, reference.confusion_matrix(truth, decided, labels=range(classes))
        )
        assert counts.metrics(task, table) == pytest.approx(expected, abs=1e-12)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("positive", ["no", "yes"])
def test_binary_takes_the_positive_class(positive):
    task = Task.binary(["no", "yes"], positive=positive)
    rng = np.random.default_rng(1)
    truth, decided = rng.integers(0, 2, 50), rng.integers(0, 2, 50)
    found = counts.metrics(task, counts.count(task, truth, decided))
    label = task.positive_index
    assert found["precision"] == pytest.approx(
        reference.precision_score(truth, decided, pos_label=label)
    )
    assert found["recall"] == pytest.approx(reference.recall_score(truth, decided, pos_label=label))


def test_multilabel_equals_scikit_learn():
    task = Task.multilabel(["a", "b", "c"])
    rng = np.random.default_rng(2)
    truth, decided = rng.integers(0, 2, (40, 3)), rng.integers(0, 2, (40, 3))
    table = counts.count(task, truth, decided)
    assert np.array_equal(table, reference.multilabel_confusion_matrix(truth, decided))
    found = counts.metrics(task, table)
    assert found["accuracy"] == pytest.approx((truth == decided).mean())
    assert found["f1"] == pytest.approx(reference.f1_score(truth, decided, average="macro"))


def test_what_cannot_be_computed_is_none_not_zero():
    task = Task.multiclass(["a", "b", "c"])
    rows = counts.per_class(task, counts.count(task, np.array([0, 0, 1]), np.array([0, 2, 0])))
    assert [row["recall"] for row in rows] == [0.5, 0.0, None]
    assert rows[1]["precision"] == 0.0  # occurs, never decided
    binary = Task.binary(["no", "yes"], positive="yes")
    empty = counts.metrics(binary, counts.count(binary, np.array([0]), np.array([0])))
    assert empty == {
        "accuracy": 1.0, "balanced_accuracy": 1.0, "precision": None, "recall": None, "f1": None,
    }  # fmt: skip
