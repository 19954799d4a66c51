"""What stands in fences is what it seems to be: commands parse, TOML is read, Python compiles."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import tomllib
from pathlib import Path

import pytest
from printed import DOCS, PAGES, ROOT, blocks, command_of, fence_lines, mentions, options_of
from zoo_cli.endings import ClickException
from zoo_cli.main import main

from zoo.recipes.reading import read_recipe
from zoo.recipes.schema import Recipe
from zoo.registry.config import read_file
from zoo.studies.planning import planned

LANGUAGES = {"sh", "text", "toml", "python", "json"}
EVERY = [(page, block) for page in PAGES for block in blocks(page)]
BASE = {"dataset": {"name": "digits"}, "architecture": {"name": "simple_cnn"}}


def of(language: str) -> list[object]:
    return [pytest.param(block, id=str(block)) for _, block in EVERY if block.language == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_fence_names_its_language(page: Path) -> None:
    """Commands are ``sh``, what is printed ``text``: a page is copied from, and tests run it."""
    found = blocks(page)
    assert 2 * len(found) == fence_lines(page), "a fence that is not at the line's start, or open"
    assert [str(one) for one in found if one.language not in LANGUAGES] == []


@pytest.mark.parametrize("block", of("sh"))
def test_commands_parse(block) -> None:
    wrong = []
    for words in block.commands:
        if "zoo" not in words:
            continue
        given = words[words.index("zoo") + 1 :]
        try:
            command, context, rest = command_of(given)
            if "…" in rest:  # more of the kind is left out
                assert options_of(command) >= {one for one in rest if one.startswith("--")}
            elif "--help" not in rest:
                command.parse_args(context, list(rest))
        except (ClickException, AssertionError) as error:
            what = error.format_message() if isinstance(error, ClickException) else "no such option"
            wrong.append(f"{' '.join(words)}: {what}")
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_within_sentences_are_there(page: Path) -> None:
    wrong = []
    for text in mentions(page):
        try:
            command, _, rest = command_of(text.split()[1:])
        except ClickException as error:
            wrong.append(f"{text}: {error.format_message()}")
            continue
        flags = {one.partition("=")[0] for one in rest if re.match(r"--\w", one)}
        root = {"--debug", "--version", "--help", "--install-completion", "--show-completion"}
        wrong += [f"{text}: no option {one}" for one in flags - options_of(command) - root]
    assert wrong == []


@pytest.mark.parametrize("block", of("toml"))
def test_toml_is_what_it_seems(block, tmp_path: Path) -> None:
    data = tomllib.loads(block.text)
    if block.title == "recipe.toml":  # names the reader's own components, and is trained elsewhere
        assert set(data) <= set(Recipe.model_fields)
    elif "build-system" in data:
        assert data["project"]["entry-points"]["zoo"]
    elif "registry" in data:
        path = tmp_path / "registry.toml"
        path.write_text(block.text, encoding="utf-8")
        assert read_file(path)
    elif set(data) <= set(Recipe.model_fields):
        assert read_recipe({**BASE, **data})
    else:
        assert block.page.name == "studies.md", f"{block}: what is it?"
        if block.title == "rates.toml":
            (tmp_path / block.title).write_text(block.text, encoding="utf-8")
            assert len(planned(tmp_path / block.title).jobs()) == 9


@pytest.mark.parametrize("block", of("python"))
def test_python_compiles(block) -> None:
    compile(block.text, str(block), "exec")


TROUBLE = blocks(DOCS / "troubleshooting.md")
SAID = [
    pytest.param(one, other, id=str(one))
    for one, other in itertools.pairwise(TROUBLE)
    if (one.language, other.language) == ("sh", "text")
]


@pytest.mark.parametrize(("command", "said"), SAID)
def test_an_error_is_shown_as_it_is(command, said, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (words,) = command.commands
    stderr = io.StringIO()
    with contextlib.redirect_stderr(stderr):
        assert main(words[1:]) == 1
    assert stderr.getvalue() == said.text
