"""What ``zoo eval`` says of certainty."""

import json

import numpy as np
import pytest

from zoo.predictions.file import Predictions
from zoo.tasks import Task

TASK = Task.binary(["no", "yes"], positive="yes")


@pytest.fixture
def file(here):
    """Of 40 samples in 10 groups, four of them wrong."""
    targets = np.arange(40) % 2
    sure = np.where(np.arange(40) % 10 == 3, 0.4, 0.8) + np.arange(40) / 400
    yes = np.where(targets == 1, sure, 1 - sure).astype(np.float32)
    said = Predictions(
        TASK, "d", "test", "f", "c", "runs/a",
        ids=np.array([f"s{i}" for i in range(40)]),
        logits=np.log(yes / (1 - yes))[:, None],
        probabilities=np.stack([1 - yes, yes], 1),
        targets=targets,
        decisions=(yes > 0.5).astype(np.int64),
    )  # fmt: skip
    said.save(here / "p.npz")
    return said


def test_they_stand_beside_the_figures_with_how_they_came_about(file, zoo):
    code, out, err = zoo("eval", "p.npz", "--draws", "200", "--seed", "1", "--level", "0.9")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert "accuracy           0.9000 (0.7950 to 0.9543)" in lines
    assert "recall             0.8000 (0.6216 to 0.9069)" in lines
    assert lines[-4:-2] == [
        "in brackets: 90 % intervals, 200 draws of 40 samples, seed 1; those of classes and "
        "averages: --json",
        "no interval, for it is the same in every draw: average_precision, macro auroc, macro "
        "average_precision, weighted auroc, weighted average_precision (and 2 others)",
    ]


def test_json_has_all_of_them(file, zoo):
    code, out, _ = zoo("eval", "p.npz", "--draws", "200", "--json")
    found = json.loads(out)["intervals"]
    assert code == 0
    assert [row["recall"]["method"] for row in found["per_class"]] == ["wilson", "wilson"]
    assert (found["units"], found["count"]) == ("samples", 40)


def test_without_draws_the_table_is_plain(file, zoo):
    _, out, _ = zoo("eval", "p.npz", "--draws", "0")
    assert "accuracy           0.9000\n" in out
    assert "in brackets" not in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--draws", "50"], "draws 50: expected a whole number from 100 to 100,000"),
        (["--level", "95"], "level 95.0: expected a number from 0.5 to 0.999"),
    ],
)
def test_a_wrong_number_is_told_in_a_line(file, zoo, options, message):
    code, out, err = zoo("eval", "p.npz", *options)
    assert (code, out, err) == (1, "", f"zoo: error: {message}\n")
