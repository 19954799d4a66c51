"""A published ensemble: loaded in a new process it says what it said, and its members stay."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ensemble_plugin import install
from PIL import Image

import zoo
from zoo.errors import RegistryError, RunError, ZooWarning
from zoo.plugins.catalog import catalog
from zoo.predictions.file import load_predictions
from zoo.registry import pulling
from zoo.registry.config import open_registry
from zoo.registry.ensemble import Ensemble
from zoo.registry.upkeep.collection import collect
from zoo.runs.ensemble_publish import publish_ensemble

PREDICT = """
import sys, numpy as np, zoo
images = np.load(sys.argv[2])
said = zoo.load(sys.argv[1], device="cpu").predict(list(images))
np.save(sys.argv[3], said.probabilities)
"""


def spots(architecture, size, seed=0):
    return {
        "dataset": {"name": "blobs"},
        "architecture": {"name": architecture},
        "data": {"size": size},
        "training": {"epochs": 2, "threads": 1, "device": "cpu", "seed": seed, "batch_size": 16},
        "card": {"licence": "apache-2.0", "intended_use": "a test"},
    }


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    folder = install(tmp_path / "site")
    monkeypatch.syspath_prepend(folder)
    catalog.cache_clear()
    yield folder
    sys.modules.pop("zoo_spots", None)
    catalog.cache_clear()


@pytest.fixture
def pair(plugin, here):
    """A simple_cnn that sees 28x28 pixels, and timm's network that sees 64x64."""
    zoo.train(spots("simple_cnn", 28), folder="runs/cnn")
    zoo.train(spots("timm_net", 64), folder="runs/timm")
    return ["runs/cnn", "runs/timm"]


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (9, 28, 28), dtype=np.uint8)


def in_a_new_process(here, reference, images, path):
    np.save(here / "images.npy", images)
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, reference, "images.npy", "said.npy"],
        check=False,
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(path), "ZOO_PLUGINS": ""},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return np.load(here / "said.npy")


def test_of_members_that_saw_other_samples_the_record_does_not_say_which(plugin, here):
    """So that whoever uses it as a member is told that nobody knows what it saw."""
    for name, fraction in (("all", 1.0), ("half", 0.5)):
        recipe = spots("simple_cnn", 28)
        zoo.train({**recipe, "split": {"fraction": fraction}}, folder=f"runs/{name}")
    record = publish_ensemble(zoo.ensemble(["runs/all", "runs/half"]), "both")
    assert sorted(record.data["splits"]) == ["test", "val"]
    warning = "member 'both@1' does not say what it was trained on"
    with pytest.warns(ZooWarning, match=warning):
        zoo.ensemble(["both@1", "runs/all"])


