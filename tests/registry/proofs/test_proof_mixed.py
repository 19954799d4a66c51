"""Publishers, readers, collections without a grace, moves of an alias, all at once: nothing is
lost, and nothing wrong is read."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from judge import mended, wrong

from zoo.registry import layout
from zoo.registry.store import Registry

HERE = Path(__file__).parent
MODEL = "digits-tiny"
ROLES = ("publisher", "publisher", "spoiler", "reader", "reader", "mover", "mover", "collector")


def together(folder, seconds, seed, *controls):
    """(registry, what was done by kind, what was told, problems)."""
    registry = Registry.at(folder / "registry")
    registry.create()
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(HERE / "mixed_worker.py"), str(folder / "registry")]
    running = [
        subprocess.Popen(
            [*command, role, str(seconds), f"{seed}-{i}", *controls],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        for i, role in enumerate(ROLES)
    ]
    time.sleep(1)  # until most of them wait
    (folder / "go").touch()
    try:
        ended = [process.communicate(timeout=seconds + 300) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0] * len(ROLES), ended
    said = [json.loads(out) for out, _ in ended]
    done = sum((Counter(one["done"]) for one in said), Counter())
    told = {role: [each for one in said if one["role"] == role for each in one["told"]]
            for role in ROLES}  # fmt: skip
    return registry, done, told, [problem for one in said for problem in one["problems"]]


def check(registry, told):
    """What was told is there, and nothing is wrong."""
    versions = dict(told["publisher"])
    assert len(versions) == len(told["publisher"])
    assert sorted(versions) == registry.versions(MODEL)
    for number, digest in versions.items():
        data = registry.tree.read(layout.version(MODEL, number), 1 << 20)
        assert hashlib.sha256(data).hexdigest() == digest
    assert sorted(told["mover"]) == [state.serial for state in registry.history(MODEL)]
    assert wrong(registry) == []
    assert mended(registry) == []


SWEEP = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("seconds", "seed", "ways"),
    [
        (3, 0, ()),
        pytest.param(60, 1, (), marks=SWEEP),
        pytest.param(60, 2, (), marks=SWEEP),
        pytest.param(60, 3, ("no locks",), marks=SWEEP),
    ],
)
def test_all_at_once(tmp_path, seconds, seed, ways):
    registry, done, told, problems = together(tmp_path, seconds, seed, *ways)
    print(seed, ways, dict(done))
    assert problems == []
    check(registry, told)
    for kind in ("published", "read", "moved", "collections", "taken", "deleted"):
        assert done[kind] > seconds, kind


@pytest.mark.timeout(300)
@pytest.mark.slow
@pytest.mark.parametrize("control", ["no second look", "no look back"])
def test_without_a_guard_files_are_lost(tmp_path, control):
    """The negative controls; ``test_collection`` has those that leave nothing to chance."""
    for attempt in range(20):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        registry, done, _, _ = together(folder, 2, attempt, control)
        missing = [line for line in wrong(registry) if "it is missing; needed by" in line]
        if missing:
            print(f"{control}: {len(missing)} files of {done['published']} versions lost")
            return
    pytest.fail("nothing was lost in 20 attempts")
