"""Masks go to the file and come back chunk by chunk; what a stranger wrote is distrusted."""

import dataclasses
import io
import json
import zipfile

import numpy as np
import pytest
import torch

from zoo.errors import DataError, PredictionsError
from zoo.predictions import archive, counts, metrics
from zoo.predictions.archive import Heading
from zoo.predictions.file import load_predictions
from zoo.predictions.masks import MaskChunk, MaskPredictions
from zoo.tasks import Task

ONE = Task.segmentation(["ground", "thing"], positive="thing", threshold=0.4)
THREE = Task.segmentation(["a", "b", "c"])
LENGTHS = (3, 3, 1)


def said(task, labelled=True, seed=0):
    """(logits, masks) of each chunk, 5 by 6 pixels."""
    generator = torch.Generator().manual_seed(seed)
    for length in LENGTHS:
        logits = torch.randn(length, task.outputs, 5, 6, generator=generator)
        masks = torch.randint(0, len(task.classes), (length, 5, 6), generator=generator)
        masks[:, 0, :2] = 255
        yield logits, masks if labelled else None


def written(path, task=ONE, labelled=True, **changes):
    heading = Heading(**{
        "task": task, "dataset": "d", "split": "test", "fingerprint": "f", "content": "c",
        "source": "m@1", **changes,
    })  # fmt: skip
    ids = [f"i{n}" for n in range(sum(LENGTHS))]
    chunks = (MaskChunk.of(task, *one) for one in said(task, labelled))
    return MaskPredictions.write(path, heading, ids, chunks)


@pytest.mark.parametrize("task", [ONE, THREE, Task.segmentation(["x", "y"], positive="x")])
@pytest.mark.parametrize("labelled", [True, False])
def test_round_trip(task, labelled, tmp_path):
    given = written(tmp_path / "p.npz", task, labelled)
    found = load_predictions(tmp_path / "p.npz")
    for field in dataclasses.fields(MaskPredictions):
        assert np.array_equal(getattr(given, field.name), getattr(found, field.name)), field.name
    assert (len(found), found.lengths, found.size) == (7, LENGTHS, (5, 6))
    for chunk, (logits, masks) in zip(found.chunks(), said(task, labelled), strict=True):
        sure = task.probabilities(logits).numpy()
        if task.positive is not None:
            sure = sure[:, [task.positive_index]]
        assert chunk.probabilities.shape == sure.shape
        assert np.abs(chunk.probabilities / 255 - sure).max() <= 0.5 / 255 + 1e-6
        assert np.array_equal(chunk.decisions, task.decisions(logits).numpy())
        assert (chunk.targets is None) == (masks is None)
        assert masks is None or np.array_equal(chunk.targets, masks.numpy())
        assert {one.dtype.name for one in vars(chunk).values() if isinstance(one, np.ndarray)} == {
            "uint8"
        }


def test_equal_predictions_are_equal_bytes(tmp_path):
    for name in "ab":
        written(tmp_path / f"{name}.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("task", [ONE, THREE])
def test_figures_are_those_of_all_pixels_at_once(task, tmp_path):
    found = metrics.evaluate(written(tmp_path / "p.npz", task))
    logits, masks = (torch.cat(parts) for parts in zip(*said(task), strict=True))
    decided = task.decisions(logits).numpy()
    table = counts.count(task, masks.numpy(), decided)
    assert found["confusion"] == table.tolist()
    assert np.sum(found["confusion"]) == 7 * 28  # what is ignored is in no count
    assert {name: found[name] for name in task.figures} == counts.metrics(task, table)
    images = [counts.count(task, *one) for one in zip(masks.numpy(), decided, strict=True)]
    for name, values in counts.of_images(task, np.stack(images)).items():
        assert found["per_image"][name] == pytest.approx(np.nanmean(values))
        assert found["per_image"]["images"][name] == 7 - np.isnan(values).sum()
    assert found["per_image"]["undefined"] == 0
    assert not {"auroc", "log_loss", "own_size"} & set(found)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_without_masks_there_is_nothing_to_measure(tmp_path):
    with pytest.raises(PredictionsError, match=r"split 'test' of 'd' has no labels"):
        metrics.evaluate(written(tmp_path / "p.npz", labelled=False))


def test_memory_holds_one_chunk(tmp_path, monkeypatch):
    written(tmp_path / "p.npz")
    read = []
    real = archive.Archive.__getitem__
    monkeypatch.setattr(
        archive.Archive, "__getitem__", lambda self, name: read.append(name) or real(self, name)
    )
    chunks = load_predictions(tmp_path / "p.npz").chunks()
    assert read == ["about", "ids"]
    next(chunks)
    chunk = ["decisions-0000", "probabilities-0000", "targets-0000"]
    assert sorted({*read} - {"about", "ids"}) == chunk


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_network_that_fails_is_told_and_leaves_nothing(value, tmp_path):
    def chunks():
        for logits, masks in said(ONE):
            logits[-1, 0, 0, 0] = value
            yield MaskChunk.of(ONE, logits, masks)

    heading = Heading(ONE, "d", "test", "f", "c", "m")
    with pytest.raises(PredictionsError, match="answers hold numbers that are not finite"):
        MaskPredictions.write(tmp_path / "p.npz", heading, ["a"] * 7, chunks())
    assert list(tmp_path.iterdir()) == []


def test_what_ends_the_reading_of_images_ends_the_writing(tmp_path):
    def chunks():
        yield from (MaskChunk.of(ONE, *one) for one in said(ONE))
        raise DataError("image 'x' cannot be decoded")

    (tmp_path / "p.npz").write_bytes(b"the one before")
    with pytest.raises(DataError, match=r"^image 'x' cannot be decoded$"):
        MaskPredictions.write(
            tmp_path / "p.npz", Heading(ONE, "d", "test", "f", "c", "m"), [], chunks()
        )
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"the one before"]


