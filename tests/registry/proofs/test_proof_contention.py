"""Many processes publish versions of one model at once, with locks and where locks do nothing."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from judge import looked, mended, wrong

from zoo.registry import derived
from zoo.registry.store import Registry

HERE = Path(__file__).parent
MODEL = "digits-tiny"
FULL = (16, 50)


def publish_at_once(folder, processes, each, *ways):
    """(numbers that each process was told, seconds)."""
    command = [sys.executable, str(HERE / "publish_many.py"), str(folder / "registry"), str(each)]
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    running = [
        subprocess.Popen(
            [*command, *ways],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "error"},
        )
        for _ in range(processes)
    ]
    time.sleep(1)  # until most of them wait
    (folder / "go").touch()
    start = time.monotonic()
    try:
        ended = [process.communicate(timeout=900) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0] * processes, ended
    return [json.loads(out) for out, _ in ended], time.monotonic() - start


def check(folder, told):
    """Every version that somebody was told is there, once, and valid; what is derived is right, or
    repair makes it so."""
    registry = Registry.at(folder / "registry")
    numbers = sorted(number for one in told for number in one)
    assert numbers == list(range(1, len(numbers) + 1))
    assert registry.versions(MODEL) == numbers
    assert wrong(registry) == []
    assert looked(registry).versions == len(numbers)
    head = derived.read_head(registry.tree, MODEL)
    lag = len(numbers) - (head.newest if head else 0)
    assert mended(registry) == []
    assert derived.read_head(registry.tree, MODEL).newest == len(numbers)
    return lag


@pytest.mark.parametrize("ways", [(), ("no_locks",)], ids=["locks", "no locks"])
def test_four_processes(tmp_path, ways):
    told, _ = publish_at_once(tmp_path, 4, 10, *ways)
    check(tmp_path, told)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("ways", [(), ("no_locks",)], ids=["locks", "no locks"])
def test_sixteen_processes(tmp_path, ways):
    told, seconds = publish_at_once(tmp_path, *FULL, *ways)
    lag = check(tmp_path, told)
    print(f"{ways}: {sum(map(len, told))} versions in {seconds:.0f} s, head behind by {lag}")


def test_with_records_that_overwrite_versions_are_lost(tmp_path):
    """The negative control: two are told the same number."""
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        told, _ = publish_at_once(folder, 4, 10, "no_locks", "overwriting")
        numbers = [number for one in told for number in one]
        if len(set(numbers)) < len(numbers):
            print(f"{len(numbers) - len(set(numbers))} of {len(numbers)} lost")
            return
    pytest.fail("nothing was lost in five attempts")
