"""What an ensemble's row says of images without labels: the mean of what its runs say."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from inline import Inline, write_study
from PIL import Image

import zoo
from zoo.errors import StudyError
from zoo.studies.planning import planned
from zoo.studies.studying import study

HEAD = """
seeds = [0, 1]
metrics = ["accuracy"]
split = "val"
[recipe.dataset]
name = "image_folder"
root = "images"
positive = "light"
[recipe.data]
size = 8
[recipe.split]
val = 0.3
[recipe.architecture]
name = "linear"
[recipe.training]
epochs = 1
threads = 1
"""
TABLES = """
[[tables]]
name = "t"
kind = "list"
[[tables.rows]]
name = "one"
[[tables.rows]]
name = "two"
ensemble = { rows = ["one"] }
predict = { name = "answers", images = "../unlabeled", ids = "stem" }
"""


def pictures(folder: Path, levels: list[int]) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(len(levels))
    for number, level in enumerate(levels):
        noise = rng.integers(0, 60, (8, 8, 3), np.uint8)
        Image.fromarray(noise + np.uint8(level)).save(folder / f"{number}.png")


def probabilities(file: Path) -> dict[str, list[float]]:
    with file.open() as lines:
        return {row[0]: [float(one) for one in row[2:]] for row in list(csv.reader(lines))[1:]}


def test_the_file_is_the_mean_of_the_runs_and_is_written_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pictures(Path("images/dark"), [60] * 12)
    pictures(Path("images/light"), [150] * 12)
    path = write_study(tmp_path, TABLES, HEAD)
    out, carried = tmp_path / "out", []

    def done():
        made = study(path, out=out, begin=lambda *_: Inline(carried))
        row = made.data["tables"][0]["rows"][1]
        assert row["runs"][0]["status"] == "done", row["runs"][0]["reason"]
        return row["submission"], (out / "tables" / "t.md").read_text()

    said, text = done()
    assert said["file"] is None and said["reason"].startswith("image 'images/../unlabeled': no ")
    assert "no answers to images without labels: image 'images/../unlabeled'" in text

    pictures(Path("unlabeled"), [20, 80, 120, 190])
    Path("unlabeled/torn.png").write_bytes(b"no image")
    with pytest.warns(zoo.errors.ZooWarning, match=r"left out: .*torn"):
        said, text = done()
    assert said == {"file": "submissions/answers.csv", "images": 4, "left_out": 1, "reason": None}
    assert "its answers to 4 images without labels: submissions/answers.csv, 1 more could" in text
    answers = out / said["file"]
    members = []
    for number, job in enumerate(planned(path).jobs().values()):
        file = tmp_path / f"{number}.csv"
        zoo.predict(out / "runs" / job.key, sorted(Path("unlabeled").glob("?.png")), file,
                    ids="stem")  # fmt: skip
        members.append(probabilities(file))
    ours = probabilities(answers)
    assert list(ours) == ["0", "1", "2", "3"] and len(members) == 2
    for name, row in ours.items():
        assert row == pytest.approx(np.mean([one[name] for one in members], 0), abs=1e-6)

    before = answers.stat().st_mtime_ns
    assert done()[0] == said and answers.stat().st_mtime_ns == before
    Path("unlabeled/torn.png").unlink()
    assert done()[0]["left_out"] == 0 and answers.stat().st_mtime_ns != before
    assert len(carried) == 2 and not list(out.glob("submissions/*.made"))


def test_rows_of_the_same_members_answer_each_its_own_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pictures(Path("images/dark"), [60] * 12)
    pictures(Path("images/light"), [150] * 12)
    pictures(Path("unlabeled"), [20, 80])
    pictures(Path("others"), [120])
    third = '[[tables.rows]]\nname = "three"\nensemble = { rows = ["one"] }\n'
    third += 'predict = { name = "others", images = "../others" }\n'
    path = write_study(tmp_path, TABLES + third, HEAD)

    def images():
        made = study(path, out=tmp_path / "out", begin=lambda *_: Inline())
        return [row["submission"]["images"] for row in made.data["tables"][0]["rows"][1:]]

    assert images() == [2, 1]
    Image.new("RGB", (8, 8)).save("others/more.png")
    assert images() == [2, 2]


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ('predict = { name = "a", images = "b" }', "FILE:23: tables.0.rows.0.predict: only a row "
         "that is an ensemble has it; a run is asked by zoo predict"),
        ('ensemble = { rows = ["b"] }\npredict = { name = "a", images = "b", values = "index" }',
         "FILE:24: tables.0.rows.0.predict.values: only for format = 'kaggle'"),
        ('ensemble = { rows = ["b"] }\npredict = { name = "../a", images = "b" }',
         "FILE:24: tables.0.rows.0.predict.name: '../a': expected a name of letters, digits, '-', "
         "'_' and '.', at most 64"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_with_the_file(tmp_path, row, line):
    text = f'[[tables]]\nname = "t"\nkind = "list"\n[[tables.rows]]\nname = "a"\n{row}\n'
    path = write_study(tmp_path, f'{text}[[tables.rows]]\nname = "b"\n', HEAD)
    with pytest.raises(StudyError) as caught:
        planned(path)
    assert str(caught.value).replace(str(path), "FILE") == line
