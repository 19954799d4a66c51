"""``zoo eval predictions.npz``: figures without the model or its data, and what is refused."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from zoo.predictions.archive import Heading
from zoo.predictions.file import Predictions
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.metrics import evaluate
from zoo.tasks import Task

TASK = Task.multiclass(["cat", "dog", "bird"])
TARGETS = [0, 0, 1, 1]


def predictions(task=TASK, targets=TARGETS):
    logits = torch.from_numpy(np.random.default_rng(1).normal(size=(len(targets), task.outputs)))
    return Predictions(
        task, "pets", "test", "f", "c", "m@1",
        np.array([f"{i}.png" for i in range(len(targets))]), logits.float().numpy(),
        task.probabilities(logits).numpy(), np.asarray(targets, int),
        task.decisions(logits).numpy(),
    )  # fmt: skip


@pytest.fixture
def file(here):
    predictions().save(here / "p.npz")
    return here / "p.npz"


def test_tables(file, zoo):
    code, out, err = zoo("eval", "p.npz", "--draws", "0")
    assert (code, err) == (0, "")
    assert out == TABLES


TABLES = """\
m@1 on pets, split test, 4 samples

accuracy           0.2500
balanced_accuracy  0.2500
precision          0.1667
recall             0.2500
specificity        0.5000
f1                 0.2000
auroc              0.2500
average_precision  0.5000
mcc                -0.2887
kappa              -0.2000
log_loss           1.5455
brier              0.8574
ece                0.4936

AVERAGE   PRECISION  RECALL  SPECIFICITY  F1      AUROC   AVERAGE_PRECISION
macro     0.1667     0.2500  0.5000       0.2000  0.2500  0.5000
micro     0.2500     0.2500  0.6250       0.2500  0.3125  0.3458
weighted  0.1667     0.2500  0.5000       0.2000  0.2500  0.5000

CLASS  SUPPORT  PRECISION  RECALL     SPECIFICITY  F1         AUROC      AVERAGE_PRECISION
cat          2  0.0000     0.0000     1.0000       0.0000     0.2500     0.5000
dog          2  0.3333     0.5000     0.0000       0.4000     0.2500     0.5000
bird         0  undefined  undefined  0.7500       undefined  undefined  undefined
never there, so undefined, and left out of means over classes: bird

confusion matrix: rows are the truth, columns what was decided
      cat  dog  bird
cat     0    2     0
dog     0    1     1
bird    0    0     0

predictions: p.npz
"""


def test_json_has_every_figure(file, zoo):
    code, out, _ = zoo("eval", "p.npz", "--json")
    told = json.loads(out)
    assert code == 0
    figures = evaluate(predictions())
    assert {name: told[name] for name in figures} == figures
    assert told["curves"]["micro"]["roc"]["fpr"][-1] == 1.0
    assert (told["source"], told["labelled"], told["predictions"]) == ("m@1", True, "p.npz")


def test_neither_torch_nor_a_plugin_is_needed(file, here):
    code = (
        "import sys; from zoo_cli.main import main; main(['eval', 'p.npz', '--draws', '0']); "
        "found = {'torch', 'zoo_basics', 'matplotlib'} & set(sys.modules); "
        "print(found, file=sys.stderr); sys.exit(bool(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "set()\n")
    assert done.stdout == TABLES


def test_without_labels_there_is_nothing_to_measure(here, zoo):
    dataclasses.replace(predictions(), targets=None).save(here / "p.npz")
    code, out, err = zoo("eval", "p.npz")
    assert (code, err) == (0, "")
    assert out == (
        "m@1 on pets, split test, 4 samples\n"
        "predictions: p.npz; there are no labels to measure them against\n"
    )


def stranger(here):
    """Names that would move the cursor."""
    task = Task.multiclass(["a\x1b[2J", "b"])
    dataclasses.replace(predictions(task), source="m\x1b[2J", dataset="d\n").save(here / "p.npz")


def test_a_strangers_names_are_escaped(here, zoo):
    stranger(here)
    code, out, _ = zoo("eval", "p.npz")
    assert code == 0 and "\x1b" not in out
    assert out.startswith("m\\x1b[2J on d\\n, split test, 4 samples\n")


def changed(here, **arrays):
    predictions().save(here / "p.npz")
    with np.load(here / "p.npz") as stored:
        kept = {**stored, **arrays}
    np.savez(here / "p.npz", **{name: one for name, one in kept.items() if one is not None})


THIRD = np.full((4, 3), 1 / 3, np.float32)
REFUSED = {
    "sums": (lambda here: changed(here, probabilities=THIRD * [[1], [1.5], [1], [1]]),
             "predictions 'p.npz' cannot be used: probabilities of '1.png' sum to 1.5000, "
             "expected 1"),
    "empty": (lambda here: predictions(targets=[]).save(here / "p.npz"),
              "split 'test' of 'pets' is empty"),
    "no masks": (lambda here: MaskPredictions.write(
                     here / "p.npz", Heading(Task.segmentation(["a", "b"]), "pets", "test", "f",
                                             "c", "m"), [], []),
                 "split 'test' of 'pets' is empty"),
    "classes": (lambda here: changed(here, probabilities=np.full((4, 2), 0.5, np.float32)),
                "predictions 'p.npz' cannot be used: 2 columns of probabilities for the 3 classes "
                "of a multiclass task"),
    "labels": (lambda here: changed(here, targets=np.array([0, 1, 2, 3])),
               "predictions 'p.npz' cannot be used: targets lie outside the classes"),
    "missing ids": (lambda here: changed(here, ids=np.array(["a", "", "b", "c"])),
                    "predictions 'p.npz' cannot be used: ids: 1 of 4 are missing"),
    "no ids": (lambda here: changed(here, ids=None),
               "predictions 'p.npz' cannot be used: it holds no 'ids'"),
    "double ids": (lambda here: changed(here, ids=np.array(["a", "b", "a", "c"])),
                   "predictions 'p.npz' cannot be used: ids: 'a' stands 2 times, each may once"),
    "not there": (lambda here: None, "predictions 'p.npz': no such file or folder"),
    "no archive": (lambda here: (here / "p.npz").write_text("x"),
                   "predictions 'p.npz' cannot be used: BadZipFile: File is not a zip file"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_said_in_one_line(case, here, zoo):
    make, message = REFUSED[case]
    make(here)
    for more in ((), ("--json",)):
        assert zoo("eval", "p.npz", *more) == (1, "", f"zoo: error: {message}\n")


@pytest.mark.parametrize("suffix", [".npz", ".NPZ"])
def test_a_file_takes_no_data_and_no_device(suffix, zoo):
    code, out, err = zoo("eval", f"p{suffix}", "--split", "val", "--device", "cpu")
    assert (code, out) == (1, "")
    assert err == (
        f"zoo: error: --split, --device: 'p{suffix}' is a predictions file, of one source and one "
        f"split; expected a run or a model\n"
    )
