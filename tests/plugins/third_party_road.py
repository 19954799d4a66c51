"""The way of a newcomer's plugin, from `zoo plugins new` to a colleague who lacks it, in fresh
virtual environments: ``python tests/plugins/third_party_road.py [kinds]``.

zoo, zoo-basics and the plugin are really built and installed; torch and the other libraries are
those of the environment that runs this, by links, for a copy would take 5 GB. No network is used.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from zoo.plugins.specs import PLURALS

ROOT = Path(__file__).parents[2]
EDITS = {  # the three lines of the plugin, and what the newcomer makes of them
    "edit 1": ("zoo_mixer/__init__.py", r'summary=".*"', 'summary="ConvMixer with leaky mixing"'),
    "edit 2": ("zoo_mixer/__init__.py", r'source=".*"', 'source="my own thesis, 2026"'),
    "edit 3": (
        "zoo_mixer/architecture.py",
        r"= nn.Conv2d\(width, width, 1\)",
        "= nn.Sequential(nn.Conv2d(width, width, 1), nn.LeakyReLU(0.1))",
    ),
}
MISSING = (
    "architecture 'mixer': the record says that it comes from zoo-mixer 0.1.0, which is not "
    "installed; only if you trust that package, type: pip install zoo-mixer==0.1.0"
)


class Environment:
    """A virtual environment of its own, beside others, in ``home``."""

    def __init__(self, home: Path, name: str, say: Callable[[str, float], None]) -> None:
        self._home, self._say, self._name = home, say, name
        began = time.perf_counter()
        venv.create(home / name, with_pip=True)
        self._bin = home / name / "bin"
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        mine = Path(self.run("python", "-I", "-c", where).strip())
        for old in mine.glob("*setuptools*"):  # of 2022; building asks for one of 2025 at least
            shutil.rmtree(old)
        (mine / "heavy.pth").write_text(f"{_libraries(home)}\n")
        say(f"{name}: a fresh environment", time.perf_counter() - began)

    def run(self, program: str, *arguments: str | Path, fails: bool = False) -> str:
        """What it printed; with ``fails``, what it complained of. Raises when it ends otherwise."""
        keep = {key: value for key, value in os.environ.items() if not key.startswith("ZOO_")}
        done = subprocess.run(
            [self._bin / program, *arguments],
            cwd=self._home / "work",
            env={
                **keep, "PATH": f"{self._bin}{os.pathsep}{keep.get('PATH', '')}",
                "PYTHONPATH": "", "OMP_NUM_THREADS": "1", "HOME": str(self._home),
                "XDG_DATA_HOME": str(self._home / "data"), "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": str(self._home / "wheels"), "PIP_CONFIG_FILE": os.devnull,
                "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as a no to isolation
                "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_QUIET": "1",
            },
            capture_output=True, text=True, timeout=1200, check=False,
        )  # fmt: skip
        if done.returncode != (1 if fails else 0):
            raise AssertionError(f"{program} {arguments}: {done.stdout}\n{done.stderr}")
        return done.stderr if fails else done.stdout

    def step(self, what: str, program: str, *arguments: str | Path, fails: bool = False) -> str:
        """:meth:`run`, told with its seconds."""
        began = time.perf_counter()
        answer = self.run(program, *arguments, fails=fails)
        self._say(f"{self._name}: {what}", time.perf_counter() - began)
        return answer


def road(home: Path, say: Callable[[str, float], None] = lambda what, seconds: None) -> None:
    """Go it in ``home``, an empty folder. ``say``: called with each step and its seconds."""
    for name in ("wheels", "work"):
        (home / name).mkdir()
    image = home / "work" / "three.png"
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) * 3).save(image)
    author = Environment(home, "author", say)
    _build(author, home)
    author.step("pip install zoo zoo-basics", "pip", "install", "zoo", "zoo-basics")
    author.step("zoo plugins new", "zoo", "plugins", "new", "mixer", "--kind", "architecture")
    _edit(home / "work" / "zoo-mixer")
    author.step("pip install -e", "pip", "install", "-e", "zoo-mixer")
    author.step("its tests", "python", "-m", "pytest", "-q", "zoo-mixer/tests/test_contract.py")
    author.step("zoo plugins check", "zoo", "plugins", "check", "zoo-mixer")
    flags = "--dataset digits --architecture mixer --epochs 2 --threads 1 --run runs/mixed"
    author.step("zoo train", "zoo", "train", *flags.split())
    figures = author.step("zoo eval", "zoo", "eval", "runs/mixed", "--split", "test", "--json")
    assert json.loads(figures)
    terms = ("--licence", "mit", "--intended-use", "to show that a newcomer's plugin works")
    author.step("zoo publish", "zoo", "publish", "runs/mixed", "--name", "mixed-digits", *terms)
    before = author.step("zoo predict", "zoo", "predict", "mixed-digits", image)
    assert "three.png" in before

    author.step("pip uninstall", "pip", "uninstall", "-y", "zoo-mixer")
    _refused(author, image)
    colleague = Environment(home, "colleague", say)
    colleague.step("pip install zoo", "pip", "install", "zoo", "zoo-basics")
    _refused(colleague, image)
    pinned = MISSING.rpartition(" ")[2]
    built = ("pip", "wheel", "--no-deps", "-w", home / "wheels", "./zoo-mixer")
    author.step("a wheel of the plugin", *built)
    colleague.step(f"pip install {pinned}", "pip", "install", pinned)
    after = colleague.step("zoo predict", "zoo", "predict", "mixed-digits", image)
    assert after == before, (after, before)
    listed = json.loads(colleague.run("zoo", "plugins", "list", "--json"))
    assert [(row["name"], row["state"]) for row in listed] == [("basics", "ok"), ("mixer", "ok")]
    shown = colleague.run("zoo", "components", "show", "mixer")
    assert "ConvMixer with leaky mixing" in shown and "my own thesis, 2026" in shown


def every_kind(home: Path, say: Callable[[str, float], None] = lambda what, seconds: None) -> None:
    """A new plugin of each kind, installed and tested as its README says, in ``home``."""
    for name in ("wheels", "work"):
        (home / name).mkdir()
    author = Environment(home, "author", say)
    _build(author, home)
    author.run("pip", "install", "zoo", "zoo-basics")
    for kind in PLURALS:
        author.run("zoo", "plugins", "new", f"my-{kind}", "--kind", kind)
    packages = [f"zoo-my-{kind}" for kind in PLURALS]
    editable = [word for package in packages for word in ("-e", f"./{package}[test]")]
    author.step("pip install -e of each kind", "pip", "install", *editable)
    for package in packages:
        author.step(f"pytest of {package}", "python", "-m", "pytest", "-q", package)
    listed = json.loads(author.run("zoo", "plugins", "list", "--json"))
    assert {row["distribution"] for row in listed} == {"zoo-basics", *packages}
    assert all(row["state"] == "ok" for row in listed), listed


def _refused(environment: Environment, image: Path) -> None:
    """By the command and in Python; the rest still works."""
    said = environment.step(
        "zoo predict without it", "zoo", "predict", "mixed-digits", image, fails=True
    )
    assert said == f"zoo: error: {MISSING}\n", said
    load = (
        "import sys, zoo\ntry: zoo.load('mixed-digits')\n"
        "except zoo.ZooError as error: sys.exit(str(error))"
    )
    assert environment.run("python", "-c", load, fails=True) == f"{MISSING}\n"
    assert "mixed-digits" in environment.run("zoo", "models", "list")


def _edit(package: Path) -> None:
    """Three lines, as sed would."""
    for mark, (name, old, new) in EDITS.items():
        path = package / name
        lines = path.read_text().splitlines(keepends=True)
        (marked,) = (i for i, line in enumerate(lines) if line.endswith(f"# {mark}\n"))
        lines[marked], count = re.subn(old, lambda _, new=new: new, lines[marked])
        assert count == 1, (mark, lines[marked])
        path.write_text("".join(lines))


def _build(environment: Environment, home: Path) -> None:
    """Wheels of zoo and zoo-basics, from copies: building leaves files beside the sources."""
    parts = ("zoo", "cli", "pyproject.toml", "README.md", "LICENSE")
    for name, source, kept in (
        ("zoo", ROOT, parts),
        ("zoo-basics", ROOT / "plugins/zoo-basics", ("zoo_basics", "pyproject.toml")),
    ):
        copy = home / "source" / name
        copy.mkdir(parents=True)
        for part in kept:
            if (source / part).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(source / part, copy / part, ignore=ignored)
            else:
                shutil.copy(source / part, copy / part)
        target = ("pip", "wheel", "--no-deps", "-w", home / "wheels", copy)
        environment.step(f"a wheel of {name}", *target)


def _libraries(home: Path) -> Path:
    """Links to all that is installed here but zoo and its plugins, which are to be missed."""
    folder = home / "heavy"
    if not folder.exists():
        folder.mkdir()
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            name = path.name.lower()
            if not re.match(r"(__editable__.*zoo|zoo|pip\b|pip-)", name):
                (folder / path.name).symlink_to(path)
    return folder


def main() -> None:
    began = time.perf_counter()
    go = every_kind if sys.argv[1:] == ["kinds"] else road
    with tempfile.TemporaryDirectory(prefix="zoo-road-") as folder:
        go(Path(folder), lambda what, seconds: print(f"{seconds:7.1f} s  {what}", flush=True))
    print(f"{time.perf_counter() - began:7.1f} s  in all")


if __name__ == "__main__":
    sys.exit(main())
