"""The predictions file round-trips, repeats byte for byte, and distrusts what it reads."""

import dataclasses
import io
import zipfile

import numpy as np
import pytest
import torch

from zoo.errors import PredictionsError
from zoo.predictions.file import Predictions, load_predictions
from zoo.tasks import Task

TASK = Task.multiclass(["a", "b", "c"])


def example(task=TASK, count=7, labelled=True):
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(size=(count, task.outputs)).astype(np.float32))
    shape = (count, len(task.classes)) if task.kind == "multilabel" else count
    top = 2 if task.kind == "multilabel" else len(task.classes)
    return Predictions(
        task=task, dataset="d", split="test", fingerprint="f" * 64, content="c" * 64,
        source="m@1",
        ids=np.array([f"image-{i}" for i in range(count)]), logits=logits.numpy(),
        probabilities=task.probabilities(logits).numpy(),
        targets=rng.integers(0, top, shape) if labelled else None,
        decisions=task.decisions(logits).numpy(),
    )  # fmt: skip


@pytest.mark.parametrize(
    "task",
    [TASK, Task.binary(["n", "y"], positive="y", threshold=0.3), Task.multilabel(["p", "q"])],
)
@pytest.mark.parametrize("labelled", [True, False])
def test_round_trip(task, labelled, tmp_path):
    given = example(task, labelled=labelled)
    given.save(tmp_path / "p.npz")
    loaded = load_predictions(tmp_path / "p.npz")
    for field in dataclasses.fields(Predictions):
        first, second = getattr(given, field.name), getattr(loaded, field.name)
        assert np.array_equal(first, second) if isinstance(first, np.ndarray) else first == second


def test_equal_predictions_are_equal_bytes(tmp_path):
    example().save(tmp_path / "a.npz")
    example().save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_binary_has_a_column_for_each_class():
    given = example(Task.binary(["n", "y"], positive="n"))
    assert given.probabilities.shape == (7, 2)
    assert np.allclose(given.probabilities.sum(axis=1), 1)
    assert np.array_equal(given.decisions, given.probabilities.argmax(axis=1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": np.full(7, 3)}, "targets lie outside the classes"),
        ({"ids": np.array(["x"] * 7)}, "some ids stand twice"),
        ({"logits": np.zeros((7, 2), np.float32)}, r"logits has shape \(7, 2\)"),
        ({"logits": np.full((7, 3), np.nan, np.float32)}, "logits holds numbers that are not fini"),
        ({"targets": np.array([None] * 7)}, "ValueError"),
    ],
)
def test_wrong_content_is_refused(change, message, tmp_path):
    path = tmp_path / "p.npz"
    example().save(path)
    with np.load(path) as stored:
        arrays = {**stored, **change}
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # writes a pickle for the array of objects
    path.write_bytes(stream.getvalue())
    with pytest.raises(PredictionsError, match=message) as caught:
        load_predictions(path)
    assert "\n" not in str(caught.value)


def test_wrong_files_are_refused_in_a_line(tmp_path):
    for name, data in {
        "text.npz": b"not a zip",
        "empty.npz": b"",
        "cut.npz": None,
        "other.npz": None,
    }.items():
        path = tmp_path / name
        if name == "cut.npz":
            example().save(path)
            path.write_bytes(path.read_bytes()[:-40])
        elif name == "other.npz":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("x.txt", "y")
        else:
            path.write_bytes(data)
        with pytest.raises(PredictionsError, match=r"^predictions '.*' cannot be used: "):
            load_predictions(path)
    with pytest.raises(PredictionsError, match="no such file or folder"):
        load_predictions(tmp_path / "none.npz")
