"""The predictions file round-trips, repeats byte for byte, and distrusts what it reads."""

import dataclasses
import io
import json
import zipfile

import numpy as np
import pytest
import torch

from zoo.errors import PredictionsError
from zoo.predictions.archive import TrainedOn
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
        groups=np.array([f"patient-{i // 2}" for i in range(count)]), source_digest="d" * 64,
        trained_on=TrainedOn("d", "e" * 64, {"train": "1" * 64, "val": "2" * 64}),
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


def rewritten(path, change=None, **arrays):
    """The example's file with other arrays (None: without it), or other things in its heading."""
    example().save(path)
    with np.load(path) as stored:
        kept = {**stored, **arrays}
    if change is not None:
        told = json.loads(str(kept["about"]))
        change(told)
        kept["about"] = np.array(json.dumps(told))
    stream = io.BytesIO()
    # Writes a pickle for an array of objects.
    np.savez(stream, **{name: array for name, array in kept.items() if array is not None})
    path.write_bytes(stream.getvalue())
    return path


def test_a_file_from_before_groups_and_sources_were_kept_is_read(tmp_path):
    def older(told):
        del told["source_digest"], told["trained_on"]

    found = load_predictions(rewritten(tmp_path / "p.npz", older, groups=None))
    assert (found.groups, found.source_digest, found.trained_on) == (None, "", None)
    assert np.array_equal(found.ids, example().ids)
    known = load_predictions(rewritten(tmp_path / "p.npz"))
    assert known.groups.tolist()[:3] == ["patient-0", "patient-0", "patient-1"]
    assert known.trained_on == example().trained_on


WIDE = np.full((7, 3), 1 / 3, np.float32)
WRONG = {
    "outside the classes": ({"targets": np.full(7, 3)}, "targets lie outside the classes"),
    "an id twice": ({"ids": np.array([*"abcabx", "a"])}, "ids: 'a' stands 3 times, each may once"),
    "no ids": ({"ids": None}, "it holds no 'ids'"),
    "missing ids": ({"ids": np.array(["a", "", "b", "c", "", "d", "e"])},
                    "ids: 2 of 7 are missing"),
    "too few ids": ({"ids": np.array(["a", "b"]), "groups": None}, "2 ids for 7 logits"),
    "other classes": ({"logits": np.zeros((7, 2), np.float32)},
                      "2 columns of logits for the 3 classes of a multiclass task"),
    "too many classes": ({"probabilities": np.full((7, 4), 0.25, np.float32)},
                         "4 columns of probabilities for the 3 classes of a multiclass task"),
    "not finite": ({"logits": np.full((7, 3), np.nan, np.float32)},
                   "logits of 'image-0' (and 6 others) are not finite"),
    "sums": ({"probabilities": np.vstack([WIDE[:5], WIDE[5:] * 0.9])},
             "probabilities of 'image-5' (and 1 other) sum to 0.9000, expected 1"),
    "one sum": ({"probabilities": np.vstack([WIDE[:6], WIDE[6:] * 1.01])},
                "probabilities of 'image-6' sum to 1.0100, expected 1"),
    "below 0": ({"probabilities": np.vstack([[[-0.1, 0.1, 1.0]], WIDE[1:]])},
                "probabilities of 'image-0' lie outside 0 to 1"),
    "groups": ({"groups": np.array(["p"])},
               "groups has shape (1,) and type <U1; expected (7,)"),
    "other logits": ({"logits": -example().logits},
                     "probabilities of 'image-0' (and 6 others) are not those of the logits"),
    "other decisions": ({"decisions": (example().decisions + 1) % 3},
                        "decisions of 'image-0' (and 6 others) are not those of the probabilities"),
    "one name": ({"ids": np.array("a")}, "ids has shape (); expected at most 10,000,000 names"),
    "names that are numbers": ({"ids": np.arange(7)},
                               "ids has shape (7,) and type int64; expected (7,)"),
    "numbers too wide": ({"logits": np.zeros((70, 7))},
                         "logits has 4,048 bytes, expected at most 1,192"),
    "a pickle": ({"targets": np.array([None] * 7)},
                 "ValueError: Object arrays cannot be loaded when allow_pickle=False"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_content_is_refused_in_one_line(case, tmp_path):
    arrays, message = WRONG[case]
    path = rewritten(tmp_path / "p.npz", **arrays)
    with pytest.raises(PredictionsError) as caught:
        load_predictions(path)
    assert str(caught.value) == f"predictions {str(path)!r} cannot be used: {message}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source_digest": "abc"}, "source_digest 'abc': expected a sha256"),
        ({"source_digest": 3}, "source_digest '3': expected a sha256"),
        ({"trained_on": []}, "trained_on: expected dataset, division and splits"),
        ({"trained_on": {"dataset": "d"}}, "trained_on: expected dataset, division and splits"),
        ({"trained_on": {"dataset": "d", "division": "e", "splits": {"val": 3}}},
         "trained_on: expected texts"),
    ],
)  # fmt: skip
def test_a_wrong_heading_is_refused(changes, message, tmp_path):
    path = rewritten(tmp_path / "p.npz", lambda told: told.update(changes))
    with pytest.raises(PredictionsError) as caught:
        load_predictions(path)
    assert str(caught.value) == f"predictions {str(path)!r} cannot be used: {message}"


