"""Plugins that importlib.metadata finds by a real entry point, without pip or network."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Install = Callable[[str, str], None]
Zoo = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def install(site: Path) -> Install:
    """``install("smooth", source)``: module zoo_smooth of distribution zoo-smooth 0.1."""

    def write(name: str, source: str) -> None:
        (site / f"zoo_{name}.py").write_text(source)
        info = site / f"zoo_{name}-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: zoo-{name}\nVersion: 0.1\n")
        (info / "entry_points.txt").write_text(f"[zoo]\n{name} = zoo_{name}\n")
        (info / "RECORD").write_text(f"zoo_{name}.py,,\n")

    return write


@pytest.fixture
def run_zoo(site: Path, tmp_path: Path) -> Zoo:
    """``run_zoo("components", "list")``: the command in a process of its own, plugins installed."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        code = "import sys; from zoo_cli.main import main; sys.exit(main())"
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
