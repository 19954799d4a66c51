"""Where a site is put: whole or not at all, and never over something else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import site_examples as examples

from zoo.errors import RegistryError, StorageError
from zoo.registry.site import building, folder
from zoo.registry.site.building import build_site
from zoo.registry.store import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry.at(tmp_path / "registry")
    for name in ("one", "two"):
        examples.publish(registry, name)
    return registry


def files(place: Path) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes()
            for path in sorted(place.rglob("*")) if path.is_file()}  # fmt: skip


def beside(place: Path) -> list[str]:
    return sorted(path.name for path in place.parent.iterdir() if path.name not in
                  (place.name, "registry"))  # fmt: skip


@pytest.mark.parametrize("before", ["missing", "empty", "deep"])
def test_a_new_place(registry, tmp_path, before):
    place = tmp_path / ("a/b/site" if before == "deep" else "site")
    if before == "empty":
        place.mkdir()
    result = build_site(registry, place, "T")
    assert result.index == place / "index.html"
    assert sorted(files(place)) == [
        "icon.svg", "index.html", "models/one.html", "models/two.html", "site.js", "style.css",
        "zoo-site.json",
    ]  # fmt: skip
    assert beside(place) == []


def test_an_earlier_site_is_replaced_and_stale_pages_go(registry, tmp_path):
    place = tmp_path / "site"
    build_site(registry, place, "T")
    other = Registry.at(tmp_path / "other")
    examples.publish(other, "three")
    build_site(other, place, "T")
    assert [name for name in files(place) if name.startswith("models/")] == ["models/three.html"]
    assert beside(place) == ["other"]


def test_a_link_to_a_site_goes_on_leading_to_it(registry, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "site").symlink_to("real")
    build_site(registry, tmp_path / "site", "T")
    assert (tmp_path / "site").is_symlink()
    assert (tmp_path / "real" / "index.html").is_file()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            "notes.txt",
            "site 'PLACE' is a folder with other things in it, which would be lost; give a new "
            "folder, an empty one, or an earlier site",
        ),
        ("", "site 'PLACE' is a file; give a folder"),
        ("site/CNAME", "site 'PLACE' holds 'CNAME', which is no page of it and would be lost; "
                       "move it away"),
        ("site/models/notes.md", "site 'PLACE' holds 'models/notes.md', which is no page of it "
                                 "and would be lost; move it away"),
        ("site/pictures/me.png", "site 'PLACE' holds 'pictures/me.png', which is no page of it "
                                 "and would be lost; move it away"),
    ],
)  # fmt: skip
def test_nothing_else_is_ever_overwritten(registry, tmp_path, made, said):
    place = tmp_path / "site"
    if made.startswith("site/"):
        build_site(registry, place, "T")
        (tmp_path / made).write_text("mine")
    elif made:
        place.mkdir()
        (place / made).write_text("mine")
    else:
        place.write_text("mine")
    before = files(place) if place.is_dir() else place.read_text()
    with pytest.raises(RegistryError) as caught:
        build_site(registry, place, "T")
    assert str(caught.value) == said.replace("PLACE", str(place))
    assert (files(place) if place.is_dir() else place.read_text()) == before
    assert beside(place) == []


def test_a_marker_that_is_no_marker_makes_no_site(registry, tmp_path):
    place = tmp_path / "site"
    place.mkdir()
    for text in ("{}", "[]", "x", '{"pages": "others"}'):
        (place / folder.MARKER).write_text(text)
        with pytest.raises(RegistryError, match="other things in it"):
            build_site(registry, place, "T")


def test_the_old_site_stands_until_the_new_one_is_whole(registry, tmp_path):
    place = tmp_path / "site"
    build_site(registry, place, "old")
    old, seen = files(place), []
    build_site(registry, place, "new", lambda *_: seen.append(files(place) == old))
    assert seen == [True] * 4
    assert files(place) != old


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there(registry, tmp_path, monkeypatch, error):
    place = tmp_path / "site"
    build_site(registry, place, "old")
    old = files(place)
    for fails_at in range(6):
        calls = iter(range(100))
        true = Path.write_bytes

        def write(path, data, *, calls=calls, fails_at=fails_at, true=true):
            if next(calls) == fails_at:
                raise error
            return true(path, data)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", write)
            with pytest.raises((StorageError, KeyboardInterrupt)):
                build_site(registry, place, "new")
        assert files(place) == old
        assert beside(place) == []


def test_where_the_new_one_cannot_take_its_place_the_old_one_comes_back(
    registry, tmp_path, monkeypatch
):
    place = tmp_path / "site"
    build_site(registry, place, "old")
    old, true = files(place), Path.rename

    def rename(path, target):
        if target == place and "<h1>new</h1>" in (path / "index.html").read_text():
            raise OSError(5, "Input/output error")
        return true(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(StorageError, match="the disk reports an error"):
        build_site(registry, place, "new")
    assert files(place) == old
    assert beside(place) == []


def test_what_appears_meanwhile_is_not_lost(registry, tmp_path):
    place = tmp_path / "site"

    def appear(*_):
        place.mkdir(exist_ok=True)
        (place / "thesis.txt").write_text("mine")

    with pytest.raises(RegistryError, match="other things in it"):
        build_site(registry, place, "T", appear)
    assert files(place) == {"thesis.txt": b"mine"}
    assert beside(place) == []


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from zoo.registry.site.building import build_site
    from zoo.registry.store import Registry

    def die(what, done, of):
        if what == "pages":
            os.kill(os.getpid(), signal.SIGKILL)

    build_site(Registry.at(Path("registry")), Path("site"), "new", die)
"""


def test_one_that_is_killed_leaves_the_old_site_and_is_swept_up_later(registry, tmp_path):
    place = tmp_path / "site"
    build_site(registry, place, "old")
    old = files(place)
    code = [sys.executable, "-c", textwrap.dedent(KILLED)]
    assert subprocess.run(code, cwd=tmp_path, check=False).returncode == -signal.SIGKILL
    assert files(place) == old
    [left] = beside(place)
    build_site(registry, place, "new")
    assert beside(place) == [left]  # it may be somebody's who still writes
    day = time.time() - 25 * 3600
    os.utime(tmp_path / left, (day, day))
    build_site(registry, place, "new")
    assert beside(place) == []


def test_pages_can_be_read_by_others_whatever_wrote_them(registry, tmp_path):
    place = tmp_path / "site"
    before = os.umask(0o022)
    try:
        build_site(registry, place, "T")
    finally:
        os.umask(before)
    for path in (place, *place.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


def test_every_file_of_the_package_is_installed():
    project = tomllib.loads((Path(building.__file__).parents[3] / "pyproject.toml").read_text())
    named = project["tool"]["setuptools"]["package-data"]["zoo"]
    here = Path(building.__file__).parent
    there = {path.name for path in here.iterdir() if path.suffix not in ("", ".py")}
    assert len(there) == 7
    for name in there:
        assert any(fnmatch(f"registry/site/{name}", pattern) for pattern in named), name
