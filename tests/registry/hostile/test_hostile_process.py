"""Some of the hostile content through ``zoo`` as people start it: exit code 1, one line."""

# ruff: noqa: PTH208

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_hostile import RUNNER

ZOO = Path(sys.executable).with_name("zoo")
COMMANDS = {
    "show": ("models", "show", "digits-tiny"),
    "pull": ("pull", "digits-tiny", "--to", "out/pulled"),
    "verify": ("registry", "verify"),
    "load": ("eval", "digits-tiny@2", "--dataset", "digits"),
}
CASES = (
    "model of a record: escape", "path of a file: parent", "distribution of a plugin: command",
    "record: a key more", "record: lists 100,000 deep", "record: UTF-16", "record: a pipe",
    "record: version 0", "marker: half of it", "registry.toml: nothing",
)  # fmt: skip
QUICK = 2
PAIRS = [
    pytest.param(case, command, marks=() if number < QUICK else pytest.mark.slow)
    for command in COMMANDS
    for number, case in enumerate(CASES)
]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("spoilt")
    command = [sys.executable, str(RUNNER), "spoil", str(folder), *CASES]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return {name: folder / str(number) for number, name in enumerate(CASES)}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("case", "command"), PAIRS)
def test_refused(homes: dict[str, Path], case: str, command: str) -> None:
    home = homes[case]
    environment = {**os.environ, "ZOO_CACHE": str(home / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [ZOO, *COMMANDS[command]], cwd=home, env=environment, capture_output=True, timeout=250,
        check=False,
    )  # fmt: skip
    said = done.stderr.decode()
    assert done.returncode == 1
    if command == "verify" and not said:  # what it found is its answer
        assert done.stdout.startswith(b"error: ")
    else:
        assert said.startswith("zoo: error: ") and said.count("\n") == 1, said
    assert "unexpected" not in said
    assert all(letter.isprintable() or letter == "\n" for letter in said + done.stdout.decode())
    assert os.listdir(home / "out") == []
    assert os.listdir(home / "outside") == ["secret"]
    assert (home / "outside/secret").read_bytes() == b"nobody's business\n"
