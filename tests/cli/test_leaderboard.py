"""``zoo models list --sort``: a leaderboard of records."""

import json
import subprocess
import sys

import pytest

from zoo.registry.record import Draft
from zoo.registry.store import Registry
from zoo.tasks import Task

TWO = Task.binary(["no", "yes"], positive="yes")
THREE = Task.multiclass(["a", "b", "c"])
MODELS = {
    # name: dataset, task, by split the figures, intervals
    "worst": ("pets", TWO, {"test": {"auroc": 0.7, "log_loss": 0.9}}, None),
    "best": ("pets", TWO, {"test": {"auroc": 0.9, "log_loss": 0.2}},
             {"test": {"auroc": [0.85, 0.95, 0.95]}}),
    "b-tied": ("pets", TWO, {"test": {"auroc": 0.8}, "val": {"auroc": 0.99}}, None),
    "a-tied": ("pets", TWO, {"test": {"auroc": 0.8}}, None),
    "undefined": ("pets", TWO, {"test": {"auroc": None, "accuracy": 0.5}}, None),
    "unmeasured": ("pets", TWO, {}, None),
    "other": ("cars", THREE, {"test": {"auroc": 0.99}}, None),
}  # fmt: skip


def draft(name, dataset, task, metrics, intervals):
    return Draft.of(
        model=name,
        task=task,
        preprocessing={},
        architecture={"name": "mlp", "options": {}, "in_channels": 3, "image_size": [28, 32]},
        plugin={"entry": "basics", "distribution": "zoo-basics", "version": "0.1.0"},
        recipe={},
        data={"dataset": dataset, "fingerprint": "sha256:0", "splits": {}},
        metrics=metrics,
        intervals=intervals,
        licence="mit",
        environment={},
        weights="best",
    )


@pytest.fixture
def registry(here):
    (here / "registry.toml").write_text('default = "local"\n[registry.local]\nurl = "published"\n')
    registry = Registry.at(here / "published")
    for name, given in MODELS.items():
        registry.publish(draft(name, *given), {"model.safetensors": b"weights"})
    return registry


def names(answer):
    code, out, err = answer
    assert (code, err) == (0, "")
    return [row["name"] for row in json.loads(out)]


def test_the_best_first_ties_by_name_missing_last(registry, zoo):
    found = names(zoo("models", "list", "--dataset", "pets", "--sort", "auroc", "--json"))
    assert found == ["best", "a-tied", "b-tied", "worst", "undefined", "unmeasured"]


def test_of_a_loss_the_lowest_is_best(registry, zoo):
    found = names(zoo("models", "list", "--dataset", "pets", "--sort", "log_loss", "--json"))
    assert found[:2] == ["best", "worst"]
    assert found[2:] == sorted(found[2:])


def test_another_split_another_task_and_all_of_them(registry, zoo):
    found = names(zoo("models", "list", "--sort", "auroc", "--split", "val", "--json"))
    assert found[0] == "b-tied"
    assert names(zoo("models", "list", "--task", "multiclass", "--json")) == ["other"]
    assert names(zoo("models", "list", "--sort", "auroc", "--json"))[0] == "other"


def test_the_table_has_the_interval(registry, zoo):
    _, out, _ = zoo("models", "list", "--dataset", "pets", "--sort", "auroc")
    header, first, second, *_, last = out.splitlines()
    assert header.split()[:7] == ["MODEL", "LATEST", "TASK", "DATASET", "ARCHITECTURE", "TEST",
                                  "AUROC"]  # fmt: skip
    assert "0.9000 (0.8500 to 0.9500)" in first
    assert " 0.8000 " in second
    assert last.split()[:6] == ["unmeasured", "1", "binary", "pets", "mlp", "-"]


def test_the_newest_version_stands(registry, zoo):
    registry.publish(
        draft("worst", "pets", TWO, {"test": {"auroc": 0.95}}, None),
        {"model.safetensors": b"better"},
    )
    _, out, _ = zoo("models", "list", "--dataset", "pets", "--sort", "auroc", "--json")
    first = json.loads(out)[0]
    assert (first["name"], first["latest"]) == ("worst", 2)
    assert first["sorted_by"] == {
        "split": "test", "name": "auroc", "value": 0.95, "interval": None,
    }  # fmt: skip


def test_pages_are_those_of_the_order(registry, zoo, monkeypatch):
    monkeypatch.setattr("zoo_cli.models.PAGE", 4)
    arguments = ["models", "list", "--dataset", "pets", "--sort", "auroc"]
    _, out, err = zoo(*arguments)
    assert [line.split()[0] for line in out.splitlines()[1:]] == [
        "best", "a-tied", "b-tied", "worst",
    ]  # fmt: skip
    assert err == "page 1 of 2; 6 models; next: zoo models list --page 2, or --all\n"
    assert names(zoo(*arguments, "--page", "2", "--json")) == ["undefined", "unmeasured"]
    assert len(names(zoo(*arguments, "--all", "--json"))) == 6
    # Without an order too.
    assert names(zoo("models", "list", "--page", "2", "--json")) == [
        "undefined", "unmeasured", "worst",
    ]  # fmt: skip


REFUSED = {
    "another figure": (
        ["--dataset", "pets", "--sort", "aurok"],
        "none of these models has 'aurok' on split 'test' (did you mean 'auroc'?); expected one of "
        "accuracy, auroc, log_loss",
    ),
    "another split": (
        ["--sort", "auroc", "--split", "train"],
        "none of these models was measured on split 'train'",
    ),
    "another dataset": (
        ["--dataset", "pet", "--sort", "auroc"],
        "no model in registry 'local' ({folder}) is of dataset 'pet' (did you mean 'pets'?)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_nobody_has_is_told_in_a_line(case, registry, here, zoo):
    arguments, message = REFUSED[case]
    said = message.format(folder=here / "published")
    assert zoo("models", "list", *arguments) == (1, "", f"zoo: error: {said}\n")


@pytest.mark.filterwarnings("default")
def test_a_damaged_record_is_a_warning_and_the_version_before_stands(registry, here, zoo):
    registry.publish(draft("best", *MODELS["best"]), {"model.safetensors": b"w"})
    (here / "published/models/best/versions/2.json").write_text("{")
    code, out, err = zoo("models", "list", "--dataset", "pets", "--sort", "auroc", "--json")
    assert code == 0
    assert (json.loads(out)[0]["name"], json.loads(out)[0]["latest"]) == ("best", 1)
    assert err.startswith("zoo: warning: the record of model 'best' version 2 ")


def test_neither_torch_nor_numpy_is_needed(registry):
    code = (
        "import sys\nfrom zoo_cli.main import main\n"
        "code = main(['models', 'list', '--dataset', 'pets', '--sort', 'auroc'])\n"
        "sys.exit(code or any(name in sys.modules for name in ('torch', 'numpy')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
