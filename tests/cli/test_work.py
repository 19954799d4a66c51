"""The commands that do the work, as a user types them: the way through, and every wrong turn."""

import json
import os
import signal
import struct
import time

import numpy as np
import pytest

QUICK = ["--dataset", "digits", "--architecture", "linear", "--epochs", "1", "--threads", "1"]
TERMS = ["--licence", "mit", "--intended-use", "a test"]


@pytest.fixture(autouse=True)
def _registry(here):
    (here / "registry.toml").write_text('default = "local"\n[registry.local]\nurl = "reg"\n')


def test_the_whole_way(here, zoo):
    code, out, err = zoo("train", *QUICK, "--run", "runs/a")
    assert (code, err) == (0, "")
    assert out.endswith("run: runs/a\nnext: zoo eval runs/a\n")
    code, out, err = zoo("eval", "runs/a")
    assert (code, err) == (0, "")
    assert "a on digits, split test, 359 samples" in out and "confusion matrix" in out
    code, out, err = zoo("publish", "runs/a", "--name", "digits-linear", *TERMS)
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == ["published: digits-linear@1", "card: runs/a/README.md"]
    code, out, _ = zoo("eval", "digits-linear@1", "--split", "val", "--json")
    assert (code, json.loads(out)["samples"]) == (0, 144)
    assert (here / "predictions/digits-linear-1/val.npz").is_file()


def test_json_is_all_there_is_on_stdout(here, zoo):
    code, out, _ = zoo("train", *QUICK, "--run", "runs/a", "--json")
    assert (code, json.loads(out)["status"]) == (0, "finished")
    code, out, _ = zoo("eval", "runs/a", "--json")
    assert 0 <= json.loads(out)["accuracy"] <= 1
    code, out, _ = zoo("publish", "runs/a", "--name", "d", *TERMS, "--json")
    made = {"model": "d", "version": 1, "card": "runs/a/README.md", "alias": None}
    assert json.loads(out) == made
    _then_an_alias_and_a_copy(here, zoo)


def _then_an_alias_and_a_copy(here, zoo):
    """Of the run that is there, trained once for several tests."""
    code, out, err = zoo("publish", "a", "--name", "d", *TERMS, "--alias", "best")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "published: d@2, alias best"
    named = (here / "registry.toml").read_text()
    (here / "registry.toml").write_text(named + '[registry.shared]\nurl = "shared"\n')
    for number in (1, 2):
        code, out, err = zoo("publish", f"d@{number}", "--to", "shared", "--alias", "best")
        assert (code, err) == (0, "")
        assert out.splitlines()[0] == f"published: shared:d@{number}, alias best"
    files = "reg/models/d/versions", "shared/models/d/versions"
    for number in (1, 2):
        one, other = ((here / folder / f"{number}.json").read_bytes() for folder in files)
        assert one == other
    assert zoo("eval", "shared:d@best", "--split", "val")[0] == 0
    for wrong, said in (
        (["d@best", "--to", "local"], "is in registry 'local'"),
        (["d@2", "--to", "shared", "--alias", "latest"], "alias 'latest': a name alone already"),
        (["d@9", "--to", "shared"], "has no version 9; the newest is 2"),
    ):
        code, out, err = zoo("publish", *wrong)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert said in err
    code, _, err = zoo("publish", "d@2", "--to", "shared", "--name", "other")
    assert (code, "a copy keeps its name" in err) == (2, True)
    code, _, err = zoo("publish", "a")
    assert (code, "a run is published under a name" in err) == (2, True)


