"""The reference pages are as the code, and pages written by hand name all there is."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from printed import DOCS, GENERATED, PAGES, ROOT
from zoo_cli import main

from zoo import errors

STALE = "run: make docs-reference"
BY_HAND = "\n".join(
    page.read_text(encoding="utf-8") for page in PAGES if GENERATED not in page.parents
)
CODE = [path for folder in ("zoo", "cli", "plugins") for path in ROOT.glob(f"{folder}/**/*.py")]


def test_the_reference_pages_are_as_the_code() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_a_page_that_is_not_as_the_code_is_named(tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "docs"
    shutil.copytree(DOCS, copy, ignore=shutil.ignore_patterns("images", "__pycache__"))
    page = copy / "reference/errors.md"
    page.write_text(page.read_text(encoding="utf-8") + "more\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, copy / "generate", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"docs/reference/errors.md: not as the code; {STALE}\n"


def commands() -> list[str]:
    page = (GENERATED / "cli.md").read_text(encoding="utf-8")
    return re.findall(r"^## `zoo ([^`]+)`$", page, re.M)


def test_the_page_of_commands_has_every_one() -> None:
    assert {one.split()[0] for one in commands()} == set(main.COMMANDS)


@pytest.mark.parametrize("command", commands())
def test_a_page_written_by_hand_names_the_command(command: str) -> None:
    assert re.search(rf"\bzoo {command}\b", BY_HAND), f"no page says what zoo {command} is for"


def test_every_error_class_is_in_the_reference() -> None:
    page = (GENERATED / "errors.md").read_text(encoding="utf-8")
    own = [
        name
        for name, one in vars(errors).items()
        if inspect.isclass(one) and one.__module__ == errors.__name__
    ]
    assert [name for name in own if f"| `{name}` |" not in page] == []


def test_every_variable_of_zoo_is_on_its_page() -> None:
    page = (DOCS / "environment.md").read_text(encoding="utf-8")
    texts = {one for path in CODE for one in templates(path)}
    read = {one for one in texts if re.fullmatch(r"_?ZOO_[A-Z_]*[A-Z]", one)}
    assert {"ZOO_CACHE", "ZOO_DATA", "ZOO_PLUGINS"} <= read
    assert sorted(one for one in read if f"`{one}`" not in page) == []


def templates(path: Path) -> set[str]:
    """Every text in a file, with … for what is put into it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "…" for one in node.values]
            found.add("".join(map(str, parts)))
    return found


def quoted() -> list[str]:
    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    return re.findall(r"^### `(.*)`$", page, re.M)


def has(text: str, pattern: str) -> bool:
    """Whether the pieces between … stand in the text, in their order."""
    pieces = [re.escape(one) for one in pattern.split("…") if one]
    return re.search(".*".join(pieces), text, re.S) is not None


def test_messages_quoted_for_troubleshooting_are_those_of_the_code() -> None:
    texts = {one for path in CODE for one in templates(path) if len(one) < 1000}
    assert len(quoted()) >= 50
    assert [one for one in quoted() if not any(has(text, one) for text in texts)] == []
    assert not any(has(text, "is not the moon; expected …") for text in texts)
