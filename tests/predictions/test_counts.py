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


def masks(rng, classes, shape):
    """Truth and decision; in the truth some pixels are ignored, and some class may be absent."""
    truth = rng.integers(0, rng.integers(1, classes + 1), shape).astype(np.uint8)
    decided = rng.integers(0, classes, shape).astype(np.uint8)
    truth[rng.random(shape) < 0.2] = 255
    return truth, decided


@pytest.mark.filterwarnings("ignore")
def test_masks_equal_scikit_learn():
    rng = np.random.default_rng(3)
    for _ in range(50):
        classes = int(rng.integers(2, 6))
        task = Task.segmentation([f"c{i}" for i in range(classes)])
        truth, decided = masks(rng, classes, (4, 6, 5))
        counted = truth != 255
        pair = truth[counted], decided[counted]
        table = counts.count(task, truth, decided)
        assert np.array_equal(table, reference.confusion_matrix(*pair, labels=range(classes)))
        found, rows = counts.metrics(task, table), counts.per_class(task, table)
        either = np.unique(np.concatenate(pair))
        assert found["iou"] == pytest.approx(
            reference.jaccard_score(*pair, labels=either, average="macro")
        )
        assert found["dice"] == pytest.approx(
            reference.f1_score(*pair, labels=either, average="macro")
        )
        assert found["recall"] == pytest.approx(
            reference.recall_score(*pair, labels=np.unique(pair[0]), average="macro")
        )
        each = reference.jaccard_score(*pair, labels=either, average=None)
        assert [rows[i]["iou"] for i in either] == pytest.approx(list(each))
        assert all(rows[i]["dice"] is None for i in set(range(classes)) - set(either))


@pytest.mark.parametrize("positive", ["no", "yes"])
def test_masks_with_a_positive_class(positive):
    task = Task.segmentation(["no", "yes"], positive=positive)
    truth, decided = masks(np.random.default_rng(4), 2, (3, 8, 8))
    truth[0], decided[0] = 255 - task.positive_index * 255, 1 - task.positive_index
    table = np.stack([counts.count(task, *pair) for pair in zip(truth, decided, strict=True)])
    found = counts.metrics(task, table.sum(0))
    counted = truth != 255
    label = task.positive_index
    assert found["iou"] == pytest.approx(
        reference.jaccard_score(truth[counted], decided[counted], pos_label=label)
    )
    assert found["dice"] == found["f1"]
    assert found["accuracy"] == pytest.approx((truth == decided)[counted].mean())


@pytest.mark.parametrize("task", [
    Task.segmentation(["a", "b"], positive="b"), Task.segmentation(["a", "b"], positive="a"),
    Task.segmentation(["a", "b", "c", "d"]),
])  # fmt: skip
def test_figures_of_an_image_are_those_of_its_pixels_alone(task):
    rng = np.random.default_rng(5)
    pairs = [masks(rng, len(task.classes), (6, 6)) for _ in range(40)]
    for label in (0, 1):  # images of one class alone, found, missed, and taken for others
        pairs += [(np.full((6, 6), label), np.full((6, 6), other)) for other in (0, 1)]
    pairs += [(np.full((6, 6), 255), np.zeros((6, 6), int))]
    tables = np.stack([counts.count(task, *pair) for pair in pairs])
    figures = counts.of_images(task, tables)
    alone = [counts.metrics(task, table) for table in tables]
    assert set(figures) == {*task.figures, "specificity"}
    for name in task.figures:
        expected = [np.nan if one[name] is None else one[name] for one in alone]
        np.testing.assert_allclose(figures[name], expected, atol=1e-12)
    assert np.isnan(figures["iou"]).any()


def test_an_empty_image_in_which_nothing_is_found_is_undefined_and_a_false_find_is_zero():
    task = Task.segmentation(["a", "b"], positive="b")
    nothing, something = np.zeros((2, 2), int), np.eye(2, dtype=int)
    tables = [counts.count(task, nothing, one) for one in (nothing, something)]
    assert counts.metrics(task, tables[0])["dice"] is None
    assert counts.metrics(task, tables[1])["dice"] == 0.0
    figures = counts.of_images(task, np.stack(tables))
    for name, expected in (
        ("dice", [np.nan, 0.0]), ("precision", [np.nan, 0.0]), ("recall", [np.nan, np.nan]),
        ("accuracy", [1.0, 0.5]),
    ):  # fmt: skip
        np.testing.assert_array_equal(figures[name], expected)


def test_the_headline():
    assert counts.headline(Task.segmentation(["a", "b"])) == "dice"
    assert counts.headline(Task.multiclass(["a", "b"])) == "accuracy"
    for task in (Task.segmentation(["a", "b"]), Task.multilabel(["a"])):
        table = np.ones((2, 2) if task.kind == "segmentation" else (1, 2, 2), int)
        assert tuple(counts.metrics(task, table)) == task.figures
        assert counts.headline(task) in task.figures
