"""``zoo compare``: its tables, its words, its JSON."""

import json

import numpy as np
import pytest

from zoo.predictions.file import Predictions
from zoo.tasks import Task

TASK = Task.binary(["no", "yes"], positive="yes")


def write(path, wrong, samples=100, **more):
    """Of ``samples``, those in ``wrong`` decided wrongly."""
    targets = np.arange(samples) % 2
    sure = np.where(np.isin(np.arange(samples), wrong), 0.4, 0.8) + np.arange(samples) / 2000
    yes = np.where(targets == 1, sure, 1 - sure).astype(np.float32)
    about = {"task": TASK, "dataset": "d", "split": "test", "fingerprint": "f", "content": "c",
             "source": "x", "ids": np.array([f"s{i}" for i in range(samples)])}  # fmt: skip
    Predictions(
        **{**about, **more},
        logits=np.log(yes / (1 - yes))[:, None],
        probabilities=np.stack([1 - yes, yes], 1),
        targets=targets,
        decisions=(yes > 0.5).astype(np.int64),
    ).save(path)


@pytest.fixture
def files(here):
    write(here / "a.npz", range(20))
    write(here / "b.npz", range(15, 20))
    write(here / "c.npz", range(3, 23))


def test_a_difference_is_shown_with_its_interval_and_test(files, zoo):
    code, out, err = zoo("compare", "a.npz", "b.npz", "--draws", "200")
    assert (code, err) == (0, "")
    assert out == (
        "d, split test, 100 samples; 95 % intervals, 200 draws of 100 samples, seed 0\n"
        "\n"
        "MODEL                   ACCURACY\n"
        "a.npz  0.8000 (0.7112 to 0.8666)\n"
        "b.npz  0.9500 (0.8882 to 0.9785)\n"
        "\n"
        "FIRST  SECOND                    DIFFERENCE       P  RIGHT ALONE  MCNEMAR\n"
        "a.npz  b.npz   +0.1500 (+0.0931 to +0.2328)  <0.001        0, 15   <0.001  "
        "b.npz is better\n"
    )


def test_none_is_shown_in_these_words(files, zoo):
    _, out, _ = zoo("compare", "a.npz", "c.npz", "--draws", "200")
    assert out.splitlines()[-1] == (
        "a.npz  c.npz   +0.0000 (-0.0592 to +0.0592)  1.000         3, 3    1.000  "
        "no difference shown"
    )


def test_several_have_holms_p_values_and_other_figures_no_mcnemar(files, zoo):
    _, out, _ = zoo("compare", "a.npz", "b.npz", "c.npz", "--draws", "200", "--metric", "log_loss")
    assert "P (HOLM)" in out
    assert "MCNEMAR" not in out
    assert [line.split("  ")[-1] for line in out.splitlines()[-3:]] == [
        "b.npz is better", "no difference shown", "b.npz is better",
    ]  # fmt: skip


def test_json_has_every_figure(files, zoo):
    code, out, _ = zoo("compare", "a.npz", "b.npz", "--draws", "200", "--json")
    found = json.loads(out)
    assert code == 0
    assert [one["name"] for one in found["models"]] == ["a.npz", "b.npz"]
    (pair,) = found["pairs"]
    assert pair["mcnemar"] == {"first_alone": 0, "second_alone": 15, "p": 2 / 2**15}
    accuracy = pair["overall"]["accuracy"]
    assert accuracy["value"] == pytest.approx(0.15)
    assert accuracy["interval"]["method"] == "tango"
    assert accuracy["better"] == "second"
    assert pair["overall"]["log_loss"]["interval"]["method"] == "bca"
    assert len(pair["per_class"]) == 2
    assert found["figure"] == {"scope": "overall", "name": "accuracy"}
    assert "recipes" not in found


REFUSED = {
    "another metric": (
        ["a.npz", "b.npz", "--metric", "acuracy"],
        "metric 'acuracy' (did you mean 'accuracy'?); expected one of accuracy, balanced_accuracy, "
        "precision, recall, specificity, f1, auroc, average_precision, mcc, kappa, log_loss, "
        "brier, ece",
    ),
    "one alone": (
        ["a.npz"],
        "to compare, give two or more runs, models or predictions files",
    ),
    "no file": (["a.npz", "z.npz"], "predictions 'z.npz': no such file or folder"),
    "twice the same": (["a.npz", "a.npz"], "to compare, each may be given once"),
    "few draws": (
        ["a.npz", "b.npz", "--draws", "5"],
        "draws 5: expected a whole number from 100 to 100,000",
    ),
    "other samples": (
        ["a.npz", "few.npz"],
        "'a.npz' and 'few.npz' are of different samples: 100 and 50, of which 50 have the same id",
    ),
    "another split": (
        ["a.npz", "val.npz"],
        "'a.npz' and 'val.npz' are of different samples: 'test' of 'd'; and 'val' of 'd'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_one_line(case, files, here, zoo):
    write(here / "few.npz", [1], samples=50)
    write(here / "val.npz", [1], split="val")
    arguments, message = REFUSED[case]
    assert zoo("compare", *arguments) == (1, "", f"zoo: error: {message}\n")
