"""What a launcher says in the environment, and which commands want none."""

import pytest
import torch
from zoo_cli.main import main

from zoo.errors import RunError, TrainingError
from zoo.runs.launch import Launch, launched, require_alone
from zoo.runs.processes import device_of, processes

MEETING = {"MASTER_ADDR": "here", "MASTER_PORT": "29500"}
SECOND = {**MEETING, "RANK": "1", "WORLD_SIZE": "2"}


def set_all(monkeypatch, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("given", [{}, {"WORLD_SIZE": "4"}, {"RANK": "0", "WORLD_SIZE": "1"}])
def test_a_process_on_its_own(given, monkeypatch):
    assert launched(given) is None
    set_all(monkeypatch, given)
    require_alone("zoo eval")
    with processes() as replicas:
        assert (replicas.rank, replicas.ranks) == (0, 1)


def test_one_of_several():
    assert launched(SECOND) == Launch(1, 2, 1, "here", 29500, False, "0")
    first = launched({**SECOND, "RANK": "0", "LOCAL_RANK": "0"})
    assert first is not None and first.hosts_store
    under = launched({**SECOND, "RANK": "0", "TORCHELASTIC_USE_AGENT_STORE": "True"})
    assert under is not None and not under.hosts_store


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"MASTER_PORT": "x"}, "missing or no number"),
        ({"RANK": "2"}, "RANK 2: expected 0 to 1, for WORLD_SIZE is 2"),
    ],
)
def test_what_does_not_fit_is_refused(change, expected):
    with pytest.raises(RunError, match=expected):
        launched({**SECOND, **change})
    with pytest.raises(RunError, match="'MASTER_ADDR'"):
        launched({"RANK": "1", "WORLD_SIZE": "2"})


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["eval", "x"], "zoo eval"),
        (["components", "list"], "zoo components"),
        (["train", "--dataset", "digits", "--dry-run"], "zoo train --dry-run"),
    ],
)
def test_only_training_is_shared(command, name, monkeypatch, capsys):
    set_all(monkeypatch, SECOND)
    monkeypatch.setenv("TORCH_CPP_LOG_LEVEL", "ERROR")
    assert main(command) == 1
    assert capsys.readouterr().err == (
        f"zoo: error: {name} runs in one process, this is one of 2; start it without torchrun\n"
    )


@pytest.mark.parametrize("known", [True, False])
def test_torchruns_report_ends_with_the_cause(known, tmp_path, monkeypatch, capsys):
    from torch.distributed.elastic.multiprocessing import errors

    set_all(monkeypatch, SECOND)
    if known:
        monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "error.json"))
    assert main(["eval", "x"]) == 1
    line = capsys.readouterr().err.rstrip("\n")
    assert (tmp_path / "error.json").exists() is known
    failure = errors.ProcessFailure(1, 2, 1, str(tmp_path / "error.json"))
    assert (line in errors.ChildFailedError("zoo", {1: failure}).format_msg()) is known


def test_a_report_that_cannot_be_written_changes_nothing(tmp_path, monkeypatch, capsys):
    set_all(monkeypatch, {**SECOND, "TORCHELASTIC_ERROR_FILE": str(tmp_path / "gone/error.json")})
    assert main(["eval", "x"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    set_all(monkeypatch, {"RANK": "", "TORCHELASTIC_ERROR_FILE": str(tmp_path / "error.json")})
    monkeypatch.delenv("RANK")
    assert main(["eval", "./nowhere"]) == 1
    assert not (tmp_path / "error.json").exists()


def test_a_device_for_each_process(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    set_all(monkeypatch, SECOND)
    assert device_of("auto") == device_of("cpu") == torch.device("cpu")
    with pytest.raises(TrainingError, match="device 'cuda:0' cannot be shared by 2 processes"):
        device_of("cuda:0")
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert device_of("auto") == device_of("cuda") == torch.device("cuda:1")
    assert chosen == [torch.device("cuda:1")] * 2
