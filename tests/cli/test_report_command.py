"""``zoo report`` on the command line."""

import shutil

import pytest

import zoo as library

RECIPE = {
    "dataset": {"name": "digits"},
    "split": {"fraction": 0.2},
    "architecture": {"name": "linear"},
    "optimizer": {"name": "adam", "lr": 0.01},
    "training": {"epochs": 2, "threads": 1, "device": "cpu"},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "trained"
    library.train(RECIPE, folder=path)
    library.evaluate(path, draws=200)
    return path


@pytest.fixture
def run(trained, here):
    shutil.copytree(trained, here / "runs" / "one")
    return here / "runs" / "one"


def test_a_run_by_its_name(zoo, run, here):
    assert zoo("report", "one") == (0, "report: runs/one/report.html (one on test)\n", "")
    assert (run / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_with_figures_under_another_name(zoo, run, here):
    code, out, err = zoo("report", "runs/one", "-o", "a.html", "--figures", "pictures")
    count = len([*(here / "pictures").iterdir()])
    assert (code, err) == (0, "")
    assert out == f"report: a.html (one on test)\nfigures: pictures ({count} files)\n"
    assert count >= 24
    assert not (run / "report.html").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("runs/one", "--split", "tests"),
         "run 'one' has no split 'tests' (did you mean 'test'?); expected one of train, val, test"),
        (("runs/one", "-o", "report"),
         "output 'report': expected the name of a file that ends in .html"),
        (("runs/none",), "run 'runs/none': no such file or folder (did you mean 'runs/one'?)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(zoo, run, given, said):
    assert zoo("report", *given) == (1, "", f"zoo: error: {said}\n")
    assert not (run / "report.html").exists()


def test_it_takes_no_torch(start, run, here):
    """Which would take longer to start than the report takes to make."""
    code = (
        "import sys\nfrom zoo_cli.main import main\ncode = main(['report', 'runs/one'])\n"
        "print(code, 'torch' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    out, err = start(code).communicate(timeout=60)
    assert out.splitlines()[-1] == "0 False False", err