def about(change):
    def changed(arrays):
        told = json.loads(str(arrays["about"]))
        arrays["about"] = np.array(json.dumps({**told, **change}))

    return changed


def member(name, array):
    return lambda arrays: arrays.update({name: array})


HOSTILE = {
    "a large pickle": (member("decisions-0001", np.array([[None]] * 2000)), "bytes for (3, 5, 6)"),
    "a pickle as ids": (member("ids", np.array([None] * 7)), "allow_pickle"),
    "ids twice": (member("ids", np.array(["x"] * 7)), "ids: 'x' stands 7 times, each may once"),
    "too few ids": (member("ids", np.array(["x"])), "chunks of 7 images for 1 ids"),
    "no member": (
        lambda arrays: arrays.pop("targets-0002"),
        "targets-0002 has 0 bytes for (1, 5, 6)",
    ),
    "another size": (about({"size": [99, 6]}), "probabilities-0000 has 218 bytes for (3, 1, 99"),
    "a huge size": (about({"size": [16384, 16384]}), "probabilities-0000 has 218 bytes for "),
    "beyond all sizes": (about({"size": [2**62, 2**62]}), "expected positive integers"),
    "three sides": (about({"size": [5, 6, 1]}), "size [5, 6, 1]: expected height and width"),
    "negative": (about({"chunks": [8, -1]}), "chunks [8, -1]: expected positive integers"),
    "floats": (about({"size": [5.0, 6.0]}), "size [5.0, 6.0]: expected positive integers"),
    "many chunks": (about({"chunks": [1] * 10**6}), "expected positive integers"),
    "labelled": (about({"labelled": "yes"}), "labelled or preprocessing is of a wrong type"),
    "no size": (about({"size": [0, 0]}), "size [0, 0]: expected positive integers"),
    "format": (about({"format": 2}), "format 2, expected 1"),
}
# What can be known only once the pixels are read.
IN_PIXELS = {
    "a pickle": (member("decisions-0001", np.array([None] * 3)), "allow_pickle=False"),
    "a class that is none": (
        member("decisions-0001", np.full((3, 5, 6), 2, np.uint8)),
        "decisions-0001 lie outside the classes",
    ),
    "ignored decisions": (
        member("decisions-0001", np.full((3, 5, 6), 255, np.uint8)),
        "decisions-0001 lie outside the classes",
    ),
    "targets": (
        member("targets-0002", np.full((1, 5, 6), 254, np.uint8)),
        "targets-0002 lie outside the classes",
    ),
    "as many bytes": (
        member("targets-0002", np.zeros((1, 6, 5), np.uint8)),
        "targets-0002 has shape (1, 6, 5) and type uint8; expected (1, 5, 6)",
    ),
    "signed": (
        member("probabilities-0000", np.zeros((3, 1, 5, 6), np.int8)),
        "probabilities-0000 has shape (3, 1, 5, 6) and type int8; expected (3, 1, 5, 6)",
    ),
}


def harmed(path, change, write=written):
    write(path)
    with np.load(path) as stored:
        arrays = dict(stored)
    change(arrays)
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # writes a pickle for an array of objects
    path.write_bytes(stream.getvalue())


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_before_its_pixels_are_read(case, tmp_path):
    change, message = HOSTILE[case]
    harmed(tmp_path / "p.npz", change)
    with pytest.raises(PredictionsError) as caught:
        load_predictions(tmp_path / "p.npz")
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith("predictions '")


@pytest.mark.parametrize("case", IN_PIXELS)
def test_hostile_pixels_are_refused_when_they_are_read(case, tmp_path):
    change, message = IN_PIXELS[case]
    harmed(tmp_path / "p.npz", change)
    found = load_predictions(tmp_path / "p.npz")
    for work in (metrics.evaluate, lambda given: list(given.chunks())):
        with pytest.raises(PredictionsError) as caught:
            work(found)
        assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_member_that_claims_too_much_is_refused(tmp_path, monkeypatch):
    written(tmp_path / "p.npz")
    monkeypatch.setattr(archive, "_LIMIT", 600)
    with pytest.raises(PredictionsError, match=r"about\.npy claims \d+ bytes"):
        load_predictions(tmp_path / "p.npz")


def test_pixels_that_were_changed_on_disk_are_refused(tmp_path):
    path = tmp_path / "p.npz"
    found = written(path)
    with zipfile.ZipFile(path) as file:
        at = file.getinfo("decisions-0000.npy").header_offset + 120
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(PredictionsError, match="cannot be used: "):
        list(found.chunks())
