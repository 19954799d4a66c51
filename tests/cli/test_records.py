"""zoo runs and zoo models: what was trained, and what is published."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.registry.record import Draft
from zoo.registry.store import Registry
from zoo.runs.folder import RunFolder
from zoo.tasks import Task

Zoo = Callable[..., tuple[int, str, str]]
TASK = Task.multiclass(["cat", "dog"])
METRICS = {"accuracy": 0.75, "auroc": float("0.8125"), "samples": 16}


def parsed(answer: tuple[int, str, str]) -> Any:
    code, out, err = answer
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.fixture
def run(here: Path) -> RunFolder:
    run = RunFolder.create(here / "runs" / "pets-1")
    run.update(
        status="finished",
        created="2026-02-03T04:05:06+00:00",
        dataset="pets",
        architecture="mlp",
        task=TASK.as_json(),
        epochs_done=7,
        best={"epoch": 5, "metrics": {"accuracy": 0.875, "loss": 0.5}},
        seconds=1.5,
    )
    return run


@pytest.fixture
def registry(here: Path) -> Registry:
    (here / "registry.toml").write_text('default = "local"\n[registry.local]\nurl = "published"\n')
    registry = Registry.at(here / "published")
    draft = Draft.of(
        model="pets-mlp",
        task=TASK,
        preprocessing={},
        architecture={"name": "mlp", "options": {"hidden": [64]}, "in_channels": 3,
                      "image_size": [28, 32]},
        plugin={"entry": "basics", "distribution": "zoo-basics", "version": "0.1.0"},
        recipe={},
        data={"dataset": "pets", "fingerprint": "sha256:0", "splits": {}},
        metrics={"test": METRICS},
        licence="mit",
        environment={},
        weights="best",
    )  # fmt: skip
    for content in (b"first", b"second"):
        registry.publish(draft, {"model.safetensors": content})
    return registry


def test_no_runs_are_said_on_stderr_and_are_an_empty_list(zoo: Zoo) -> None:
    assert zoo("runs", "list") == (0, "", "no runs in 'runs'; make one with: zoo train\n")
    assert parsed(zoo("runs", "list", "--json")) == []


def test_runs_are_listed(zoo: Zoo, run: RunFolder) -> None:
    assert parsed(zoo("runs", "list", "--json")) == [
        {
            "run": "runs/pets-1",
            "status": "finished",
            "created": "2026-02-03T04:05:06+00:00",
            "dataset": "pets",
            "architecture": "mlp",
            "task": TASK.as_json(),
            "epochs_done": 7,
            "best": {"epoch": 5, "metrics": {"accuracy": 0.875, "loss": 0.5}},
            "seconds": 1.5,
        }
    ]
    assert zoo("runs", "list", "runs")[1] == (
        "RUN          STATUS    CREATED           DATASET  ARCHITECTURE  EPOCHS  BEST\n"
        "runs/pets-1  finished  2026-02-03 04:05  pets     mlp                7  "
        "epoch 5, accuracy 0.8750\n"
    )


def test_a_damaged_run_is_listed_beside_the_others(zoo: Zoo, run: RunFolder) -> None:
    damaged = run.path.parent / "broken"
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    rows = parsed(zoo("runs", "list", "--json"))
    assert [(row["run"], row["status"]) for row in rows] == [
        ("runs/broken", "damaged"),
        ("runs/pets-1", "finished"),
    ]
    assert "broken" in zoo("runs", "list")[1]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("created", 5), ("status", []), ("task", "x"), ("best", 3), ("epochs_done", "7"),
        ("seconds", {}), ("dataset", ["\x1b[2J"]),
    ],
)  # fmt: skip
def test_a_run_with_wrong_types_is_damaged(
    zoo: Zoo, run: RunFolder, key: str, value: object
) -> None:
    other = RunFolder.create(run.path.parent / "other")
    other.update(**{**run.info, key: value})
    rows = parsed(zoo("runs", "list", "--json"))
    assert {row["run"]: row["status"] for row in rows} == {
        "runs/other": "damaged",
        "runs/pets-1": "finished",
    }
    code, out, err = zoo("runs", "list")
    assert (code, err) == (0, "") and "damaged" in out
    code, out, err = zoo("runs", "show", "other")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"zoo: error: run 'runs/other': its run.json is damaged: {key} is ")


def test_a_run_is_shown_with_what_was_measured(zoo: Zoo, run: RunFolder) -> None:
    out = zoo("runs", "show", "pets-1")[1]
    assert "task          multiclass\n" in out
    told = [line.split()[0] for line in out.partition("\n\n")[0].splitlines()]
    assert told[:3] == ["run", "status", "task"]
    assert told.index("dataset") < told.index("epochs_done") < told.index("created")
    assert "VAL, EPOCH 5  VALUE\naccuracy      0.875\n" in out
    assert out.endswith("not evaluated yet; type: zoo eval runs/pets-1 --split test\n")
    run.write_metrics("test", METRICS)
    out = zoo("runs", "show", "runs/pets-1")[1]
    assert "TEST       VALUE\n" in out
    assert "not evaluated" not in out
    shown = parsed(zoo("runs", "show", "pets-1", "--json"))
    assert shown["metrics"] == {"test": METRICS}
    assert shown["status"] == "finished"


def test_an_unknown_run_gets_the_nearest(zoo: Zoo, run: RunFolder) -> None:
    code, out, err = zoo("runs", "show", "runs/pets-2")
    assert (code, out) == (1, "")
    assert err == (
        "zoo: error: run 'runs/pets-2': no such file or folder (did you mean 'runs/pets-1'?)\n"
    )


def test_an_empty_registry(zoo: Zoo) -> None:
    code, out, err = zoo("models", "list")
    assert (code, out) == (0, "")
    assert err.startswith("no models in registry 'local' (")
    assert err.endswith("); publish one with: zoo publish RUN --name NAME\n")
    assert parsed(zoo("models", "list", "--json")) == []


def test_models_are_listed_by_their_newest_version(zoo: Zoo, registry: Registry) -> None:
    rows = parsed(zoo("models", "list", "--json"))
    assert [(row["name"], row["latest"], row["metric"]) for row in rows] == [
        ("pets-mlp", 2, {"split": "test", "name": "accuracy", "value": 0.75})
    ]
    assert "test accuracy 0.7500" in zoo("models", "list", "--registry", "local")[1]


@pytest.mark.filterwarnings("default")
def test_a_damaged_version_is_a_warning(zoo: Zoo, registry: Registry) -> None:
    (registry.tree.root / "models/pets-mlp/versions/2.json").write_text("{")
    code, out, err = zoo("models", "list", "--json")
    assert code == 0
    assert [row["latest"] for row in json.loads(out)] == [1]
    assert err.startswith("zoo: warning: the record of model 'pets-mlp' version 2 ")
    assert err.count("\n") == 1


def test_the_beginning_of_a_name_is_known(zoo: Zoo, registry: Registry) -> None:
    code, _, err = zoo("models", "show", "pet")
    assert code == 1 and "(did you mean 'pets-mlp'?); see: zoo models list" in err
    assert "did you mean" not in zoo("models", "show", "pe")[2]


def test_a_version_is_shown(zoo: Zoo, registry: Registry) -> None:
    shown = parsed(zoo("models", "show", "pets-mlp", "--json"))
    assert (shown["version"], shown["versions"]) == (2, [1, 2])
    assert shown["digest"] == registry.digest(registry.record("pets-mlp@2"))
    out = zoo("models", "show", "pets-mlp@1")[1]
    assert "model         pets-mlp@1\n" in out
    assert "architecture  mlp (hidden=[64])\n" in out
    assert "input         28 x 32 pixels, 3 channels\n" in out
    assert "accuracy    0.75\n" in out
    assert "model.safetensors      5  a7937b64b8ca\n" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pets-mpl"], "model 'pets-mpl' is not in registry 'local'"),
        (["pets-mlp@3"], "model 'pets-mlp' has no version 3; the newest is 2"),
        (["Pets"], "model name 'Pets': expected"),
        (["pets-mlp", "--registry", "locl"], "registry 'locl' is not named in"),
        (
            ["other:pets-mlp", "--registry", "local"],
            "reference 'other:pets-mlp' names another registry than 'local'; give one of them",
        ),
    ],
)
def test_what_cannot_be_shown(
    zoo: Zoo, registry: Registry, arguments: list[str], said: str
) -> None:
    code, out, err = zoo("models", "show", *arguments)
    assert (code, out) == (1, "")
    assert err.startswith(f"zoo: error: {said}")
    assert err.count("\n") == 1


def test_an_ensemble_is_shown_by_its_members(zoo: Zoo, registry: Registry) -> None:
    record = registry.record("pets-mlp")
    member = {"model": "pets-mlp", "version": 1, "digest": registry.digest(record)}
    network = {"format", "version", "prev", "created", "files", "preprocessing", "architecture",
               "plugin", "weights", "model"}  # fmt: skip
    plain = record.model_dump(mode="json", exclude=network)
    ensemble = {"method": "mean", "options": {}, "members": [member, member]}
    registry.publish(Draft.of(**plain, model="both", ensemble=ensemble), {"README.md": b"# both"})
    code, out, err = zoo("models", "show", "both")
    assert (code, err) == (0, "")
    assert "made of   ensemble of 2 (mean)\n" in out
    assert f"\nMEMBER      SHA256\npets-mlp@1  {member['digest'][:12]}\npets-mlp@1  " in out
