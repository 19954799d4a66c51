"""How much memory an epoch took, on the processor and on a GPU."""

from pathlib import Path

import numpy as np
import pytest
import torch

import zoo
from zoo.runs.folder import RunFolder
from zoo.training import peak

MEGABYTE = 1 << 20
CPU = torch.device("cpu")


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_the_peak_of_the_process_is_in_bytes_and_stays():
    before = peak.peak(CPU)
    assert before >= resident() - MEGABYTE
    room = before - resident() + 100 * MEGABYTE
    block = np.ones(room, np.uint8)
    grown = peak.peak(CPU)
    assert before + 90 * MEGABYTE < grown < before + 130 * MEGABYTE
    del block
    assert peak.peak(CPU) >= grown


def test_who_does_not_tell_is_not_asked(monkeypatch):
    monkeypatch.setattr(peak, "resource", None)
    assert peak.peak(CPU) is None
    assert peak.peak(torch.device("meta")) is None


def test_every_epoch_says_it(tmp_path):
    told = []
    recipe = {
        "dataset": {"name": "digits"},
        "split": {"fraction": 0.05},
        "architecture": {"name": "linear"},
        "training": {"epochs": 2, "threads": 1, "device": "cpu"},
    }
    run = zoo.train(recipe, folder=tmp_path / "run", subscribers=[told.append])
    assert isinstance(run, RunFolder)
    said = [one["memory"] for one in (event.as_json() for event in told) if "memory" in one]
    assert len(said) == 2
    assert 10 * MEGABYTE < said[0] <= said[1] <= peak.peak(CPU)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_counts_each_epoch_anew():
    device = torch.zeros(1, device="cuda").device
    peak.restart(device)
    held = peak.peak(device)
    block = torch.ones(64 * MEGABYTE, dtype=torch.uint8, device=device)
    assert peak.peak(device) >= held + 64 * MEGABYTE
    del block
    assert peak.peak(device) >= held + 64 * MEGABYTE
    peak.restart(device)
    assert peak.peak(device) < held + 64 * MEGABYTE
