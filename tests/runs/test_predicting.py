"""Images of all kinds asked about, and what is then on disk: everything that was said, or
nothing."""

from __future__ import annotations

import csv
import json
import os
import shutil
import threading

import numpy as np
import pytest
from asked import SHADES, THING, ensemble, write_image

from zoo.data.splits import SplitPlan
from zoo.errors import DataError, PredictionsError, ZooWarning
from zoo.registry.model import Predictor
from zoo.runs import predicting
from zoo.runs.asked_images import images_at
from zoo.runs.predicting import predict
from zoo.runs.sources import Source


@pytest.fixture
def shades(here):
    for name, level in (("a", 0), ("deep/b", 128), ("c", 255)):
        write_image(here / f"in/{name}.png", level)
    return here / "in"


def rows(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_folder_to_a_table(shades, here, known):
    (shades / "notes.txt").touch()
    write_image(shades / ".hidden/x.png", 0)
    write_image(shades / ".y.png", 0)
    (shades / "deep/loop").symlink_to(shades)
    done = predict("m", "in", "out.csv", device="cpu")
    assert (done.images, done.left_out, done.output.name) == (3, {}, "out.csv")
    found = rows(here / "out.csv")
    assert [(row["id"], row["class"]) for row in found] == [
        ("in/a.png", "dark"), ("in/c.png", "bright"), ("in/deep/b.png", "gray"),
    ]  # fmt: skip
    said = Predictor(SHADES, known().preprocessing, known().network).predict(
        ["in/a.png", "in/c.png", "in/deep/b.png"]
    )
    written = [[float(row[f"p_{name}"]) for name in SHADES.classes] for row in found]
    np.testing.assert_array_equal(np.float32(written), said.probabilities)


def test_an_ensemble_answers_as_one(shades, here, monkeypatch):
    made = ensemble()
    monkeypatch.setattr(predicting, "open_subject", lambda *_: made)
    predict("m", "in", "out.csv")
    found = rows(here / "out.csv")
    assert [row["class"] for row in found] == ["dark", "bright", "gray"]
    written = [[float(row[f"p_{name}"]) for name in SHADES.classes] for row in found]
    said = made.combined.predict([row["id"] for row in found])
    np.testing.assert_array_equal(np.float32(written), said.probabilities)


def test_files_in_the_order_given_each_once(shades, here, known):
    predict("m", [shades / "c.png", "in/a.png", "in", "in/a.png"], "o.jsonl")
    lines = (here / "o.jsonl").read_text().splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert ids == [(shades / "c.png").as_posix(), "in/a.png", "in/c.png", "in/deep/b.png"]


def test_ids_may_be_names_where_these_differ(shades, here, known):
    predict("m", "in", "o.csv", ids="stem")
    assert [row["id"] for row in rows(here / "o.csv")] == ["a", "c", "b"]
    write_image(shades / "deep/a.jpg", 9)
    with pytest.raises(DataError) as error:
        predict("m", "in", "p.csv", ids="stem")
    assert str(error.value) == (
        "images 'in/a.png' and 'in/deep/a.jpg' would both have the id 'a'; leave --ids out, or "
        "give one folder at a time"
    )
    assert not (here / "p.csv").exists()


def test_memory_holds_a_batch_of_a_long_list(here, known, monkeypatch):
    """What is decoded and not yet written never grows with the number of images."""
    monkeypatch.setattr(Predictor, "together", 4)
    lock, began, worst = threading.Lock(), 0, 0
    real = Predictor.prepared

    def prepared(self, image, where):
        nonlocal began
        with lock:
            began += 1
        return real(self, image, where)

    def step(_, done, total):
        nonlocal worst
        worst = max(worst, began - done)

    monkeypatch.setattr(Predictor, "prepared", prepared)
    files = [write_image(here / f"in/{i:03}.png", i) for i in range(120)]
    done = predict("m", files, "o.csv", step=step)
    assert (done.images, began) == (120, 120)
    assert 4 <= worst <= 2 * 4 + 8


def test_large_images_are_let_go_when_they_are_small(here, known):
    known(store_size=None, size=(8, 8))
    path = write_image(here / "x.png", 200, (600, 800))
    made = known(store_size=None)
    one = Predictor(made.task, made.preprocessing, made.network).prepared(path, "x")
    assert (one.pixels.shape, one.size) == ((1, 1, 8, 8), (600, 800))


def truncated(path):
    write_image(path, 90, (60, 60))
    path.write_bytes(path.read_bytes()[:-40])


def test_bad_images_are_named_and_all_others_written(shades, here, known):
    truncated(shades / "bad.png")
    (shades / "b2.png").symlink_to("nowhere.png")
    with (
        pytest.warns(ZooWarning) as told,
        pytest.raises(DataError) as error,
    ):
        predict("m", "in", "o.csv")
    assert [str(one.message) for one in told] == [
        "left out: image 'in/b2.png': no such file or folder",
        "left out: image 'in/bad.png' cannot be decoded: OSError: image file is truncated",
    ]
    assert str(error.value) == (
        "2 of 5 images cannot be read and are left out, the first is 'in/b2.png'; all others are "
        "written; to accept that add --skip-bad"
    )
    assert [row["id"] for row in rows(here / "o.csv")] == ["in/a.png", "in/c.png", "in/deep/b.png"]
    with pytest.warns(ZooWarning):
        done = predict("m", "in", "p.csv", skip_bad=True)
    assert (done.images, list(done.left_out)) == (3, ["in/b2.png", "in/bad.png"])
    assert (here / "p.csv").read_bytes() == (here / "o.csv").read_bytes()


@pytest.mark.parametrize("task", [SHADES, THING])
def test_where_none_can_be_read_nothing_is_written(task, here, known):
    known(task)
    truncated(here / "bad.png")
    with pytest.warns(ZooWarning), pytest.raises(DataError) as error:
        predict("m", "bad.png", "o", skip_bad=True)
    assert str(error.value) == (
        "none of the 1 images can be read; the first: image 'bad.png' cannot be decoded: OSError: "
        "image file is truncated"
    )
    assert sorted(path.name for path in here.iterdir()) == ["bad.png", "registry.toml"]


@pytest.mark.parametrize("task", [SHADES, THING])
@pytest.mark.parametrize("end", [KeyboardInterrupt, RuntimeError])
def test_nothing_half_is_left_by_an_end_in_the_middle(task, end, shades, here, known, monkeypatch):
    known(task)
    before = sorted(here.rglob("*"))
    monkeypatch.setattr(Predictor, "together", 1)

    def step(_, done, total):
        assert list(here.glob(".zoo-tmp-*"))  # it had begun
        if done == 2:
            raise end

    with pytest.raises(end):
        predict("m", "in", "o", step=step)
    assert sorted(here.rglob("*")) == before


def test_what_is_there_is_kept_unless_forced(shades, here, known):
    (here / "o.csv").write_text("mine")
    with pytest.raises(DataError) as error:
        predict("m", "in", "o.csv")
    assert str(error.value) == "output 'o.csv' exists already; add --force to replace it"
    assert (here / "o.csv").read_text() == "mine"
    predict("m", "in", "o.csv", force=True)
    assert len(rows(here / "o.csv")) == 3


def test_a_file_that_comes_meanwhile_is_kept_too(shades, here, known):
    with pytest.raises(DataError, match="exists already"):
        predict("m", "in", "o.csv", step=lambda *_: (here / "o.csv").write_text("mine"))
    assert (here / "o.csv").read_text() == "mine"


def test_what_is_no_file_is_never_replaced(shades, here, known):
    os.mkfifo(here / "pipe")
    with pytest.raises(DataError) as error:
        predict("m", "in", "pipe", force=True)
    assert str(error.value) == "output 'pipe' is no regular file; give one, or '-' for stdout"


def test_a_network_whose_answers_are_no_numbers(shades, here, known):
    known().network.places.data[1] = float("nan")
    with pytest.raises(PredictionsError) as error:
        predict("m", "in", "o.csv")
    assert str(error.value) == (
        "the network's answer to image 'in/a.png' holds numbers that are not finite"
    )
    assert not (here / "o.csv").exists()


def test_the_test_images_of_a_dataset_without_labels(here, made_data, known):
    source = Source("made", {"unlabelled": True}, SplitPlan())
    known(trained_on=source, size=(4, 5), store_size=(4, 5))
    predict("m", output="o.csv", dataset="made", format="kaggle", values="index")
    assert [row["id"] for row in rows(here / "o.csv")] == [f"u{i}" for i in range(7)]
    assert {row["label"] for row in rows(here / "o.csv")} <= {"0", "1", "2"}
    predict("m", output="p.csv", dataset="made", split="val")
    assert {row["id"][0] for row in rows(here / "p.csv")} == {"s"}


def test_a_runs_own_dataset_is_divided_as_it_was(run, here):
    predict(run.path, output="o.csv", dataset="digits", device="cpu")
    said = np.load(run.predictions_path("test"), allow_pickle=False)
    found = rows(here / "o.csv")
    assert [row["id"] for row in found] == said["ids"].tolist()
    written = [[float(row[f"p_{digit}"]) for digit in range(10)] for row in found]
    np.testing.assert_allclose(written, said["probabilities"], atol=1e-6)


NEITHER = "give images or folders of them, or else --dataset NAME"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, NEITHER),
        ({"images": "in", "dataset": "d"}, NEITHER),
        ({"images": "in", "split": "val"}, "split 'val': only for a dataset"),
        ({"dataset": "d", "ids": "name"}, "ids 'name': only for images that are files"),
        ({"images": "in", "ids": "nam"}, "ids 'nam': expected one of path, name, stem"),
        ({"images": "nope"}, "image 'nope': no such file or folder"),
        ({"images": "in/none"},
         "folder 'in/none' holds no images; expected files that end in .bmp, .gif, .jpeg, .jpg, "
         ".pbm, .pgm, .png, .ppm, .tif, .tiff, .webp"),
        ({"images": "in", "overlay": True}, "overlay: only for masks; the model's task is "
                                            "multiclass"),
        ({"images": "in", "output": "in", "force": True},
         "output 'in' is a folder; give a file in it"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said(given, message, shades, here, known):
    (shades / "none").mkdir()
    before = sorted(here.rglob("*"))
    with pytest.raises(DataError) as error:
        predict("m", **given)
    assert str(error.value) == message
    assert sorted(here.rglob("*")) == before


def test_a_name_that_is_no_text(here, known):
    path = os.fsencode(here) + b"/\xff.png"
    shutil.copy(write_image(here / "a.png", 0), path)
    with pytest.raises(DataError) as error:
        images_at([os.fsdecode(path)])
    assert str(error.value).endswith("\\udcff.png' is not UTF-8; rename it")


def test_a_pipe_among_the_images_is_passed_over(shades, here, known):
    os.mkfifo(shades / "pipe.png")
    assert len(images_at(["in"])) == 3
    with pytest.raises(DataError) as error:
        images_at(["in/pipe.png"])
    assert str(error.value) == (
        "image 'in/pipe.png' is no file; expected an image, or a folder of them"
    )
