"""Each tracker writes what its own library reads back, goes on after a resume, and ends once."""

import json
import math
import struct
import subprocess
import sys

import pytest

import zoo
from zoo.plugins.catalog import catalog
from zoo.training import events

RECIPE = {"optimizer": {"name": "sgd", "lr": 0.1}, "data": {"size": [28, 28]}}
RECIPE["trackers"] = [{"name": "mlflow", "uri": "https://me:secret@host"}]


@pytest.fixture(autouse=True)
def nothing_leaves(tmp_path, monkeypatch):
    """No home, no network, whatever the libraries would do by themselves."""
    for name in ("WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name, value in {
        "WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def build(name, run, resumed=False, **options):
    run.mkdir(exist_ok=True)
    return catalog().get("tracker", name).build(
        zoo.TrackerContext(run, RECIPE, resumed), options
    )  # fmt: skip


def epoch(number, loss):
    train = {"loss": loss, "accuracy": 0.5}
    val = {"loss": loss + 1, "accuracy": None}
    return events.EpochEnded(number, train, val, 0.1, 2.0, 300.0, True)


START = events.TrainingStarted(4, 10, 640, 1000, "cpu")
END = events.TrainingEnded("epochs", 4, 9.0, 4, 1.25, "val/loss")


def first_session(track):
    """Killed in its fourth epoch, after a checkpoint within the third."""
    for event in (
        events.Notice("something"),
        START,
        events.StepsDone(1, 5, 320, 1.0, 3.0),
        epoch(1, 2.0),
        events.StepsDone(2, 5, 320, 1.0, math.nan),
        epoch(2, 1.0),
        events.StepsDone(3, 5, 320, 1.0, 0.9),
        events.StepsDone(3, 9, 576, 1.0, 77.0),
        epoch(3, 77.0),
    ):
        track(event)


def second_session(track):
    for event in (
        events.Resumed(3, 25, "checkpoint"),
        START,
        events.StepsDone(3, 9, 576, 1.0, 0.8),
        epoch(3, 0.5),
        epoch(4, 0.25),
        END,
    ):
        track(event)


def test_the_contract():
    checked = zoo.check_plugin("zoo-trackers")
    assert {one.name for one in checked} == {"tensorboard", "wandb", "mlflow"}


def test_listing_imports_none_of_the_libraries():
    code = (
        "import sys, zoo_trackers\n"
        "print(len(zoo_trackers.register_trackers()))\n"
        "print([n for n in ('torch', 'tensorboard', 'wandb', 'mlflow') if n in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["3", "[]"]


# TensorBoard


def scalars(run, part, tag):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(run / "tensorboard" / part))
    read.Reload()
    return {one.step: one.value for one in read.Scalars(tag)}


def test_tensorboard_reads_every_figure(tmp_path):
    pytest.importorskip("tensorboard")
    track = build("tensorboard", tmp_path / "run")
    first_session(track)
    track.close()
    run = tmp_path / "run"
    assert scalars(run, "train", "loss") == {1: 2.0, 2: 1.0, 3: 77.0}
    assert scalars(run, "val", "loss") == {1: 3.0, 2: 2.0, 3: 78.0}
    assert scalars(run, "train", "accuracy") == {1: 0.5, 2: 0.5, 3: 0.5}
    assert scalars(run, "train", "samples_per_second") == {1: 300.0, 2: 300.0, 3: 300.0}
    assert scalars(run, "train", "learning_rate")[1] == pytest.approx(0.1)
    assert scalars(run, "steps", "running_loss") == pytest.approx({5: 3.0, 25: 0.9, 29: 77.0})
    with pytest.raises(KeyError):
        scalars(run, "val", "accuracy")


def test_tensorboard_drops_what_a_resumed_run_does_again(tmp_path):
    pytest.importorskip("tensorboard")
    run = tmp_path / "run"
    track = build("tensorboard", run)
    first_session(track)
    track.close()
    second_session(build("tensorboard", run, resumed=True))
    assert scalars(run, "train", "loss") == {1: 2.0, 2: 1.0, 3: 0.5, 4: 0.25}
    assert scalars(run, "val", "loss") == {1: 3.0, 2: 2.0, 3: 1.5, 4: 1.25}
    assert scalars(run, "steps", "running_loss") == pytest.approx({5: 3.0, 25: 0.9, 29: 0.8})


def test_tensorboard_holds_the_recipe(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    track = build("tensorboard", tmp_path / "run")
    track(START)
    track(END)
    read = EventAccumulator(str(tmp_path / "run/tensorboard/val"))
    read.Reload()
    content = read.PluginTagToContent("hparams")["_hparams_/session_start_info"]
    kept = HParamsPluginData.FromString(content).session_start_info.hparams
    assert kept["optimizer.name"].string_value == "sgd"
    assert kept["optimizer.lr"].number_value == 0.1
    assert kept["data.size"].string_value == "[28, 28]"
    assert "secret" not in str(kept)


def test_a_tracker_hears_nothing_after_the_end_and_closes_once(tmp_path):
    pytest.importorskip("tensorboard")
    track = build("tensorboard", tmp_path / "run")
    for event in (START, epoch(1, 2.0), END, epoch(2, 1.0)):
        track(event)
    track.close()
    assert scalars(tmp_path / "run", "train", "loss") == {1: 2.0}


@pytest.mark.slow
def test_what_was_not_closed_is_written_when_the_interpreter_exits(tmp_path):
    pytest.importorskip("tensorboard")
    code = (
        "import pathlib, zoo\n"
        "from zoo.plugins.catalog import catalog\n"
        "from zoo.training.events import EpochEnded\n"
        f"context = zoo.TrackerContext(pathlib.Path({str(tmp_path)!r}), {{}})\n"
        "track = catalog().get('tracker', 'tensorboard').build(context)\n"
        "track(EpochEnded(1, {'loss': 2.0}, {'loss': 3.0}, 0.1, 2.0, 300.0, True))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert scalars(tmp_path, "val", "loss") == {1: 3.0}


# Weights & Biases


def offline_runs(run):
    return sorted(run.glob("wandb/offline-run-*/run-*.wandb"))


def records(path):
    """Of the log format that LevelDB has: blocks of 32 KiB, each record behind its crc (4 bytes),
    length (2) and type (1); one that is longer than its block comes in parts."""
    data, at, parts = path.read_bytes(), 7, []
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
        length, kind = struct.unpack_from("<HB", data, at + 4)
        parts.append(data[at + 7 : at + 7 + length])
        at += 7 + length
        if kind in (1, 4):
            yield b"".join(parts)
            parts = []


def logged(path):
    """What the file of an offline run holds: history rows, configuration, exit code."""
    from wandb.proto.wandb_internal_pb2 import Record

    rows, config, code = [], {}, None
    for record in map(Record.FromString, records(path)):
        items = record.history.item
        rows.append({one.key or one.nested_key[0]: json.loads(one.value_json) for one in items})
        for one in record.run.config.update:
            config[one.key] = json.loads(one.value_json)
        if record.HasField("exit"):
            code = record.exit.exit_code
    return rows, config, code


def test_wandb_keeps_an_offline_run_and_goes_on_under_its_id(tmp_path):
    pytest.importorskip("wandb")
    run = tmp_path / "run"
    track = build("wandb", run)
    first_session(track)
    track.close()
    (first,) = offline_runs(run)
    rows, config, code = logged(first)
    assert [row["train/loss"] for row in rows if "train/loss" in row] == [2.0, 1.0, 77.0]
    assert [row["epoch"] for row in rows if "epoch" in row] == [1, 2, 3]
    assert [row["step"] for row in rows if "step" in row] == [5, 25, 29]
    assert config["optimizer"] == {"name": "sgd", "lr": 0.1}
    assert "secret" not in str(config)
    assert code == 1
    second_session(build("wandb", run, resumed=True))
    (other,) = set(offline_runs(run)) - {first}
    assert logged(other)[2] == 0
    known = (run / "wandb-id.txt").read_text().strip()
    assert first.name == other.name == f"run-{known}.wandb"


# MLflow


def test_mlflow_reads_every_figure_and_a_resumed_run_goes_on(tmp_path):
    pytest.importorskip("mlflow")
    from mlflow import MlflowClient

    run = tmp_path / "runs/digits-1"
    run.parent.mkdir()
    track = build("mlflow", run)
    first_session(track)
    track.close()
    client = MlflowClient((tmp_path / "runs/mlflow").as_uri())

    def found():
        experiment = client.get_experiment_by_name("zoo")
        (only,) = client.search_runs([experiment.experiment_id])
        return only

    def history(key):
        metrics = client.get_metric_history(found().info.run_id, key)
        return [(one.step, one.value) for one in metrics]

    assert found().info.status == "FAILED"
    assert found().info.run_name == "digits-1"
    assert found().data.params["optimizer.lr"] == "0.1"
    assert "secret" not in str(found().data.params)
    assert history("val/loss") == [(1, 3.0), (2, 2.0), (3, 78.0)]
    assert history("running_loss") == [(5, 3.0), (25, 0.9), (29, 77.0)]
    track = build("mlflow", run, resumed=True)
    assert found().info.status == "RUNNING"
    second_session(track)
    assert found().info.status == "FINISHED"
    assert history("val/loss")[3:] == [(3, 1.5), (4, 1.25)]
    assert found().data.tags["reason"] == "epochs"


def test_mlflow_takes_the_address_it_is_given(tmp_path):
    pytest.importorskip("mlflow")
    address = (tmp_path / "elsewhere").as_uri()
    build("mlflow", tmp_path / "run", uri=address, experiment="mine").close()
    build("mlflow", tmp_path / "other", uri=address, experiment="mine").close()
    from mlflow import MlflowClient

    client = MlflowClient(address)
    experiment = client.get_experiment_by_name("mine").experiment_id
    assert len(client.search_runs([experiment])) == 2
    assert not (tmp_path / "mlflow").exists()


def test_an_interrupted_run_is_said_to_be(tmp_path):
    pytest.importorskip("mlflow")
    from mlflow import MlflowClient

    track = build("mlflow", tmp_path / "run")
    track(events.TrainingEnded("interrupted", 1, 9.0, 1, None, "val/loss"))
    client = MlflowClient((tmp_path / "mlflow").as_uri())
    known = (tmp_path / "run/mlflow-id.txt").read_text().strip()
    assert client.get_run(known).info.status == "KILLED"
