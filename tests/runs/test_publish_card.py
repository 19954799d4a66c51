"""What a published run's card and record hold: own text, pictures, lineage; and the new process
that everything goes through."""

import io
import json

import pytest
from PIL import Image

import zoo
from zoo.errors import RegistryError, RunError, ZooWarning
from zoo.registry import fresh
from zoo.registry.cards.card_text import BEGIN, CARD_BYTES, END, own_text
from zoo.registry.config import open_registry
from zoo.registry.fresh import FreshProcess
from zoo.registry.record import division
from zoo.runs import publish as publishing


def card_of(record):
    return open_registry().read_file(record, "README.md").decode()


def write_into_card(run, text):
    path = run.path / "README.md"
    path.write_text(path.read_text().replace(f"{BEGIN}\n", f"{BEGIN}\n{text}\n"))


def test_what_people_write_into_a_card_is_kept(run, here):
    zoo.publish(run, "m")
    write_into_card(run, "## Ours\n\nSeen *twice*.")
    second = zoo.publish(run, "m")
    assert own_text(card_of(second)) == "## Ours\n\nSeen *twice*."
    (run.path / "README.md").unlink()  # as another run's folder would have none
    third = zoo.publish(run, "m")
    assert own_text(card_of(third)) == "## Ours\n\nSeen *twice*."
    assert "zoo.load(" + '"m@3")' in card_of(third)
    write_into_card(run, "Other words.\n")
    assert own_text(card_of(zoo.publish(run, "m"))).startswith("Other words.")
    assert own_text(card_of(zoo.publish(run, "another"))).startswith("Other words.")


def test_the_text_of_a_yanked_version_is_kept_and_that_of_a_damaged_one_is_a_warning(run, here):
    (run.path / "README.md").write_text(f"{BEGIN}\nmine\n{END}")
    first = zoo.publish(run, "m")
    open_registry().yank("m", 1)
    (run.path / "README.md").unlink()
    second = zoo.publish(run, "m")
    assert own_text(card_of(first)) == own_text(card_of(second)) == "mine"
    (run.path / "README.md").unlink()
    digest = second.file("README.md")["sha256"]
    blob = here / "registry/blobs/sha256" / digest[:2] / digest
    blob.chmod(0o644)
    blob.write_bytes(b"x")
    with pytest.warns(ZooWarning, match=r"^the card of model 'm' version 2 cannot be read, so its"):
        third = zoo.publish(run, "m")
    assert own_text(card_of(third)) == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "is no text in UTF-8"),
        (b"x" * (CARD_BYTES + 1), "is longer than 1048576 bytes"),
        (f"{BEGIN}\nhf_{'a' * 30}\n{END}".encode(), "card: 'hf_a…' is a Hugging Face token, which"),
        (f"{BEGIN}\n{'x' * 60_000}\n{END}".encode(), "has 60000 letters; expected 50000 at most"),
    ],
)
def test_a_card_that_cannot_be_taken_over_is_refused(content, said, run, here):
    (run.path / "README.md").write_bytes(content)
    with pytest.raises((RunError, RegistryError, zoo.ZooError), match=said) as caught:
        zoo.publish(run, "m")
    assert str(caught.value).isprintable()
    assert not (here / "registry").exists()
    assert (run.path / "README.md").read_bytes() == content


def test_the_confusion_matrix_is_a_picture_of_the_version_and_in_the_runs_folder(run, here):
    record = zoo.publish(run, "m")
    data = open_registry().read_file(record, "confusion-test.png")
    assert (run.path / "confusion-test.png").read_bytes() == data
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.width) == ("PNG", 990)
    assert "![Confusion matrix, test](confusion-test.png)" in card_of(record)
    again = zoo.publish(run, "m")
    assert again.file("confusion-test.png") == record.file("confusion-test.png")


