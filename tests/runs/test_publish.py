"""From a run to a version that a stranger can load, and what is refused on the way."""

import json

import numpy as np
import pytest
from huggingface_hub import ModelCard
from PIL import Image

import zoo
from zoo.errors import RegistryError, RunError, StorageError, ZooError, ZooWarning
from zoo.predictions import metrics
from zoo.predictions.file import load_predictions
from zoo.predictions.intervals import Plan
from zoo.registry.config import open_registry
from zoo.registry.listing import rows
from zoo.runs import publish as publishing
from zoo.runs.folder import RunFolder
from zoo.storage import limits, strict_json, tensors


def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    return np.rint(data.images * 255 / 16).astype(np.uint8), data.target


def test_what_is_loaded_answers_as_what_was_trained(run, here):
    record = zoo.publish(run, "digits-linear")
    assert (record.model, record.version) == ("digits-linear", 1)
    model = zoo.load("digits-linear@1", device="cpu")
    images, labels = digits()
    predicted = model.predict(list(images[:200]))
    right = np.mean(
        [int(name) == label for name, label in zip(predicted.classes, labels[:200], strict=True)]
    )
    assert right > 0.9
    assert predicted.probabilities.shape == (200, 10)
    assert np.allclose(predicted.probabilities.sum(axis=1), 1, atol=1e-5)
    Image.fromarray(images[3]).save(here / "three.png")
    one = model.predict(here / "three.png")
    assert np.allclose(one.probabilities[0], predicted.probabilities[3], atol=1e-5)


def test_evaluating_the_version_gives_the_runs_figures(run, here):
    zoo.publish(run, "digits-linear")
    again = zoo.evaluate("digits-linear", device="cpu")
    written = run.metrics("test")
    for key in ("weights_sha256", "fingerprint", "content"):
        written.pop(key)
    assert again.metrics == written
    assert again.path.is_file()


def test_versions_count_up_and_the_card_holds_the_figures(run, here):
    zoo.publish(run, "digits-linear")
    record = zoo.publish(run, "digits-linear")
    assert (record.version, record.prev is not None) == (2, True)
    card = ModelCard((run.path / "README.md").read_text())
    results = {one.metric_type: one.metric_value for one in card.data.eval_results}
    assert results["accuracy"] == run.metrics("test")["accuracy"]
    assert card.data.license == "apache-2.0"
    assert "digits-linear@2" in card.text


def test_the_record_holds_no_path(run, here):
    record = zoo.publish(run, "digits-linear")
    text = record.to_bytes().decode()
    assert str(here) not in text and "root" not in json.loads(text)["recipe"]["dataset"]


@pytest.mark.parametrize("missing", ["licence", "intended_use"])
def test_missing_terms_are_refused_by_the_flags_name(missing, run, here):
    text = (run.path / "recipe.toml").read_text()
    value = {"licence": "apache-2.0", "intended_use": "a test"}[missing]
    (run.path / "recipe.toml").write_text(text.replace(f'{missing} = "{value}"', f'{missing} = ""'))
    flag = missing.replace("_", "-")
    with pytest.raises(RunError) as caught:
        zoo.publish(run, "digits-linear")
    assert (
        str(caught.value) == f"a published model says its terms; give --{flag} (or card.{missing})"
    )
    assert not (here / "registry").exists()
    assert zoo.publish(run, "digits-linear", **{missing: "mit"}).version == 1


def change_weights(run):
    path = run.path / "best.safetensors"
    held = tensors.load(path)
    name = next(iter(held))
    held[name] = held[name] + 1
    tensors.save(path, held)


def change_metrics(run):
    path = run.metrics_path("test")
    path.write_text(json.dumps({**json.loads(path.read_text()), "accuracy": 1.0}))


def remove_metrics(run):
    run.metrics_path("test").unlink()


def damage_predictions(run):
    path = run.predictions_path("test")
    path.write_bytes(path.read_bytes()[:-50])


def remove_weights(run):
    (run.path / "best.safetensors").unlink()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (change_weights, "the figures on 'test' are of other weights; type: zoo eval"),
        (change_metrics, "the figures on 'test' are not those of its predictions; type: zoo eval"),
        (remove_metrics, "has not been evaluated; type: zoo eval"),
        (damage_predictions, "cannot be used: BadZipFile"),
        (remove_weights, "has kept no weights yet: no epoch was completed"),
    ],
)
def test_what_does_not_hold_is_not_published(harm, message, run, here):
    harm(run)
    with pytest.raises(ZooError, match=message) as caught:
        zoo.publish(run, "digits-linear")
    assert "\n" not in str(caught.value)
    assert not (here / "registry/models/digits-linear/versions").exists()


def test_names_are_checked(run, here):
    for name in ("Digits", "../x", "con", "a b", "", "x" * 65):
        with pytest.raises(RegistryError):
            zoo.publish(run, name)
    assert not (here / "registry").exists()


