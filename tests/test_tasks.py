"""What outputs mean, for each task."""

import pytest
import torch

from zoo.errors import DataError
from zoo.tasks import Task

TASKS = [
    Task.binary(["no", "yes"], positive="yes"),
    Task.binary(["yes", "no"], positive="yes", threshold=0.3),
    Task.multiclass(["a", "b", "c"]),
    Task.multilabel(["a", "b", "c"], threshold=0.7),
    Task.segmentation(["background", "tool"], positive="tool"),
    Task.segmentation(["background", "tool", "tissue"]),
]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind}-{len(task.classes)}")
def test_shapes_and_round_trip(task):
    pixels = (5, 4) if task.kind == "segmentation" else ()
    logits = torch.randn(7, task.outputs, *pixels)
    assert task.probabilities(logits).shape == (7, len(task.classes), *pixels)
    decided = task.decisions(logits)
    many = task.kind == "multilabel"
    assert decided.shape == ((7, 3) if many else (7, *pixels)) and decided.dtype == torch.int64
    one = task.positive is not None or many
    expected = logits.shape if one else (7, *pixels)
    assert task.targets(decided).shape == expected
    assert Task.from_json(task.as_json()) == task


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind}-{len(task.classes)}")
def test_what_is_decided_by_probabilities_is_what_is_decided_by_logits(task):
    pixels = (5, 4) if task.kind == "segmentation" else ()
    logits = torch.randn(50, task.outputs, *pixels, generator=torch.Generator().manual_seed(0))
    decided = task.decided(task.probabilities(logits))
    assert torch.equal(decided, task.decisions(logits)) and decided.dtype == torch.int64


def test_the_positive_class_may_stand_first():
    task = Task.binary(["yes", "no"], positive="yes")
    logits = torch.tensor([[4.0], [-4.0]])
    assert task.decisions(logits).tolist() == [0, 1]
    assert task.targets(torch.tensor([0, 1])).tolist() == [[1.0], [0.0]]
    assert task.probabilities(logits)[0, 0] > 0.9


def test_the_threshold_is_exceeded_strictly():
    task = Task.binary(["no", "yes"], positive="yes")
    assert task.decisions(torch.zeros(1, 1)).tolist() == [0]
    assert Task.multilabel(["a"]).decisions(torch.zeros(1, 1)).tolist() == [[0]]


def test_columns_of_two_classes_sum_to_one():
    for task in (TASKS[0], TASKS[2], TASKS[4]):
        logits = torch.randn(9, task.outputs)
        assert torch.allclose(task.probabilities(logits).sum(1), torch.ones(9))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Task("ranking", ("a", "b")),
        lambda: Task.multiclass(["a"]),
        lambda: Task.multiclass(["a", "a"]),
        lambda: Task.binary(["a", "b", "c"], positive="a"),
        lambda: Task.binary(["a", "b"], positive="c"),
        lambda: Task("multiclass", ("a", "b"), positive="a"),
        lambda: Task.segmentation(["a", "b", "c"], positive="a"),
        lambda: Task.binary(["a", "b"], positive="a", threshold=1.0),
        lambda: Task.multiclass(["a", "b"]).positive_index,
        lambda: Task.from_json({"kind": "multiclass", "classes": "ab"}),
        lambda: Task.from_json({"kind": "multiclass", "classes": ["a", 1]}),
    ],
)
def test_what_is_no_task_is_refused(make):
    with pytest.raises(DataError):
        make()


def test_pixels_of_label_255_stay_255_for_the_loss():
    labels = torch.tensor([[[0, 1], [255, 1]]])
    assert TASKS[4].targets(labels).tolist() == [[[[0.0, 1.0], [255.0, 1.0]]]]
    first = Task.segmentation(["tool", "background"], positive="tool")
    assert first.targets(labels).tolist() == [[[[1.0, 0.0], [255.0, 0.0]]]]
    assert TASKS[5].targets(labels) is labels
