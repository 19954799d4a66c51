"""Figures on other data are never kept, or published, as those of the run's own."""

import shutil

import pytest
from idx_files import write_mnist

import zoo
from zoo.errors import RunError
from zoo.runs import evaluate as evaluating
from zoo.runs import own_data

RECIPE = {
    "architecture": {"name": "linear"},
    "training": {"epochs": 1, "threads": 1, "device": "cpu"},
    "card": {"licence": "mit", "intended_use": "a test"},
}


@pytest.fixture
def mnist(here):
    """A run on a tiny MNIST in ``own/``; ``other/`` has the same ids and other images."""
    write_mnist(here / "own")
    write_mnist(here / "other", seed=1)
    return zoo.train({**RECIPE, "dataset": {"name": "mnist", "root": "own"}}, folder="runs/m")


def files(run):
    return sorted(str(one.relative_to(run.path)) for one in run.path.glob("[mp]*s/*"))


def test_its_own_data_are_measured_and_noted(mnist):
    noted = mnist.info["data"]["splits"]
    assert "content" not in noted["test"]
    done = zoo.evaluate(mnist.path)
    assert done.differs is None
    figures = mnist.metrics("test")
    test = mnist.info["data"]["splits"]["test"]
    assert figures["content"] == test["content"] and figures["fingerprint"] == test["fingerprint"]
    assert zoo.publish(mnist, "m").data["splits"]["test"]["content"] == test["content"]


def test_other_images_under_the_same_ids_are_not_its_own(mnist, here):
    done = zoo.evaluate(mnist.path, root="other")
    assert done.differs == "the images or labels of its training split differ"
    name = done.path.stem
    assert name.startswith("test-at-") and len(name) == 16
    assert files(mnist) == [f"metrics/{name}.json", f"predictions/{name}.npz"]
    with pytest.raises(RunError, match="has not been evaluated"):
        zoo.publish(mnist, "m")
    zoo.evaluate(mnist.path)
    assert zoo.evaluate(mnist.path, root="other").differs == "its images or labels differ"
    assert list(zoo.publish(mnist, "m").metrics) == ["test"]


def test_its_own_data_in_another_place_are_its_own(mnist, here):
    shutil.move(here / "own", here / "moved")
    assert zoo.evaluate(mnist.path, root="moved").differs is None
    assert zoo.publish(mnist, "m").version == 1


@pytest.mark.parametrize("evaluated", [False, True])
@pytest.mark.parametrize(("count", "why"), [(30, "its ids differ"), (20, "images or labels")])
def test_own_data_that_have_changed_are_refused(mnist, here, count, why, evaluated):
    if evaluated:
        zoo.evaluate(mnist.path)
    before = files(mnist)
    write_mnist(here / "own", seed=2, test=count)
    with pytest.raises(RunError) as caught:
        zoo.evaluate(mnist.path)
    said = str(caught.value)
    assert "run 'runs/m': split 'test' of dataset 'mnist' is not the one it was trained" in said
    assert why in said and said.endswith("to measure it as other data add --output FILE")
    assert files(mnist) == before
    done = zoo.evaluate(mnist.path, output="elsewhere/p.npz")
    assert done.path.is_file() and files(mnist) == before and why in str(done.differs)


def test_without_the_comparison_they_would_be_published(mnist, here, monkeypatch):
    """The negative control of both repros."""
    monkeypatch.setattr(evaluating, "difference", lambda *given: None)
    zoo.evaluate(mnist.path, root="other")
    assert zoo.publish(mnist, "m").version == 1


def test_figures_of_other_data_are_not_published(mnist, here, monkeypatch):
    zoo.evaluate(mnist.path)
    with monkeypatch.context() as patched:
        patched.setattr(evaluating, "difference", lambda *given: None)
        zoo.evaluate(mnist.path, root="other")  # as a zoo that did not look would have left it
    with pytest.raises(RunError) as caught:
        zoo.publish(mnist, "m")
    assert str(caught.value) == (
        "run 'runs/m': the figures on 'test' are of other data than the run's own; "
        "type: zoo eval runs/m --split test"
    )


def test_predictions_of_other_data_are_not_published(mnist):
    zoo.evaluate(mnist.path)
    zoo.evaluate(mnist.path, split="val")
    shutil.copy(mnist.predictions_path("val"), mnist.predictions_path("test"))
    with pytest.raises(RunError, match="'test' are of other data than its predictions"):
        zoo.publish(mnist, "m")


def test_output_leaves_the_run_alone(mnist):
    zoo.evaluate(mnist.path)
    before = {path: path.read_bytes() for path in mnist.path.rglob("*") if path.is_file()}
    done = zoo.evaluate(mnist.path, output="p.npz")
    assert done.metrics and done.path.is_file()
    assert {p: p.read_bytes() for p in mnist.path.rglob("*") if p.is_file()} == before
    assert zoo.publish(mnist, "m").version == 1


def test_a_version_knows_its_own_data_too(mnist, here):
    zoo.evaluate(mnist.path)
    zoo.publish(mnist, "m")
    assert zoo.evaluate("m@1", root="own").path.as_posix() == "predictions/m-1/test.npz"
    for split in ("test", "val"):
        other = zoo.evaluate("m@1", split=split, root="other")
        assert other.differs and other.path.stem.startswith(f"{split}-at-")


def test_the_training_split_is_not_read_again_once_a_split_is_noted(mnist, monkeypatch):
    zoo.evaluate(mnist.path)
    monkeypatch.setattr(own_data, "_trained_on", lambda *given: pytest.fail("read again"))
    zoo.evaluate(mnist.path)
    assert zoo.evaluate(mnist.path, split="train").differs is None
