"""Somebody who does what a page says: every file as it is printed, every command, in order."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import runpy
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from printed import Block, blocks
from zoo_cli.main import main

from zoo.plugins.catalog import catalog

# Done before, or not by a test: another process, another installation.
LEFT_OUT = ({"make"}, {"source"}, {"pip", "install"}, {"torchrun"}, {"hf"})


class Reader:
    """Works in ``folder``. ``done``: the commands, two words each."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.patch = patch
        self.done: list[str] = []

    def read(self, page: Path) -> None:
        for block in blocks(page):
            self.follow(block)

    def follow(self, block: Block) -> None:
        if block.title:
            path = self.folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            for words in block.commands:
                self.command(words)
                self.done.append(" ".join(words[:2]))
        elif block.language == "python":
            exec(compile(block.text, str(block), "exec"), {"__name__": "printed"})

    def command(self, words: list[str]) -> None:
        match words:
            case ["pip", "install", "-e", "."]:
                self.install()
            case ["zoo", *arguments]:
                assert main(arguments) == 0, words
            case ["python", script]:
                runpy.run_path(script, run_name="__main__")
            case ["pytest"]:
                self.test()
            case _:
                assert any(one <= set(words) for one in LEFT_OUT), f"what is {words}?"

    def install(self) -> None:
        """What pip leaves of an editable installation, from the printed pyproject.toml. Of all
        other plugins only the first-party basics are there, as in a fresh environment."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]
        name, version = project["name"], project["version"]
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        points = project["entry-points"]["zoo"]
        lines = ["[zoo]", *(f"{key} = {value}" for key, value in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        (info / "RECORD").write_text("")
        self.patch.setenv("ZOO_PLUGINS", ",".join(["basics", *points]))
        importlib.invalidate_caches()
        catalog.cache_clear()

    def test(self) -> None:
        (path,) = self.folder.glob("test_*.py")
        module = importlib.import_module(path.stem)
        tests = [one for name, one in vars(module).items() if name.startswith("test_")]
        assert tests
        for number, test in enumerate(tests):
            given = {}
            if "tmp_path" in inspect.signature(test).parameters:
                given["tmp_path"] = self.folder / f"empty-{number}"
                given["tmp_path"].mkdir()
            test(**given)


@contextlib.contextmanager
def reading(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """In an empty working folder, from which nothing of the user's is seen."""
    folder.mkdir()
    patch.chdir(folder)
    patch.syspath_prepend(folder)
    patch.setenv("ZOO_CONFIG_DIR", str(folder / "config"))
    patch.setenv("XDG_DATA_HOME", str(folder / "user-data"))
    patch.setenv("ZOO_PLUGINS", "basics")
    patch.delenv("ZOO_DATA", raising=False)
    catalog.cache_clear()
    threads, known = torch.get_num_threads(), set(sys.modules)
    try:
        yield Reader(folder, patch)
    finally:
        torch.set_num_threads(threads)
        for name in set(sys.modules) - known:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
                del sys.modules[name]
        catalog.cache_clear()