class TestOfAnySize:
    def test_a_new_process_predicts_the_same(self, pair, plugin, here, images):
        made = zoo.ensemble(pair, method="weighted", average="geometric")
        record = publish_ensemble(made, "both")
        assert record.ensemble["method"] == "weighted"
        here_and_now = zoo.load("both@1", device="cpu").predict(list(images)).probabilities
        there = in_a_new_process(here, "both@1", images, plugin)
        assert np.abs(there - here_and_now).max() <= 1e-6
        assert np.allclose(there.sum(1), 1, atol=1e-6)

    def test_it_says_what_its_members_say_and_what_was_measured(self, pair, here, images):
        made = zoo.ensemble(pair)
        record = publish_ensemble(made, "both")
        model = zoo.load("both", device="cpu")
        assert isinstance(model, Ensemble)
        each = [zoo.load(f"{one['model']}@{one['version']}", device="cpu")
                for one in record.ensemble["members"]]  # fmt: skip
        assert [one.preprocessing.size for one in each] == [(28, 28), (64, 64)]
        given = [*images, Image.fromarray(images[0]).resize((40, 20))]
        mean = np.mean([one.predict(given).probabilities for one in each], axis=0)
        said = model.predict(given)
        assert np.abs(said.probabilities - mean).max() <= 1e-6
        assert said.classes == [record.task.classes[one] for one in mean.argmax(1)]
        measured = load_predictions(zoo.evaluate("both@1", output="x.npz").path)
        kept = load_predictions(made.folder / "predictions/test.npz")
        assert np.abs(measured.probabilities - kept.probabilities).max() <= 1e-6
        assert measured.source_digest == open_registry().digest(record)
        metrics = json.loads(open_registry().read_file(record, "metrics/test.json"))
        assert metrics["accuracy"] == made.report["ensemble"]["test"]
        assert record.metrics["test"]["accuracy"] == metrics["accuracy"]
        assert record.intervals["test"]["accuracy"][2] == 0.95

    @pytest.mark.parametrize("method", ["vote", "stack", "greedy"])
    def test_every_method_is_loaded_as_it_was_measured(self, pair, here, method):
        made = zoo.ensemble(pair, method=method, tta="hflip" if method == "vote" else None)
        record = publish_ensemble(made, "both")
        measured = load_predictions(zoo.evaluate("both@1", output="x.npz").path)
        kept = load_predictions(made.folder / "predictions/test.npz")
        assert np.abs(measured.probabilities - kept.probabilities).max() <= 1e-6
        assert np.array_equal(measured.decisions, kept.decisions)
        # What learnt on val is not measured there.
        assert set(record.metrics) == ({"test", "val"} if method == "vote" else {"test"})
        assert (record.ensemble["options"].get("tta") == "hflip") == (method == "vote")

    def test_calibrated_members_answer_as_they_are_calibrated(self, runs, here):
        for run in runs[:2]:
            zoo.evaluate(run, split="val", calibrate=True, draws=0)
        made = zoo.ensemble(runs)
        record = publish_ensemble(made, "all")
        members = [open_registry().record(one["model"]) for one in record.ensemble["members"]]
        assert [one.calibration is None for one in members] == [False, False, True]
        measured = load_predictions(zoo.evaluate("all@1", output="x.npz").path)
        kept = load_predictions(made.folder / "predictions/test.npz")
        assert np.abs(measured.probabilities - kept.probabilities).max() <= 1e-6
        each = [load_predictions(Path(run) / "predictions/test.npz") for run in runs]
        assert each[0].temperature not in (None, 1.0)
        mean = np.mean([one.probabilities for one in each], axis=0)
        assert np.allclose(kept.probabilities, mean, atol=1e-6)

    def test_without_the_plugin_of_a_member_it_is_one_line(self, pair, plugin, here):
        publish_ensemble(zoo.ensemble(pair), "both")
        sys.path.remove(str(plugin))
        catalog.cache_clear()
        with pytest.raises(RegistryError) as caught:
            zoo.load("both")
        assert str(caught.value) == (
            "architecture 'timm_net': the record says that it comes from zoo-spots 1.0, which is "
            "not installed; only if you trust that package, type: pip install zoo-spots==1.0"
        )
        with pytest.raises(RegistryError, match="'timm_net': the record says"):
            zoo.ensemble(["both@1", "runs/cnn"])


