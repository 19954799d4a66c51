"""How files are named, how long they may be, and that all of them are installed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import zoo

ROOT = Path(zoo.__file__).parents[1]
SOURCES = sorted(
    path
    for folder in ("zoo", "cli", "plugins")
    for path in ROOT.glob(f"{folder}/**/*.py")
    if "build" not in path.parts
)
TESTS = sorted(ROOT.glob("tests/**/*.py"))
NAMES_THAT_SAY_NOTHING = {
    "utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "processor",
}  # fmt: skip
LONGEST = 300  # lines of a file


def test_the_packages_named_for_installation_are_those_there_are() -> None:
    for project in [ROOT, *(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]:
        setup = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["setuptools"]
        named = set(setup["packages"])
        tops = {"zoo"} if project == ROOT else {name.split(".")[0] for name in named}
        found = {".".join(path.parent.relative_to(project).parts)
                 for top in tops for path in project.glob(f"{top}/**/__init__.py")}  # fmt: skip
        assert named - {"zoo_cli"} == found, project.name


def test_every_folder_with_python_in_it_is_a_package() -> None:
    bare = {path.parent for path in SOURCES} - {
        path.parent for path in SOURCES if path.stem == "__init__"
    }
    assert bare == set()


def test_files_are_named_for_their_job_and_fit_their_size() -> None:
    named, long = [], {}
    for path in [*SOURCES, *TESTS, *ROOT.glob("benchmarks/*.py")]:
        short = path.relative_to(ROOT)
        words = {word for part in short.with_suffix("").parts for word in part.split("_")}
        if words & NAMES_THAT_SAY_NOTHING:
            named.append(str(short))
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST:
            long[str(short)] = lines
    assert (named, long) == ([], {})


def test_no_two_test_files_share_a_name() -> None:
    names = [path.name for path in TESTS if path.name != "conftest.py"]
    assert sorted(names) == sorted(set(names))