@pytest.mark.parametrize(
    "task",
    [
        Task.binary(["n", "y"], positive="n", threshold=0.3),
        Task.multilabel(["p", "q"], threshold=0.4),
    ],
)
def test_logits_probabilities_and_decisions_are_one_answer(task, tmp_path):
    path, given = tmp_path / "p.npz", example(task)
    for changes, message in (
        ({"logits": given.logits + 1}, "are not those of the logits"),
        ({"decisions": 1 - given.decisions}, "are not those of the probabilities"),
    ):
        dataclasses.replace(given, **changes).save(path)
        with pytest.raises(PredictionsError, match=message):
            load_predictions(path)
    # Near the threshold either may be decided: what was computed in half precision is rounded.
    near = np.float32(np.log(task.threshold) - np.log1p(-task.threshold))
    logits = np.full_like(given.logits, near + 1e-4)
    sure = task.probabilities(torch.from_numpy(logits)).numpy()
    for decided in (0, 1):
        decisions = np.full_like(given.decisions, decided)
        edge = dataclasses.replace(given, logits=logits, probabilities=sure, decisions=decisions)
        edge.save(path)
        assert (load_predictions(path).decisions == decided).all()


def claiming(path, name, shape, count):
    """The example's file, in which the member is that many bytes of zeros, packed into a few."""
    rewritten(path)
    with zipfile.ZipFile(path) as archive:
        others = {one: archive.read(one) for one in archive.namelist() if one != f"{name}.npy"}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, data in others.items():
            archive.writestr(one, data)
        with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
            np.lib.format.write_array_header_1_0(
                stream, {"descr": "<f4", "fortran_order": False, "shape": shape}
            )
            for _ in range(count // (1 << 20)):
                stream.write(bytes(1 << 20))


@pytest.mark.parametrize(("name", "most"), [("logits", 1192), ("about", 64 << 20)])
def test_what_claims_to_be_larger_than_it_can_be_is_not_read(name, most, tmp_path, monkeypatch):
    path, count = tmp_path / "p.npz", 80 << 20
    claiming(path, name, (count // 4,), count)
    assert path.stat().st_size < 1 << 20
    read, real = [], np.lib.npyio.NpzFile.__getitem__
    monkeypatch.setattr(np.lib.npyio.NpzFile, "__getitem__",
                        lambda self, key: read.append(key) or real(self, key))  # fmt: skip
    with pytest.raises(PredictionsError) as caught:
        load_predictions(path)
    assert str(caught.value) == (
        f"predictions {str(path)!r} cannot be used: {name} has {count + 128:,} bytes, expected at "
        f"most {most:,}"
    )
    assert name not in read


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"about.npy": b"{}"}, "'about' is no array"),
        ({"about": b"", "about.npy": b""}, "it holds 'about' 2 times"),
    ],
)
def test_members_that_are_no_arrays(members, message, tmp_path):
    path = tmp_path / "p.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(PredictionsError) as caught:
        load_predictions(path)
    assert str(caught.value) == f"predictions {str(path)!r} cannot be used: {message}"


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ("[1]", "its heading 'about' is no table of JSON"),
        ("{", "its heading 'about' is no table of JSON"),
        ("{}", "format None, expected 1"),
        ('{"format": 1, "dataset": "d"}',
         "its heading does not say task, split, fingerprint, content, source"),
    ],
)  # fmt: skip
def test_a_heading_that_is_none(about, message, tmp_path):
    path = rewritten(tmp_path / "p.npz", about=np.array(about))
    with pytest.raises(PredictionsError) as caught:
        load_predictions(path)
    assert str(caught.value) == f"predictions {str(path)!r} cannot be used: {message}"


def test_probabilities_of_many_classes_may_be_off_by_what_float32_is_off(tmp_path):
    task = Task.multiclass([f"c{number}" for number in range(20_000)])
    given = example(task)
    assert np.abs(given.probabilities.sum(1, dtype=float) - 1).max() > 1e-8
    given.save(tmp_path / "p.npz")
    assert len(load_predictions(tmp_path / "p.npz")) == 7


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