class TestMembers:
    def test_they_are_published_once_and_again_used(self, runs, here):
        made = zoo.ensemble(runs)
        first, second = publish_ensemble(made, "all"), publish_ensemble(made, "all")
        assert (first.version, second.version) == (1, 2)
        assert first.ensemble["members"] == second.ensemble["members"]
        names = [one["model"] for one in first.ensemble["members"]]
        assert names == ["all-member-1", "all-member-2", "all-member-3"]
        assert open_registry().versions("all-member-1") == [1]

    def test_versions_are_named_as_they_are(self, runs, here):
        zoo.evaluate(runs[0], draws=0)
        one = zoo.publish(runs[0], "first")
        record = publish_ensemble(zoo.ensemble(["first", *runs[1:]]), "all")
        assert [one["model"] for one in record.ensemble["members"]] == [
            "first", "all-member-2", "all-member-3",
        ]  # fmt: skip
        assert record.ensemble["members"][0]["digest"] == open_registry().digest(one)

    def test_those_of_another_registry_are_copied(self, runs, here):
        (here / "registry.toml").write_text(
            'default = "local"\n[registry.local]\nurl = "registry"\n'
            '[registry.other]\nurl = "other"\n'
        )
        zoo.evaluate(runs[0], draws=0)
        zoo.publish(runs[0], "first")
        record = publish_ensemble(zoo.ensemble(["first", *runs[1:]]), "all", registry="other")
        other = open_registry("other")
        assert other.models() == ["all", "all-member-2", "all-member-3", "first"]
        assert open_registry().models() == ["first"]
        assert zoo.load("other:all").record == record

    def test_one_that_does_not_count_is_left_out(self, runs, here):
        made = zoo.ensemble(runs, method="greedy")
        rows = made.report["members"]
        record = publish_ensemble(made, "all")
        counting = [n for n, one in enumerate(rows, 1) if one["weight"] > 0]
        names = [one["model"] for one in record.ensemble["members"]]
        assert names == [f"all-member-{number}" for number in counting]
        assert sum(record.ensemble["options"]["weights"]) == pytest.approx(1)

    def test_pull_brings_them_and_collection_keeps_them(self, runs, here):
        record = publish_ensemble(zoo.ensemble(runs), "all")
        pulled = pulling.pull("all@1", "there")
        assert [one.record.model for one in pulled.members] == [
            "all-member-1", "all-member-2", "all-member-3",
        ]  # fmt: skip
        kept = open_registry()
        for _ in range(2):  # to the trash, and out of it
            collect(kept.tree, "here", grace=0, apply=True)
        for one in (record, *(member.record for member in pulled.members)):
            for file in one.files:
                kept.read_file(one, file["path"])
        zoo.load("all@1")

    def test_an_ensemble_of_an_ensemble(self, runs, here):
        publish_ensemble(zoo.ensemble(runs[:2]), "two")
        made = zoo.ensemble(["two", runs[2]])
        record = publish_ensemble(made, "all")
        assert [one["model"] for one in record.ensemble["members"]] == ["two", "all-member-2"]
        measured = load_predictions(zoo.evaluate("all@1", output="x.npz").path)
        kept = load_predictions(made.folder / "predictions/test.npz")
        assert np.abs(measured.probabilities - kept.probabilities).max() <= 1e-6
        with pytest.raises(RunError, match="'two@1' is an ensemble; give its members"):
            zoo.ensemble(["two", runs[2]], tta="hflip")


class TestWhatIsNotPublished:
    def test_predictions_files(self, files, here):
        made = zoo.ensemble([path for pair in files for path in pair])
        with pytest.raises(RunError) as caught:
            publish_ensemble(made, "all", licence="mit", intended_use="x")
        assert str(caught.value) == (
            "member 'a' is a predictions file, and nobody could load it; to publish give the run "
            "or the model it is of"
        )
        assert not (here / "registry/models").exists()

    def test_without_terms(self, runs, here):
        for run in runs:
            path = Path(run) / "recipe.toml"
            path.write_text(path.read_text().replace('"apache-2.0"', '""'))
        with pytest.raises(RegistryError) as caught:
            publish_ensemble(zoo.ensemble(runs), "all")
        assert str(caught.value) == (
            "model 'all': the card of a published model says a licence; here that is missing"
        )
        assert not (here / "registry/models").exists()

    def test_what_was_fitted_on_val_and_measured_nowhere_else(self, runs, here):
        made = zoo.ensemble(runs, method="weighted", split="val")
        with pytest.raises(RunError) as caught:
            publish_ensemble(made, "all")
        assert str(caught.value) == (
            "method 'weighted' learns on 'val', so a version needs figures on another split; add "
            "--split test"
        )

    def test_a_name_whose_members_would_have_no_name(self, runs, here):
        with pytest.raises(RegistryError, match="its members would be named as"):
            publish_ensemble(zoo.ensemble(runs), "a" * 60)

    def test_overlaps_stand_in_the_record(self, runs, here, monkeypatch):
        from zoo.runs import ensemble_overlap

        monkeypatch.setattr(
            ensemble_overlap, "_overlap",
            lambda member, *_, **__: ensemble_overlap.Overlap(member.name, "test", "saw it", True)
            if member.name == "b" else None,
        )  # fmt: skip
        with pytest.warns(ZooWarning, match="'b' saw it"):
            made = zoo.ensemble(runs, allow_overlap=True)
        record = publish_ensemble(made, "all")
        assert record.ensemble["options"]["overlaps"][0] == {
            "member": "b", "split": "test", "why": "saw it", "known": True,
        }  # fmt: skip
        assert "saw it" in open_registry().read_file(record, "README.md").decode()