def test_flags_and_file_are_the_same_thing(here, zoo):
    (here / "r.toml").write_text(
        '[dataset]\nname = "digits"\n[architecture]\nname = "linear"\n'
        "[optimizer]\nlr = 0.02\n[training]\nepochs = 1\nthreads = 1\n"
    )
    assert zoo("train", "r.toml", "--run", "a")[0] == 0
    assert zoo("train", *QUICK, "--set", "optimizer.lr=0.02", "--run", "b")[0] == 0
    assert (here / "a/recipe.toml").read_text() == (here / "b/recipe.toml").read_text()
    first, second = (here / n / "best.safetensors" for n in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_other_data_are_told(mnist, zoo):
    train = ["train", *QUICK, "--dataset", "mnist", "--root"]
    (mnist / "copy").mkdir()
    for path in mnist.glob("*ubyte"):
        (mnist / "copy" / path.name).write_bytes(path.read_bytes())
    assert zoo(*train, "copy", "--run", "a")[0] == 0
    data = bytearray((mnist / "train-images-idx3-ubyte").read_bytes())
    data[-5000] ^= 1
    (mnist / "train-images-idx3-ubyte").write_bytes(data)
    code, out, _ = zoo("eval", "./a", "--root", ".")
    assert code == 0 and "\nnot the data it was trained with: the images or labels of" in out
    (mnist / "copy/train-images-idx3-ubyte").write_bytes(data)
    code, out, err = zoo("eval", "./a")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "add --output FILE" in err


WRONG = {
    "no recipe": (["train", "none.toml"], "recipe 'none.toml': no such file or folder"),
    "unknown component": (
        ["train", *QUICK, "--loss", "cross_entrpy"],
        "--loss: loss 'cross_entrpy' is not installed (did you mean "
        "'cross_entropy'?); see: zoo components list losses",
    ),
    "unknown option": (
        ["train", *QUICK, "--set", "optimizer.lrr=1"],
        "--set optimizer.lrr=1: optimizer.lrr: unknown option (did you mean 'lr'?); expected one "
        "of lr, beta1, beta2, eps, weight_decay, amsgrad",
    ),
    "wrong type": (
        ["train", *QUICK, "--set", "optimizer.lr=fast"],
        "--set optimizer.lr=fast: optimizer.lr: 'fast': expected float > 0",
    ),
    "no dataset": (
        ["train"],
        "--dataset: missing; expected the name of a dataset; see: zoo components list datasets",
    ),
    "no run": (["eval", "runs/none"], "run 'runs/none': no such file or folder"),
    "no model": (["eval", "none"], "model 'none' is not in registry 'local' ("),
    "no run to publish": (
        ["publish", "none", "--name", "x"],
        "run 'none': no such file or folder",
    ),
    "no device": (
        ["train", *QUICK, "--device", "cuda:9"],
        "device 'cuda:9': torch sees 0 CUDA devices; see: zoo doctor",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_turn_is_one_line(case, here, zoo):
    arguments, message = WRONG[case]
    before = sorted(here.rglob("*"))
    code, out, err = zoo(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith(f"zoo: error: {message}"), err
    assert "Traceback" not in err and sorted(here.rglob("*")) == before
    assert err.count("\n") == (2 if case == "no dataset" else 1)


def idx(array):
    kind = {"uint8": 8}[str(array.dtype)]
    head = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    return head + array.tobytes()


@pytest.fixture
def mnist(here):
    """The four files of a tiny MNIST."""
    rng = np.random.default_rng(0)
    for name, count in (("train", 40), ("t10k", 20)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        (here / f"{name}-images-idx3-ubyte").write_bytes(idx(images))
        (here / f"{name}-labels-idx1-ubyte").write_bytes(idx(labels))
    return here


def test_the_files_of_mnist_train(mnist, zoo):
    code, _, err = zoo("train", *QUICK, "--dataset", "mnist", "--root", ".", "--run", "a")
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (
            lambda data: b"\1\2\3\4" + data[4:],
            "it begins with 01 02 03 04; an idx file begins with 00 00 08",
        ),
        (lambda data: data[:-100], "its body has 31260 bytes; its header says 31360"),
        (lambda data: data + b"x", "long"),
        (lambda data: b"", "it has 0 bytes, less than a header"),
        (None, "train-images-idx3-ubyte"),
    ],
    ids=["wrong magic", "short body", "long body", "empty", "missing"],
)
def test_a_corrupt_idx_file_is_named(harm, words, mnist, zoo):
    path = mnist / "train-images-idx3-ubyte"
    if harm is None:
        path.unlink()
    else:
        path.write_bytes(harm(path.read_bytes()))
    before = sorted(mnist.rglob("*"))
    code, out, err = zoo("train", *QUICK, "--dataset", "mnist", "--root", ".", "--run", "runs/a")
    assert (code, out, err.count("\n")) == (1, "", 1), err
    assert "train-images-idx3-ubyte" in err and words in err
    assert sorted(mnist.rglob("*")) == before


def test_labels_outside_the_classes_are_named(mnist, zoo):
    path = mnist / "t10k-labels-idx1-ubyte"
    data = bytearray(path.read_bytes())
    data[-1] = 10
    path.write_bytes(data)
    code, _, err = zoo("train", *QUICK, "--dataset", "mnist", "--root", ".")
    assert (code, err.count("\n")) == (1, 1)
    assert "1 labels outside the classes, the first is 10 of image 19; expected 0 to 9" in err


def test_an_existing_run_is_never_touched(here, zoo):
    (here / "runs/a").mkdir(parents=True)
    code, _, err = zoo("train", *QUICK, "--run", "runs/a")
    assert code == 1
    assert err == (
        "zoo: error: run folder 'runs/a' exists already; name another with --run, or remove it\n"
    )
    assert zoo("train", *QUICK, "--run", "runs/b")[0] == 0
    assert zoo("train", *QUICK, "--run", "runs/b")[2] == (
        "zoo: error: run folder 'runs/b' exists already; name another with --run, or to go on with "
        "it type: zoo resume runs/b\n"
    )


def test_a_registry_that_cannot_be_written_is_one_line(here, zoo):
    assert zoo("train", *QUICK, "--run", "runs/a")[0] == 0
    assert zoo("eval", "runs/a")[0] == 0
    (here / "reg").write_text("a file where the registry should be")
    code, out, err = zoo("publish", "runs/a", "--name", "d", *TERMS)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("zoo: error: cannot ") and "reg" in err
    assert not (here / "runs/a/README.md").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_the_run_says_so(number, code, here, start):
    command = "import sys; from zoo_cli.main import main; sys.exit(main())"
    process = start(command, "train", *QUICK, "--epochs", "100000", "--run", "runs/a")
    deadline = time.monotonic() + 60
    while not (here / "runs/a/best.safetensors").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.count("\n")) == (code, 1), err
    assert json.loads((here / "runs/a/run.json").read_text())["status"] == "interrupted"
    assert not list(here.rglob(".zoo-tmp-*"))
