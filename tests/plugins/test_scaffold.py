"""zoo plugins new: each kind works as it is made; nothing is overwritten or left half."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from zoo.errors import PluginError
from zoo.plugins import scaffold
from zoo.plugins.catalog import Catalog
from zoo.plugins.loading import Loaded, Plugin, Problem
from zoo.plugins.scaffold import Scaffold, make_plugin
from zoo.plugins.specs import PLURALS, LossSpec

FOCAL = LossSpec(name="focal", build=print, summary="hard ones")
INSTALLED = Catalog(
    [Loaded(Plugin("one", "zoo-one", "1.0"), (FOCAL,))],
    [Problem(Plugin("bad", "zoo-bad", "0.1"), "ValueError: no")],
)
LONGEST = "a" * 40


def make(name: str, kind: str, parent: Path) -> Scaffold:
    return make_plugin(name, kind, parent, INSTALLED, zoo="0.1.0")


def entries(made: Scaffold, site: Path) -> None:
    """What pip would write of it, so that importlib.metadata finds its entry point."""
    project = tomllib.loads((made.folder / "pyproject.toml").read_text())["project"]
    info = site / f"{made.module}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = "".join(f"{key} = {value}\n" for key, value in project["entry-points"]["zoo"].items())
    (info / "entry_points.txt").write_text(f"[zoo]\n{points}")


def test_every_kind_passes_its_own_tests_as_it_is_made(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    made = [make(f"my-{kind}", kind, tmp_path) for kind in PLURALS]
    for one in made:
        entries(one, site)
    places = [str(site), *(str(one.folder) for one in made)]
    settings = made[0].folder / "pyproject.toml"  # warnings are errors
    options = ["-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-c", str(settings)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *(str(one.folder / "tests") for one in made)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    passed = re.search(r"^(\d+) passed in", done.stdout, re.M)
    assert passed is not None and int(passed[1]) >= 3 * len(PLURALS), done.stdout


@pytest.mark.skipif(shutil.which("ruff", path=Path(sys.executable).parent) is None, reason="ruff")
def test_every_kind_is_formatted_and_free_of_lint(tmp_path: Path) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    for kind in PLURALS:
        parent = tmp_path / kind
        parent.mkdir()
        for name in (f"my-{kind}", LONGEST):
            folder = make(name, kind, parent).folder
            for command in (["format", "--check"], ["check"]):
                done = subprocess.run(
                    [ruff, *command, "--no-cache", "."],
                    cwd=folder, capture_output=True, text=True, check=False,
                )  # fmt: skip
                assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", PLURALS)
def test_three_lines_are_marked_and_no_placeholder_is_left(kind: str, tmp_path: Path) -> None:
    made = make("mine", kind, tmp_path)
    texts = {path: path.read_text() for path in made.files}
    assert sorted(path for path in made.folder.rglob("*") if path.is_file()) == sorted(made.files)
    marks = re.findall(r"# (edit \d)$", "".join(texts.values()), re.M)
    assert sorted(marks) == ["edit 1", "edit 2", "edit 3"]
    for path, text in texts.items():
        assert text.endswith("\n"), path
        assert "$" not in text.replace("${{ matrix.python }}", ""), path
    assert f"--{kind} mine" in made.train
    assert f"\n{made.train}\n" in texts[made.folder / "README.md"]


@pytest.mark.parametrize(
    ("name", "distribution", "module", "component"),
    [
        ("steep", "zoo-steep", "zoo_steep", "steep"),
        ("zoo-steep", "zoo-steep", "zoo_steep", "steep"),
        ("very-steep_2", "zoo-very-steep-2", "zoo_very_steep_2", "very_steep_2"),
        (LONGEST, f"zoo-{LONGEST}", f"zoo_{LONGEST}", LONGEST),
    ],
)
def test_what_is_named_how(
    name: str, distribution: str, module: str, component: str, tmp_path: Path
) -> None:
    made = make(name, "loss", tmp_path)
    assert (made.distribution, made.module, made.component) == (distribution, module, component)
    assert made.folder == tmp_path / distribution
    assert tomllib.loads((made.folder / "pyproject.toml").read_text())["project"]["name"] == (
        distribution
    )


@pytest.mark.parametrize(
    "name",
    [
        "", "zoo-", "Steep", "2steep", "steep-", "a--b", "a b", "a/b", "../a", "lambda", "ä", "a.b",
        "$a", LONGEST + "b",
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_one(name: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError) as caught:
        make(name, "loss", tmp_path)
    assert str(caught.value) == (
        f"plugin name {name.removeprefix('zoo-')!r}: expected up to 40 lower-case letters and "
        f"digits, a letter first, joined by '-' or '_', and no word of Python's; such as my-loss"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("focal", "loss", "loss 'focal' is installed already, by zoo-one 1.0"),
        ("one", "sampler", "plugin 'zoo-one' is installed already, by zoo-one 1.0"),
        ("bad", "loss", "plugin 'zoo-bad' is installed already, by zoo-bad 0.1"),
        ("basics", "loss", "module 'zoo_basics' is installed already"),
    ],
)
def test_a_name_that_is_taken(name: str, kind: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError) as caught:
        make(name, kind, tmp_path)
    assert str(caught.value) == f"{said}; choose another name"
    assert list(tmp_path.iterdir()) == []
    assert make("focal", "sampler", tmp_path).component == "focal"


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_nothing_is_overwritten(there: str, tmp_path: Path) -> None:
    place = tmp_path / "zoo-mine"
    if there == "folder":
        place.mkdir()
    elif there == "file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(PluginError) as caught:
        make("mine", "loss", tmp_path)
    assert str(caught.value) == f"'{place}' is there already; remove it, or choose another name"
    assert list(tmp_path.iterdir()) == [place]


def test_where_nothing_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError) as caught:
        make("mine", "loss", tmp_path / "nowhere")
    assert str(caught.value) == f"--to '{tmp_path / 'nowhere'}': no such file or folder"
    written: list[Path] = []

    def write(path: Path, text: str, **_: object) -> None:
        written.append(path)
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        path.touch()

    monkeypatch.setattr(scaffold.Path, "write_text", write)
    with pytest.raises(PluginError) as caught:
        make("mine", "loss", tmp_path)
    assert str(caught.value) == (
        f"'{tmp_path / 'zoo-mine'}' cannot be made: No space left on device; name another folder "
        f"with --to"
    )
    assert len(written) == 5
    assert list(tmp_path.iterdir()) == []
