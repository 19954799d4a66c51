"""``zoo train --dry-run`` and what training says when memory is full, as a user sees them."""

import json

import pytest
import torch
from torch import nn
from zoo_cli.dry_run import count_text

from zoo.runs import train as runs_train
from zoo.runs.progress import share_lines
from zoo.training.events import ClassShares

DIGITS = ["--dataset", "digits", "--architecture", "linear", "--threads", "1", "--device", "cpu"]


def test_the_tables(here, zoo, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    before = sorted(here.rglob("*"))
    code, out, err = zoo("train", *DIGITS, "--sampler", "weighted", "--dry-run")
    assert (code, err, sorted(here.rglob("*"))) == (0, "", before)
    for line in (
        'name = "weighted"',
        "LAYER    TYPE     OUTPUT  PARAMETERS   FLOPS",
        "out      Linear   10             650  1.28 k",
        "650 parameters, all trainable",
        "1.28 kFLOPs an image of 1x8x8 forward; about 3.84 kFLOPs in training",
        "MEMORY, 64 IMAGES AT ONCE    ABOUT",
        "CLASS  IMAGES   SHARE   DRAWN",
        "10 epochs of 21 steps: 1,294 images an epoch, 64 a step",
    ):
        assert line in out.splitlines(), out
    assert max(map(len, out.splitlines())) <= 80


def test_json_is_whole(here, zoo):
    code, out, _ = zoo("train", *DIGITS, "--batch-size", "auto", "--dry-run", "--json")
    said = json.loads(out)
    assert (code, said["recipe"]["training"]["batch_size"]) == (0, 64)
    assert said["layers"]["rows"][-1]["output"] == [10]
    assert said["memory"]["images_at_once"] == 64 and said["memory"]["images_that_fit"] is None
    assert said["classes"]["3"]["count"] == 131


def test_a_batch_size_that_is_none(here, zoo):
    code, _, err = zoo("train", *DIGITS, "--batch-size", "many")
    assert code == 1
    assert err == ("zoo: error: --batch-size: 'many': expected 'auto' or an integer >= 1\n")


@pytest.fixture
def crowded(monkeypatch):
    """Memory that is full beyond so many images, in training or in evaluation: the allocator's own
    error."""
    room = {True: 10**6, False: 10**6}
    plain = nn.Flatten.forward

    def forward(self, images):
        if len(images) > room[torch.is_grad_enabled()]:
            torch.empty(1 << 50)
        return plain(self, images)

    monkeypatch.setattr(nn.Flatten, "forward", forward)
    return room


def test_out_of_memory_says_what_would_fit(here, zoo, crowded):
    crowded[True] = 40
    arguments = ["train", *DIGITS, "--epochs", "1"]
    code, _, err = zoo(*arguments, "--run", "a")
    assert code == 1
    assert err == (
        "zoo: error: out of memory on cpu: 64 images of 1x8x8 at once are too many; about 32 fit; "
        "train anew with --set training.micro_batch=32, which keeps the batch of 64 by adding up "
        "gradients\n"
    )
    info = json.loads((here / "a/run.json").read_text())
    assert info["status"] == "failed" and "out of memory on cpu" in info["reason"]
    assert list((here / "a").rglob("*.safetensors"))  # the checkpoint before the first step
    code, _, err = zoo(*arguments, "--run", "b", "--set", "training.micro_batch=32")
    assert (code, err) == (0, "")


def test_validation_has_a_key_of_its_own(here, zoo, crowded):
    crowded[False] = 100
    code, _, err = zoo("train", *DIGITS, "--epochs", "1", "--run", "a")
    assert code == 1
    assert err == (
        "zoo: error: out of memory on cpu: 128 images of 1x8x8 at once are too many for "
        "validation; train anew with --set training.eval_batch_size=64\n"
    )


def test_without_that_it_would_be_called_a_bug(here, zoo, crowded, monkeypatch):
    crowded[True] = 40
    monkeypatch.setattr(runs_train, "out_of_memory", lambda error, run: None)
    code, _, err = zoo("train", *DIGITS, "--epochs", "1", "--run", "a")
    assert code == 1 and "this is a bug" in err


def shares_of(number, drawn=None, weights=None):
    shares = [1 / number] * number
    names, counts = [f"class {i}" for i in range(number)], [7 * (i + 1) for i in range(number)]
    return ClassShares("images", names, counts, shares, drawn or shares, weights, shares)


def test_classes_are_shown_one_by_one_or_as_a_range():
    assert share_lines(shares_of(2)) == [
        "class           images      share",
        "class 0              7      50.0%",
        "class 1             14      50.0%",
    ]
    assert share_lines(shares_of(2, drawn=[0.25, 0.75], weights=[1.0, 1.0]))[1] == (
        "class 0              7      50.0%      25.0%      50.0%"
    )
    assert share_lines(shares_of(100)) == [
        "100 classes: 7 to 700 images each, share 1.00% to 1.00%"
    ]


def test_counts_for_people():
    assert [count_text(one) for one in (12, 1234, 3_628_146_688, 5 * 10**12)] == [
        "12 ", "1.23 k", "3.63 G", "5 T",
    ]  # fmt: skip