def test_unknown_models_and_runs_are_named(run, here):
    zoo.publish(run, "digits-linear")
    with pytest.raises(
        RegistryError, match=r"model 'digits-liner' is not in registry .*did you mean"
    ):
        zoo.load("digits-liner")
    with pytest.raises(RegistryError, match="has no version 7; the newest is 1"):
        zoo.load("digits-linear@7")
    with pytest.raises(RegistryError, match=r"model 'cpoy' is not in .*; there is a run 'copy'$"):
        zoo.evaluate("cpoy")
    with pytest.raises(
        RegistryError, match=r"model 'cpoy' is not in registry '[^;]*; see: zoo models list$"
    ):
        zoo.evaluate("cpoy@1")


def test_a_damaged_blob_is_never_loaded(run, here):
    record = zoo.publish(run, "digits-linear")
    digest = record.weights_sha256
    blob = here / "registry/blobs/sha256" / digest[:2] / digest
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.chmod(0o644)
    blob.write_bytes(data)
    with pytest.raises(StorageError, match="is damaged: its sha256 is not"):
        zoo.load("digits-linear")


@pytest.mark.parametrize("status", ["running", "failed", "interrupted", None])
def test_only_a_finished_run_is_published(status, run, here):
    run.update(status=status)
    with pytest.raises(RunError) as caught:
        zoo.publish(run, "m")
    assert str(caught.value) == (
        f"run {str(run.path)!r} is {status}, not finished; only a finished run is published; to "
        f"go on with it type: zoo resume {run.path}"
    )
    for path in (run.path / "checkpoints").iterdir():
        path.unlink()
    with pytest.raises(RunError, match=r"; to train it again type: zoo train .*/recipe\.toml$"):
        zoo.publish(run, "m")
    assert not (here / "registry").exists()
    run.update(status="finished")
    assert zoo.publish(run, "m").version == 1


def test_a_card_that_cannot_be_left_in_the_run_is_a_warning(run, here, monkeypatch):
    real = publishing.commit.write

    def write(path, data):
        if path.name == "README.md":
            raise StorageError("cannot write 'README.md': the disk is full")
        real(path, data)

    monkeypatch.setattr(publishing.commit, "write", write)
    with pytest.warns(ZooWarning) as caught:
        record = zoo.publish(run, "m")
    assert [str(one.message) for one in caught] == [
        "m@1 is published, but its card is not in the run's folder: cannot write 'README.md': the "
        "disk is full"
    ]
    assert zoo.load("m@1", device="cpu").record == record


def test_many_classes(made_data, here):
    recipe = {
        "dataset": {"name": "made", "classes": 1000, "samples": 2000},
        "architecture": {"name": "linear"},
        "training": {"epochs": 1, "threads": 1, "device": "cpu"},
        "card": {"licence": "mit", "intended_use": "a test"},
    }
    run = zoo.train(recipe, folder="runs/many")
    zoo.evaluate(run.path)
    record = zoo.publish(run, "many")
    assert len(strict_json.dumps(run.metrics("test"))) > limits.RECORD_BYTES
    assert len(record.to_bytes()) < limits.RECORD_BYTES // 2
    numbers = {k: v for k, v in run.metrics("test").items() if not isinstance(v, str | list | dict)}
    assert record.metrics["test"] == numbers and {"accuracy", "auroc", "log_loss"} < {*numbers}
    whole = json.loads(open_registry().read_file(record, "metrics/test.json"))
    assert len(whole["confusion"]) == len(whole["per_class"]) == 1000
    assert rows(open_registry()).rows[0].metric == ("test", "accuracy", whole["accuracy"])


def test_the_card_has_what_the_record_has_not(run, here):
    record = zoo.publish(run, "m")
    assert "confusion" not in record.metrics["test"]
    assert "### Confusion matrix, test" in (run.path / "README.md").read_text()
    whole = json.loads(open_registry().read_file(record, "metrics/test.json"))
    assert whole == metrics.evaluate(load_predictions(run.predictions_path("test")), Plan())


def test_a_split_without_labels_is_predicted_and_measures_nothing(made_data, here):
    recipe = {
        "dataset": {"name": "made", "unlabelled": True},
        "architecture": {"name": "linear"},
        "training": {"epochs": 1, "threads": 1, "device": "cpu"},
    }
    run = zoo.train(recipe, folder="runs/u")
    done = zoo.evaluate(run.path)
    assert (done.samples, done.metrics, done.differs) == (7, {}, None)
    assert load_predictions(done.path).targets is None
    assert not run.metrics_path("test").exists()


def test_a_foreign_folder_is_no_run(here):
    (here / "x").mkdir()
    with pytest.raises(RunError, match=r"holds no run\.json: it is not a run's folder"):
        RunFolder.open(here / "x")