def test_too_many_classes_for_a_picture(made_data, here):
    recipe = {
        "dataset": {"name": "made", "classes": 101, "samples": 202},
        "architecture": {"name": "linear"},
        "training": {"epochs": 1, "threads": 1, "device": "cpu"},
        "card": {"licence": "mit", "intended_use": "a test"},
    }
    run = zoo.train(recipe, folder="runs/many")
    zoo.evaluate(run.path)
    record = zoo.publish(run, "many")
    assert not [file for file in record.files if file["path"].startswith("confusion")]
    assert "Confusion" not in card_of(record)


def test_a_record_says_where_it_was_made_and_which_samples_are_where(run, here):
    record = zoo.publish(run, "m")
    told = record.environment
    assert {"python", "torch", "torchvision", "timm", "numpy", "zoo", "device", "threads"} <= {
        *told
    }
    assert told["platform"].split()[0] in ("Linux", "Darwin", "Windows")
    assert record.data["division"] == division(record.data["splits"])
    assert record.data["division"] == zoo.publish(run, "other").data["division"]


def test_a_model_knows_the_version_it_was_initialized_from(run, here):
    parent = zoo.publish(run, "parent")
    digest = open_registry().digest(parent)
    recipe = run.path / "recipe.toml"
    child = zoo.train(recipe, folder="runs/child", overrides={"transfer.init": "parent"})
    expected = {"model": "parent", "version": 1, "digest": digest}
    assert child.info["initialized"]["parent"] == expected
    zoo.evaluate(child.path)
    zoo.publish(run, "parent")  # a newer one, which had no part in it
    record = zoo.publish(child, "child")
    assert record.parents == [{"kind": "initialized_from", **expected}]
    assert f"| initialized from | parent@1 | sha256:{digest} |" in card_of(record)
    assert parent.parents is None
    other = zoo.train(recipe, folder="runs/other", overrides={"transfer.init": str(child.path)})
    assert other.info["initialized"]["parent"] is None


@pytest.mark.parametrize("parent", [{"model": "../x", "version": 1, "digest": "a" * 64}, {"x": 1}])
def test_a_parent_that_is_none_is_refused(parent, run, here):
    info = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**info, "initialized": {"parent": parent}}))
    with pytest.raises(RegistryError, match="the record of model 'm' is not one of zoo's: "):
        zoo.publish(run, "m")
    assert not (here / "registry").exists()


def test_weights_that_change_while_they_are_published_are_refused(run, here, monkeypatch):
    real = publishing.release

    def swapped(*given, **named):
        (run.path / "best.safetensors").write_bytes((run.path / "other").read_bytes())
        return real(*given, **named)

    zoo.train(run.path / "recipe.toml", folder="runs/o", overrides={"training.seed": 5})
    (run.path / "other").write_bytes((here / "runs/o/best.safetensors").read_bytes())
    monkeypatch.setattr(publishing, "release", swapped)
    with pytest.raises(RegistryError, match="the weights are no longer those that were measured"):
        zoo.publish(run, "m")
    assert not (here / "registry/models/m").exists()


class TestInANewProcess:
    @pytest.fixture
    def gate_in_process(self):
        """Not here."""

    def test_a_run_is_published_through_it(self, run, here, monkeypatch):
        asked = []
        real = FreshProcess.check
        monkeypatch.setattr(
            FreshProcess, "check", lambda *given: (asked.append(given[3]), real(*given))
        )
        record = zoo.publish(run, "m")
        assert asked == [record.weights_sha256]
        assert zoo.load("m@1", device="cpu").record == record

    def test_one_that_fails_there_is_not_published(self, run, here, monkeypatch):
        monkeypatch.setattr(fresh, "_COMMAND", ("-c", "import sys; sys.exit('no torch here')"))
        with pytest.raises(RegistryError, match=r"exit code 1: no torch here$"):
            zoo.publish(run, "m")
        assert not (here / "registry/models/m").exists()
        assert not list((here / "registry/tmp").iterdir())
