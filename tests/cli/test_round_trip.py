"""From training to somebody else's folder: published, served, pulled, the same to the bit; where
the plugin is missing, the line that says what to install."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

DATA = os.environ.get("ZOO_TEST_DATA")
Start = Callable[..., subprocess.Popen[str]]
COMMAND = "import sys; from zoo_cli.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def asked(here: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``asked("eval", "x", cwd="b", ZOO_PLUGINS="…")``: the command in a process of its own."""

    def run(*arguments: str, cwd: str = ".", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=here / cwd,
            env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    return run


@pytest.mark.parametrize(
    "source",
    [
        ["--dataset", "digits"],
        pytest.param(
            ["--dataset", "mnist", "--root", f"{DATA}/mnist", "--set", "split.fraction=0.02"],
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(not DATA, reason="ZOO_TEST_DATA names no folder with mnist"),
            ],
        ),
    ],
    ids=["digits", "mnist"],
)
def test_the_round_trip(here: Path, asked: Callable[..., subprocess.CompletedProcess[str]],
                        start: Start, source: list[str]) -> None:  # fmt: skip
    for folder in ("mine", "yours"):
        (here / folder).mkdir()
    quick = ["--architecture", "simple_cnn", "--epochs", "1", "--threads", "1", "--run", "run"]
    terms = ["--name", "it", "--alias", "best", "--licence", "mit", "--intended-use", "a test"]
    for arguments in (
        ["registry", "init"], ["train", *source, *quick], ["eval", "./run"],
        ["publish", "./run", *terms],
    ):  # fmt: skip
        done = asked(*arguments, cwd="mine")
        assert done.returncode == 0, done.stderr
    server = start(COMMAND, "registry", "serve", "--root", "mine/registry", "--port", "0")
    assert server.stdout is not None
    url = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
    assert url is not None
    (here / "yours/registry.toml").write_text(f'[registry.far]\nurl = "{url[0]}"\n')
    root = source[2:4] if "--root" in source else []
    cache = {"ZOO_CACHE": str(here / "cache")}

    done = asked("eval", "it@best", *root, cwd="yours", **cache, ZOO_PLUGINS="medical")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.endswith(
        "comes from zoo-basics 0.1.0, which ZOO_PLUGINS=medical leaves out; add zoo-basics to it, "
        "or unset it\n"
    )
    server.kill()  # what was pulled is here
    server.communicate()
    done = asked("eval", "it@1", *root, cwd="yours", **cache)
    assert done.returncode == 0, done.stderr
    files = here / "mine/run/predictions/test.npz", here / "yours/predictions/it-1/test.npz"
    mine, yours = (np.load(path, allow_pickle=False) for path in files)
    assert mine["ids"].tolist() == yours["ids"].tolist()
    assert mine["logits"].tobytes() == yours["logits"].tobytes()
