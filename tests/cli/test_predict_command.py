"""``zoo predict`` as people type it: what is on stdout, on disk, and in the exit code."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import time

import numpy as np
import pytest
from PIL import Image

import zoo as library

RECIPE = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "linear"},
    "training": {"epochs": 1, "threads": 1, "device": "cpu"},
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return library.train(RECIPE, folder=tmp_path_factory.mktemp("digits") / "run").path


@pytest.fixture
def scans(here):
    (here / "in").mkdir()
    for number in range(4):
        image = np.full((8, 8), 60 * number, np.uint8)
        Image.fromarray(image).save(here / f"in/{number}.png")
    return here / "in"


def test_stdout_holds_the_table_alone(digits, scans, zoo):
    code, out, err = zoo("predict", str(digits), "in")
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["id"] for row in rows] == [f"in/{number}.png" for number in range(4)]
    assert all(sum(float(row[f"p_{digit}"]) for digit in range(10)) > 0.999 for row in rows)


def test_a_file_and_what_is_said_of_it(digits, here, scans, zoo):
    run = str(digits)
    assert zoo("predict", run, "in", "-o", "o.jsonl") == (0, "o.jsonl: 4 images\n", "")
    assert len([json.loads(line) for line in (here / "o.jsonl").read_text().splitlines()]) == 4
    code, out, err = zoo("predict", run, "in", "-o", "o.jsonl")
    assert (code, out) == (1, "")
    assert err == "zoo: error: output 'o.jsonl' exists already; add --force to replace it\n"
    submission = ["--format", "kaggle", "--ids", "stem", "--id-column", "ImageId"]
    code, out, _ = zoo("predict", run, "in", *submission, "--label-column", "Label")
    assert out.splitlines()[0] == "ImageId,Label"
    assert [line.split(",")[0] for line in out.splitlines()[1:]] == ["0", "1", "2", "3"]


@pytest.mark.filterwarnings("always::zoo.errors.ZooWarning")
def test_bad_images_make_the_exit_code_one(digits, here, scans, zoo):
    (scans / "2.png").write_bytes(b"no image")
    code, out, err = zoo("predict", str(digits), "in", "-o", "o.csv")
    assert (code, out) == (1, "")
    first, last = err.splitlines()
    assert first.startswith("zoo: warning: left out: image 'in/2.png' cannot be decoded: ")
    assert last == (
        "zoo: error: 1 of 4 images cannot be read and are left out, the first is 'in/2.png'; all "
        "others are written; to accept that add --skip-bad"
    )
    assert len((here / "o.csv").read_text().splitlines()) == 4
    code, out, err = zoo("predict", str(digits), "in", "-o", "p.csv", "--skip-bad")
    assert (code, out, err.count("\n")) == (0, "p.csv: 3 images; 1 left out\n", 1)


def test_a_file_name_cannot_move_the_cursor(digits, scans, zoo, monkeypatch, capsys):
    (scans / "0.png").rename(scans / "\x1b[2J.png")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    _, out, _ = zoo("predict", str(digits), "in/\x1b[2J.png")
    assert "\x1b" not in out and "in/\\x1b[2J.png" in out


SLOWLY = (
    "import sys, time\n"
    "from zoo.registry.model import Predictor\n"
    "real = Predictor.prepared\n"
    "Predictor.prepared = lambda *given: (time.sleep(0.05), real(*given))[1]\n"
    "from zoo_cli.main import main\n"
    "sys.exit(main())"
)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing(number, code, digits, here, scans, start):
    for copy in range(300):
        (scans / f"x{copy}.png").write_bytes((scans / "1.png").read_bytes())
    before = sorted(here.rglob("*"))
    process = start(SLOWLY, "predict", str(digits), "in", "-o", "o.csv")
    deadline = time.monotonic() + 60
    while not list(here.glob(".zoo-tmp-*.csv")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.count("\n")) == (code, "", 1), err
    assert sorted(here.rglob("*")) == before
