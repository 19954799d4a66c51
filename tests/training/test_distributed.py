"""Several processes, for real: gloo on the CPU. They learn what one would, and end together."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import shared_training
import torch

import zoo
from zoo.storage import tensors
from zoo.training import checkpoints

WORKER = Path(shared_training.__file__)


class Pair:
    """Two processes of a scenario, without any launcher."""

    def __init__(self, scenario: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        meeting = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        self.errors = [folder / f"stderr-{rank}" for rank in (0, 1)]
        meeting |= {"OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR"}
        self.processes = []
        for rank, errors in enumerate(self.errors):
            with errors.open("w") as stream:
                process = subprocess.Popen(
                    [sys.executable, str(WORKER), scenario, str(folder)],
                    env={**os.environ, **meeting, "RANK": str(rank)},
                    stdout=subprocess.DEVNULL,
                    stderr=stream,
                    cwd=folder,
                )
            self.processes.append(process)

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def codes(self, seconds: float = 100.0) -> list[int]:
        return [process.wait(seconds) for process in self.processes]

    def said(self, rank: int) -> str:
        return self.errors[rank].read_text()

    def trains(self) -> None:
        while not (self.folder / "run" / "run.json").exists():
            assert [process.poll() for process in self.processes] == [None, None], self.said(0)
            time.sleep(0.05)


def weights(run: Path, name: str = "best") -> dict[str, torch.Tensor]:
    return tensors.load(run / f"{name}.safetensors")


def epochs(run: Path) -> list[dict]:
    lines = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    return [one for one in lines if one["event"] == "epoch_ended"]


def distance(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The folder of what two processes did together."""
    folder = tmp_path_factory.mktemp("shared")
    with Pair("together", folder) as pair:
        assert pair.codes() == [1, 1], pair.said(0) + pair.said(1)
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    for name, recipe in shared_training.CASES.items():
        zoo.train(recipe, folder=folder / name)
    return folder


@pytest.mark.parametrize("case", shared_training.CASES)
def test_two_processes_learn_what_one_would(case, shared, alone):
    states = [checkpoints.read(checkpoints.found(one / case)[-1]) for one in (shared, alone)]
    assert states[0]["position"]["step"] == states[1]["position"]["step"] >= 12
    assert distance(states[0]["network"], states[1]["network"]) <= 1e-5
    assert torch.equal(states[0]["tally"]["cells"], states[1]["tally"]["cells"])
    for one, other in zip(epochs(shared / case), epochs(alone / case), strict=True):
        for part in ("train", "val"):
            assert one[part].pop("loss") == pytest.approx(other[part].pop("loss"), abs=1e-6)
            assert one[part] == other[part]


def test_without_shares_an_uneven_batch_is_learnt_wrongly(shared, alone):
    assert distance(weights(shared / "unweighted"), weights(alone / "uneven")) > 1e-5


def test_two_processes_go_on_to_the_same_bits(shared):
    whole, again = shared / "whole", shared / "again"
    at = checkpoints.read(shared / "from.safetensors")
    assert at["position"]["done"] > 0 and at["tally"]["seen"][1][0] > 0
    for name in weights(whole):
        assert torch.equal(weights(whole)[name], weights(again)[name]), name
    states = [checkpoints.read(checkpoints.found(one)[-1]) for one in (whole, again)]
    for part in ("network", "optimizer", "average", "schedule", "stopping"):
        assert str(states[0][part]) == str(states[1][part]), part
    assert [one["train"] for one in epochs(whole)] == [one["train"] for one in epochs(again)]


def test_what_processes_tell_each_other(shared):
    first, second = (json.loads((shared / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    assert first.pop("call") >= 300
    assert re.fullmatch(
        r"recipe.lr is 0.1 for process 1 of 2 \(pid \d+ on .+\), 0.0 for the first one; start all "
        r"with the same recipe and the same data",
        first.pop("refused"),
    )
    assert first == {
        "heard": 15,
        "mean": [0.0, 0.0],
        "any": [True, True, False],
        "least": 6,
        "each": [[0.0, 0.0], [1.0, 0.1]],
        "told": "by 0",
        "neighbours": 2,
        "gradient": [[4.5, 4.5]],  # three times the mean of 1 and 2
        "unused": None,
    }


@pytest.mark.parametrize(
    ("victim", "how"),
    [
        (1, signal.SIGKILL),
        (0, signal.SIGSTOP),
        pytest.param(0, signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param(1, signal.SIGSTOP, marks=pytest.mark.slow),
    ],
)
def test_one_dies_and_the_other_ends_naming_it(victim, how, tmp_path):
    with Pair("endless", tmp_path) as pair:
        pair.trains()
        began = time.monotonic()
        pair.processes[victim].send_signal(how)
        survivor = 1 - victim
        assert pair.processes[survivor].wait(60) == 1
        assert time.monotonic() - began < 30
        name = rf"process {victim} of 2 \(pid {pair.processes[victim].pid} on .+\)"
        pattern = rf"zoo: error: {name}(, or the launcher,)? is gone: .+ from the last checkpoint\n"
        assert re.fullmatch(pattern, pair.said(survivor)), pair.said(survivor)
    if victim == 1:
        info = json.loads((tmp_path / "run" / "run.json").read_text())
        assert info["status"] == "failed" and "process 1 of 2" in info["reason"]
    assert checkpoints.found(tmp_path / "run")


@pytest.mark.slow
def test_without_the_watch_a_process_waits_for_one_that_hangs(tmp_path):
    with Pair("deaf", tmp_path) as pair:
        pair.trains()
        pair.processes[1].send_signal(signal.SIGSTOP)
        with pytest.raises(subprocess.TimeoutExpired):
            pair.processes[0].wait(20)


def test_a_signal_to_one_pauses_both(tmp_path):
    with Pair("endless", tmp_path) as pair:
        pair.trains()
        pair.processes[1].send_signal(signal.SIGTERM)
        assert pair.codes(30) == [143, 143]
        assert pair.said(0).startswith("zoo: terminated; saved after step ")
        assert pair.said(1) == ""
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert info["status"] == "interrupted"


def test_a_loss_that_is_not_finite_on_one_ends_both(shared):
    first, second = ((shared / f"stderr-{rank}").read_text() for rank in (0, 1))
    assert re.fullmatch(
        r"zoo: error: process 1 of 2 \(pid \d+ on .+\): the loss became nan in step 4 at "
        r"learning rate 0.1; the last checkpoint is kept; .+\n",
        first,
    )
    assert second == ""
    assert json.loads((shared / "run" / "run.json").read_text())["status"] == "failed"
